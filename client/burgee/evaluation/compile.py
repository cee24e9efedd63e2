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
from typing import TypeAlias

from burgee.evaluation.attributes import Read
from burgee.evaluation.check import violations
from burgee.evaluation.conditions import CompiledCondition, compile_condition
from burgee.evaluation.distributions import CompiledDistribution, Give, compile_distribution
from burgee.evaluation.model import USER, Context, ErrorCode, Flag, Json, Profiles, Reason, Resolution, Rule
from burgee.evaluation.operators import Test

Step: TypeAlias = tuple[tuple[tuple[Read, Test, bool], ...], Give]
"""A rule in tuples: to look for attributes by name at every check would cost a tenth of it."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, ready to be asked."""

    rule: Rule
    conditions: tuple[CompiledCondition, ...]
    distribution: CompiledDistribution

    @property
    def step(self) -> Step:
        """What `decide` takes of it."""
        return tuple((each.ask, each.test, each.when_missing) for each in self.conditions), self.distribution.give


@dataclass(frozen=True, slots=True)
class CompiledFlag:
    """A flag, ready to be asked. `rules` and `fallthrough` are empty for a flag that cannot or may not get there."""

    flag: Flag
    prerequisites: tuple[tuple[str, frozenset[str]], ...]
    rules: tuple[CompiledRule, ...]
    steps: tuple[Step, ...]
    fallthrough: CompiledDistribution | None
    disabled: Resolution
    undecided: Resolution
    """When no rule took the context and the fallthrough is absent or lacks its key."""
    excluded: Resolution
    """When the fallthrough's draw did not include the key."""
    timed: bool
    """Whether the time alone may change what it gives."""
    by_user: bool
    """Whether it may give two users of the same groups different things."""

    def decide(self, context: Context, profiles: Profiles, now: float) -> Resolution:
        """What the flag gives once its prerequisites hold."""
        for conditions, give in self.steps:
            for read, test, when_missing in conditions:
                value = read(context, profiles)
                if not (when_missing if value is None else test(value, now)):
                    break
            else:
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

    drawn_by = _bucket_by(flag)

    def resolution(variant: str, reason: Reason, rule_id: str = "", bucket_by: str = drawn_by) -> Resolution:
        return Resolution(flag.key, values[variant], variant, reason, rule_id, flag.version, bucket_by=bucket_by)

    disabled = resolution(flag.off_variant, Reason.DISABLED)
    if flag.archived or not flag.enabled:
        return _constant(flag, disabled)

    salt = flag.salt or flag.key
    rules = tuple(
        CompiledRule(
            rule,
            tuple(map(compile_condition, rule.conditions)),
            compile_distribution(
                rule.distribution,
                salt,
                lambda variant, drawn, rule=rule: resolution(  # type: ignore[misc]
                    variant,
                    Reason.SPLIT if drawn else Reason.TARGETING_MATCH,
                    rule.rule_id,
                    rule.distribution.bucket_by,
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
        steps=tuple(rule.step for rule in rules),
        fallthrough=fallthrough,
        disabled=disabled,
        undecided=resolution(
            flag.off_variant, Reason.STATIC if same_for_all and fallthrough is None else Reason.DEFAULT
        ),
        excluded=resolution(flag.off_variant, Reason.SPLIT),
        timed=_timed(rules, fallthrough),
        by_user=_by_user(rules, fallthrough),
    )


def _bucket_by(flag: Flag) -> str:
    """What a flag draws by where no rule decides: as its fallthrough, else as its last rule, the most general one."""
    if flag.fallthrough is not None:
        return flag.fallthrough.bucket_by
    return flag.rules[-1].distribution.bucket_by if flag.rules else USER


def _timed(rules: tuple[CompiledRule, ...], fallthrough: CompiledDistribution | None) -> bool:
    drawn = [rule.distribution for rule in rules] + ([] if fallthrough is None else [fallthrough])
    return any(condition.timed for rule in rules for condition in rule.conditions) or any(
        each.distribution.ramp for each in drawn
    )


def _by_user(rules: tuple[CompiledRule, ...], fallthrough: CompiledDistribution | None) -> bool:
    drawn = [rule.distribution for rule in rules] + ([] if fallthrough is None else [fallthrough])
    return any(condition.attribute.owner == USER for rule in rules for condition in rule.conditions) or any(
        each.key_needed and each.attribute.owner == USER for each in drawn
    )


def _constant(flag: Flag, answer: Resolution) -> CompiledFlag:
    return CompiledFlag(flag, (), (), (), None, answer, answer, answer, False, False)
