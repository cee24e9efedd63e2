"""What makes a flag evaluable: whatever is named here may not be saved."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from burgee.evaluation import attributes, operators
from burgee.evaluation.conditions import condition_violations, is_json
from burgee.evaluation.kinds import is_list, is_number, kind
from burgee.evaluation.model import ROLLOUT_ALL, Condition, Distribution, Flag, FlagType, Json, Variant
from burgee.evaluation.prerequisites import path as path_between

LONGEST_KEY = 200

_KEY = re.compile(rf"[A-Za-z0-9\-_./:]{{1,{LONGEST_KEY}}}")

_EXPECTED = {
    FlagType.BOOLEAN: "true or false",
    FlagType.STRING: "text",
    FlagType.NUMBER: "a number",
    FlagType.JSON: "an object or a list",
}


def violations(
    flag: Flag, others: Mapping[str, Flag] | None = None, cohorts: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """What is wrong with a flag: paths as in the proto (`rules[2].conditions[0].values[0]`), and what would be right.

    `others` are the flags of its environment by key; without them, prerequisites are not looked up. `cohorts` are those
    of its environment, by key, and whom they are made of, `user` or a group type; without them, none is looked up.
    Defaults are expected to be filled in, see defaults.with_defaults.
    """
    return list(_flag(flag, others, cohorts))


def _flag(
    flag: Flag, others: Mapping[str, Flag] | None, cohorts: Mapping[str, str] | None
) -> Iterator[tuple[str, str]]:
    if not _KEY.fullmatch(flag.key):
        yield "key", f'a key has 1 to {LONGEST_KEY} characters: letters without accents, digits and "-_./:"'
    yield from _variants(flag)
    known = {variant.key for variant in flag.variants}
    if flag.variants and flag.off_variant not in known:
        yield "off_variant", f'there is no variant "{flag.off_variant}"'
    seen: set[str] = set()
    for index, rule in enumerate(flag.rules):
        path = f"rules[{index}]"
        if not rule.rule_id:
            yield f"{path}.rule_id", "a rule needs an id"
        elif rule.rule_id in seen:
            yield f"{path}.rule_id", f'another rule has the id "{rule.rule_id}"'
        seen.add(rule.rule_id)
        for position, condition in enumerate(rule.conditions):
            yield from condition_violations(condition, f"{path}.conditions[{position}]")
            if condition.attribute.startswith(f"{attributes.EVENT}."):
                yield f"{path}.conditions[{position}].attribute", "a flag has no event to look at"
            if cohorts is not None and condition.operator in operators.COHORTS:
                yield from _named_cohorts(condition, f"{path}.conditions[{position}]", cohorts)
        yield from _distribution(rule.distribution, f"{path}.distribution", known)
    if flag.fallthrough is not None:
        yield from _distribution(flag.fallthrough, "fallthrough", known)
    yield from _prerequisites(flag, others)


def _named_cohorts(condition: Condition, path: str, cohorts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    owner = condition.attribute.partition(".")[0]
    for index, cohort_key in enumerate(condition.values):
        members = cohorts.get(cohort_key) if isinstance(cohort_key, str) else owner
        if members is None:
            yield f"{path}.values[{index}]", f'there is no cohort "{cohort_key}"'
        elif members != owner:
            yield f"{path}.values[{index}]", f'cohort "{cohort_key}" is made of {members}: ask for {members}.key'


def _variants(flag: Flag) -> Iterator[tuple[str, str]]:
    if not flag.variants:
        yield "variants", "a flag needs at least one variant"
    seen: set[str] = set()
    for index, variant in enumerate(flag.variants):
        path = f"variants[{index}]"
        if not 1 <= len(variant.key) <= LONGEST_KEY:
            yield f"{path}.key", f"a variant's key has 1 to {LONGEST_KEY} characters"
        if variant.key in seen:
            yield f"{path}.key", f'another variant is named "{variant.key}"'
        seen.add(variant.key)
        if not _is_of(flag.type, variant.value) or not is_json(variant.value):
            yield f"{path}.value", f"a {flag.type} flag gives {_EXPECTED[flag.type]}, not {kind(variant.value)}"


def _is_of(type_: FlagType, value: Json) -> bool:
    match type_:
        case FlagType.BOOLEAN:
            return isinstance(value, bool)
        case FlagType.STRING:
            return isinstance(value, str)
        case FlagType.NUMBER:
            return is_number(value)
        case FlagType.JSON:
            return isinstance(value, Mapping) or is_list(value)


def _distribution(distribution: Distribution, path: str, known: set[str]) -> Iterator[tuple[str, str]]:
    attribute = attributes.bucketing_attribute(distribution.bucket_by)
    if attribute is None:
        yield (
            f"{path}.bucket_by",
            'give "user", a group type such as "company", or an attribute such as "company.region"',
        )
    elif attribute.owner == attributes.EVENT:
        yield f"{path}.bucket_by", "a flag has no event to look at"
    if not 0 <= distribution.rollout <= ROLLOUT_ALL:
        yield f"{path}.rollout", f"a rollout counts parts per 100,000: 0 to {ROLLOUT_ALL}"
    if distribution.ramp and distribution.rollout < ROLLOUT_ALL:
        yield f"{path}.rollout", "a ramp stands in place of a rollout: give one of them"
    for index, step in enumerate(distribution.ramp):
        if not 0 <= step.rollout <= ROLLOUT_ALL:
            yield f"{path}.ramp[{index}].rollout", f"a rollout counts parts per 100,000: 0 to {ROLLOUT_ALL}"
        if step.at.utcoffset() is None:
            yield f"{path}.ramp[{index}].at", "a moment needs its offset from UTC"
            return
    for index, (before, after) in enumerate(pairwise(distribution.ramp), 1):
        if after.at <= before.at:
            yield f"{path}.ramp[{index}].at", "the steps of a ramp are in order of time"
    yield from _weights(distribution, path, known)


def _weights(distribution: Distribution, path: str, known: set[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, weight in enumerate(distribution.weights):
        if weight.variant not in known:
            yield f"{path}.weights[{index}].variant", f'there is no variant "{weight.variant}"'
        if weight.variant in seen:
            yield f"{path}.weights[{index}].variant", f'"{weight.variant}" has a weight already'
        seen.add(weight.variant)
        if weight.weight < 0:
            yield f"{path}.weights[{index}].weight", "a weight is 0 or more"
    if sum(weight.weight for weight in distribution.weights) <= 0:
        yield f"{path}.weights", "at least one variant needs a weight above 0"


def _prerequisites(flag: Flag, others: Mapping[str, Flag] | None) -> Iterator[tuple[str, str]]:
    graph = {key: [each.flag_key for each in other.prerequisites] for key, other in (others or {}).items()}
    graph[flag.key] = []
    seen: set[str] = set()
    for index, prerequisite in enumerate(flag.prerequisites):
        path, key = f"prerequisites[{index}]", prerequisite.flag_key
        if key in seen:
            yield f"{path}.flag_key", f'"{key}" is a prerequisite already'
        seen.add(key)
        if not prerequisite.variants or "" in prerequisite.variants:
            yield f"{path}.variants", "name at least one variant that will do"
        if others is None:
            continue
        if key == flag.key:
            yield f"{path}.flag_key", "a flag cannot be its own prerequisite"
        elif key not in others:
            yield f"{path}.flag_key", f'there is no flag "{key}"'
        else:
            yield from _needed_variants(prerequisite.variants, others[key].variants, path)
            back = path_between(graph, key, flag.key)
            if back:
                yield f"{path}.flag_key", f"this closes a cycle: {' -> '.join([flag.key, *back])}"


def _needed_variants(wanted: Sequence[str], given: Sequence[Variant], path: str) -> Iterator[tuple[str, str]]:
    known = {variant.key for variant in given}
    for index, variant in enumerate(wanted):
        if variant not in known:
            yield f"{path}.variants[{index}]", f'that flag has no variant "{variant}"'
