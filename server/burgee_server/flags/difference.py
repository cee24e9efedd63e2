"""What is different between two versions of a flag, in words for people and with paths for programs."""

from collections.abc import Iterator

from burgee.evaluation import Distribution, Flag, Rule
from burgee_server.flags.wording import conditions_text, percent, ramp_text, rule_text, value_text
from burgee_server.ports.flags import FlagChange


def difference(before: Flag, after: Flag) -> tuple[FlagChange, ...]:
    """What `after` changes, in the order of the fields of a flag; nothing for what only the server writes.

    Paths are those of the proto. Rules, variants and prerequisites are told apart by their keys, so that putting a
    rule before another does not look like a change of both; one that is new or gone is one change.
    """
    old, new = dict(_facts(before, after)), dict(_facts(after, before))
    changed = (FlagChange(path, old.get(path, ""), new.get(path, "")) for path in {**old, **new})
    return tuple(change for change in changed if change.before != change.after)


def is_same(flag: Flag, other: Flag) -> bool:
    """Whether nothing is different. `==` alone would not do: 1 and true are the same to Python."""
    return flag == other and not difference(flag, other)


def summary(changes: tuple[FlagChange, ...]) -> str:
    """Changes in a line."""
    return "; ".join(f"{each.path}: {each.before or 'nothing'} → {each.after or 'nothing'}" for each in changes)


def _facts(flag: Flag, other: Flag) -> Iterator[tuple[str, str]]:
    """Everything that a flag is, as path and text; in detail where `other` has the same part."""
    yield "description", flag.description
    yield "type", flag.type.value
    yield "enabled", value_text(flag.enabled)
    for variant in flag.variants:
        yield f"variants[{variant.key}]", value_text(variant.value)
    yield "off_variant", flag.off_variant
    yield from _rules(flag, other)
    if flag.fallthrough is not None and other.fallthrough is not None:
        yield from _distribution("fallthrough", flag.fallthrough)
    elif flag.fallthrough is not None:
        yield "fallthrough", rule_text(flag.fallthrough, ())
    yield "salt", flag.salt
    for prerequisite in flag.prerequisites:
        yield f"prerequisites[{prerequisite.flag_key}]", " or ".join(prerequisite.variants)
    yield "tags", ", ".join(flag.tags)
    yield "owner", flag.owner
    yield "archived", value_text(flag.archived)


def _rules(flag: Flag, other: Flag) -> Iterator[tuple[str, str]]:
    known = {rule.rule_id for rule in other.rules}
    yield "rules", ", ".join(rule.rule_id for rule in flag.rules if rule.rule_id in known)
    for rule in flag.rules:
        path = f"rules[{rule.rule_id}]"
        if rule.rule_id in known:
            yield from _rule(path, rule)
        else:
            yield path, rule_text(rule.distribution, rule.conditions)


def _rule(path: str, rule: Rule) -> Iterator[tuple[str, str]]:
    yield f"{path}.description", rule.description
    yield f"{path}.conditions", conditions_text(rule.conditions)
    yield from _distribution(f"{path}.distribution", rule.distribution)


def _distribution(path: str, distribution: Distribution) -> Iterator[tuple[str, str]]:
    yield f"{path}.bucket_by", distribution.bucket_by
    yield f"{path}.rollout", "" if distribution.ramp else percent(distribution.rollout)
    yield f"{path}.ramp", ramp_text(distribution.ramp)
    yield f"{path}.weights", ", ".join(f"{each.variant} {each.weight}" for each in distribution.weights)
    yield f"{path}.salt", distribution.salt
