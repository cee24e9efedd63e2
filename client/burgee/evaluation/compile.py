"""A flag, compiled once into functions that are called many times.

Reasons, when the flag is enabled and its prerequisites hold (in brackets: the flag has no rules and no prerequisites):

TARGETING_MATCH   a rule took the context, and its distribution left nothing to chance
SPLIT             a real draw decided: that of a rule, or that of the fallthrough, whether it included the key or not
DEFAULT           no rule took the context, and the fallthrough left nothing to chance, lacked its key, or is absent
STATIC            [as DEFAULT, and everybody gets the same, so that the answer may be kept: it never depends on the
                  context]

DISABLED stands for a flag that is disabled or archived, or whose prerequisites failed; ERROR, with PARSE_ERROR, for
one that violates its rules and so cannot be evaluated.
"""

from dataclasses import dataclass, replace

from burgee.evaluation import conditions
from burgee.evaluation.attributes import KEY, Attribute
from burgee.evaluation.check import violations
from burgee.evaluation.conditions import CompiledCondition, Holds
from burgee.evaluation.distributions import CompiledDistribution, Give, compile_distribution
from burgee.evaluation.model import Context, ErrorCode, Flag, Json, Profiles, Reason, Resolution, Rule


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, ready to be asked; `give` is conditions and distribution in one, for speed."""

    rule: Rule
    conditions: tuple[CompiledCondition, ...]
    distribution: CompiledDistribution
    give: Give


@dataclass(frozen=True, slots=True)
class CompiledFlag:
    """A flag, ready to be asked. `rules` and `fallthrough` are empty for a flag that cannot or may not get there."""

    flag: Flag
    prerequisites: tuple[tuple[str, frozenset[str]], ...]
    rules: tuple[CompiledRule, ...]
    gives: tuple[Give, ...]
    fallthrough: CompiledDistribution | None
    disabled: Resolution
    undecided: Resolution
    """When no rule took the context and the fallthrough is absent or lacks its key."""
    excluded: Resolution
    """When the fallthrough's draw did not include the key."""
    mentions: frozenset[Attribute]
    timed: bool
    """Whether the time alone may change what it gives."""

    def decide(self, context: Context, profiles: Profiles, now: float) -> Resolution:
        """What the flag gives once its prerequisites hold."""
        for give in self.gives:
            resolution = give(context, profiles, now)
            if resolution is not None:
                return resolution
        last = self.fallthrough
        if last is None:
            return self.undecided
        return last.give(context, profiles, now) or self.left_out(last.read_key(context, profiles))

    def left_out(self, key: str) -> Resolution:
        """What somebody gets whom the fallthrough gave nothing: by its draw, or for lack of a key."""
        return self.excluded if key else self.undecided


def compile_flag(flag: Flag) -> CompiledFlag:
    """Compile any flag; one with violations always gives ERROR with PARSE_ERROR, naming the first."""
    wrong = next(iter(violations(flag)), None)
    if wrong is not None:
        path, message = wrong
        return _constant(
            flag,
            Resolution(
                flag.key,
                None,
                "",
                Reason.ERROR,
                flag_version=flag.version,
                error_code=ErrorCode.PARSE_ERROR,
                error_message=f"{path}: {message}",
            ),
        )
    values: dict[str, Json] = {variant.key: variant.value for variant in flag.variants}

    def resolution(variant: str, reason: Reason, rule_id: str = "") -> Resolution:
        return Resolution(flag.key, values[variant], variant, reason, rule_id, flag.version)

    disabled = resolution(flag.off_variant, Reason.DISABLED)
    if flag.archived or not flag.enabled:
        return _constant(flag, disabled)

    salt = flag.salt or flag.key
    rules = tuple(
        _compile_rule(
            rule,
            compile_distribution(
                rule.distribution,
                salt,
                lambda variant, drawn, rule_id=rule.rule_id: resolution(  # type: ignore[misc]
                    variant, Reason.SPLIT if drawn else Reason.TARGETING_MATCH, rule_id
                ),
            ),
        )
        for rule in flag.rules
    )
    same_for_all = not flag.rules and not flag.prerequisites
    fallthrough = None
    if flag.fallthrough is not None:
        fallthrough = compile_distribution(
            flag.fallthrough,
            salt,
            lambda variant, drawn: resolution(variant, Reason.SPLIT if drawn else Reason.DEFAULT),
        )
        if not fallthrough.key_needed and same_for_all and fallthrough.certain is not None:
            static = replace(fallthrough.certain, reason=Reason.STATIC)
            fallthrough = replace(fallthrough, certain=static, give=lambda _context, _profiles, _now: static)
    return CompiledFlag(
        flag=flag,
        prerequisites=tuple((each.flag_key, frozenset(each.variants)) for each in flag.prerequisites),
        rules=rules,
        gives=tuple(rule.give for rule in rules),
        fallthrough=fallthrough,
        disabled=disabled,
        undecided=resolution(
            flag.off_variant, Reason.STATIC if same_for_all and fallthrough is None else Reason.DEFAULT
        ),
        excluded=resolution(flag.off_variant, Reason.SPLIT),
        mentions=_mentions(rules, fallthrough),
        timed=_timed(rules, fallthrough),
    )


def _compile_rule(rule: Rule, distribution: CompiledDistribution) -> CompiledRule:
    compiled = tuple(conditions.compile_condition(condition) for condition in rule.conditions)
    return CompiledRule(rule, compiled, distribution, _all([each.holds for each in compiled], distribution.give))


def _all(holds: list[Holds], give: Give) -> Give:
    """Conditions and distribution in one function: unrolled for the counts that are common, as calls are what costs."""
    match holds:
        case []:
            return give
        case [one]:

            def give_if_one(context: Context, profiles: Profiles, now: float) -> Resolution | None:
                return give(context, profiles, now) if one(context, profiles, now) else None

            return give_if_one
        case [first, second]:

            def give_if_both(context: Context, profiles: Profiles, now: float) -> Resolution | None:
                if first(context, profiles, now) and second(context, profiles, now):
                    return give(context, profiles, now)
                return None

            return give_if_both
        case _:

            def give_if_all(context: Context, profiles: Profiles, now: float) -> Resolution | None:
                for each in holds:
                    if not each(context, profiles, now):
                        return None
                return give(context, profiles, now)

            return give_if_all


def _constant(flag: Flag, answer: Resolution) -> CompiledFlag:
    return CompiledFlag(flag, (), (), (), None, answer, answer, answer, frozenset(), False)


def _mentions(rules: tuple[CompiledRule, ...], fallthrough: CompiledDistribution | None) -> frozenset[Attribute]:
    read = {condition.attribute for rule in rules for condition in rule.conditions}
    read.update(rule.distribution.attribute for rule in rules)
    if fallthrough is not None:
        read.add(fallthrough.attribute)
    return frozenset(attribute for attribute in read if attribute.name != KEY)


def _timed(rules: tuple[CompiledRule, ...], fallthrough: CompiledDistribution | None) -> bool:
    drawn = [rule.distribution for rule in rules] + ([] if fallthrough is None else [fallthrough])
    return any(condition.timed for rule in rules for condition in rule.conditions) or any(
        each.distribution.ramp for each in drawn
    )
