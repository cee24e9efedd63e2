"""A flag as it is beside the flag as it would be."""

from collections.abc import Mapping
from dataclasses import dataclass

from burgee.evaluation import ROLLOUT_ALL, USER, Distribution, Flag, FlagSet, Link, ParentTypes, links_of

DEFAULT_TYPE = "company"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A flag as it is, if it is, and as it would be, among the flags that either needs; ready to be asked."""

    flag_key: str
    group_type: str
    """Whose context the flags are asked with: a group type, or `user`."""
    before: FlagSet
    after: FlagSet
    variants: tuple[str, ...]
    """Those of either."""
    unknown_attributes: tuple[str, ...]
    """What either reads and a group of this type alone, with those above it, does not have."""
    links: tuple[Link, ...]
    """The steps up from this type to those above it that either reads."""
    cohorts: frozenset[tuple[str, str]]
    """The cohorts, of groups of this type and of those above it, that either asks for, each with its type."""


def compare(flag: Flag, flags: Mapping[str, Flag], group_type: str, parent_types: ParentTypes) -> Comparison:
    """Compile a flag that can be evaluated, and the one among `flags` whose place it would take."""
    current = flags.get(flag.key)
    group_type = group_type or type_looked_at(flag)
    after = _closure(flag, flags)
    before = _closure(current, flags) if current is not None else []
    read = {attribute for each in (*before, *after) for attribute in _attributes(each)}
    kept = [] if current is None else [variant.key for variant in current.variants]
    flags_before, flags_after = FlagSet(before, parent_types), FlagSet(after, parent_types)
    needed = {*flags_before.links, *flags_after.links}
    links, types = list[Link](), {group_type}
    for link in links_of(parent_types):
        if link in needed and link.child in types:
            links.append(link)
            types.add(link.parent)
    return Comparison(
        flag.key,
        group_type,
        flags_before,
        flags_after,
        tuple(dict.fromkeys([*kept, *(variant.key for variant in flag.variants)])),
        tuple(sorted(attribute for attribute in read if _owner(attribute) not in types)),
        tuple(links),
        frozenset(each for each in flags_before.cohorts | flags_after.cohorts if each[0] in types),
    )


def type_looked_at(flag: Flag) -> str:
    """The type that the first rule draws by or has a condition on; `user` comes last. Without rules, company."""
    if not flag.rules:
        return DEFAULT_TYPE
    rule = flag.rules[0]
    owners = [_owner(rule.distribution.bucket_by), *(_owner(each.attribute) for each in rule.conditions)]
    return next((owner for owner in owners if owner != USER), USER)


def types_read(flag: Flag) -> set[str]:
    """The types of those whom a flag draws by or asks about."""
    return {_owner(attribute) for attribute in _attributes(flag)}


def _closure(flag: Flag, flags: Mapping[str, Flag]) -> list[Flag]:
    """The flag and all that it needs, as far as they exist."""
    found = {flag.key: flag}
    reached = [flag]
    for each in reached:
        for needed in each.prerequisites:
            if needed.flag_key in flags and needed.flag_key not in found:
                found[needed.flag_key] = flags[needed.flag_key]
                reached.append(flags[needed.flag_key])
    return list(found.values())


def _attributes(flag: Flag) -> set[str]:
    """What a flag reads that differs from one context to the next, as its author wrote it."""
    fallthrough = [] if flag.fallthrough is None else [flag.fallthrough]
    drawn = [
        distribution.bucket_by
        for distribution in (*(rule.distribution for rule in flag.rules), *fallthrough)
        if distribution.bucket_by != USER or len(distribution.weights) > 1 or _is_partial(distribution)
    ]
    return {*drawn, *(condition.attribute for rule in flag.rules for condition in rule.conditions)}


def _is_partial(distribution: Distribution) -> bool:
    return bool(distribution.ramp) or distribution.rollout < ROLLOUT_ALL


def _owner(attribute: str) -> str:
    return attribute.partition(".")[0]
