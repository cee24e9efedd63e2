"""Attributes: what `user.plan`, `company.key` or `company.size` means in a context."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

from burgee.evaluation.model import USER, Context, Flag, Json, Profiles

Read: TypeAlias = Callable[[Context, Profiles], Json]
"""The value of an attribute. None: missing, or null, which counts as missing."""

ReadKey: TypeAlias = Callable[[Context, Profiles], str]
"""A bucketing key. Empty: the context has none."""

KEY = "key"
"""Stands where a property could: the distinct_id or the group key."""

EVENT = "event"
"""Stands where a group type could, in filters over events; a flag has no event to look at."""

_EXACT = 2**53


@dataclass(frozen=True, slots=True, order=True)
class Attribute:
    """`owner` is `user` or a group type, `name` is a property or `key`."""

    owner: str
    name: str


def parse(text: str) -> Attribute | None:
    """Split at the first dot, so that property names may have dots. None if either side is empty."""
    owner, _, name = text.partition(".")
    return Attribute(owner, name) if owner and name else None


def bucketing_attribute(bucket_by: str) -> Attribute | None:
    """What a distribution buckets by: `user` and `company` are short for `user.key` and `company.key`."""
    return parse(bucket_by) if "." in bucket_by else parse(f"{bucket_by}.{KEY}")


def read(flag: Flag) -> frozenset[Attribute]:
    """What a flag reads before it answers, keys and properties, without what its prerequisites do."""
    if flag.archived or not flag.enabled:
        return frozenset()
    draws = [rule.distribution for rule in flag.rules]
    if flag.fallthrough is not None:
        draws.append(flag.fallthrough)
    found = {parse(condition.attribute) for rule in flag.rules for condition in rule.conditions}
    found |= {bucketing_attribute(draw.bucket_by) for draw in draws}
    return frozenset(attribute for attribute in found if attribute is not None)


def reader(attribute: Attribute) -> Read:
    """How to read an attribute.

    What the caller passes overrides what is stored, one property at a time; a passed null hides a stored value.
    Without the group (or the distinct_id), or with an empty key for it, only what is passed counts.
    """
    owner, name = attribute.owner, attribute.name
    if name == KEY:
        return _user_key if owner == USER else lambda context, _profiles: context.groups.get(owner) or None
    if owner == USER:

        def read_user(context: Context, profiles: Profiles) -> Json:
            if name in context.properties:
                return context.properties[name]
            stored = profiles.get((USER, context.distinct_id)) if context.distinct_id else None
            return None if stored is None else stored.get(name)

        return read_user

    def read_group(context: Context, profiles: Profiles) -> Json:
        if context.group_properties:
            passed = context.group_properties.get(owner)
            if passed is not None and name in passed:
                return passed[name]
        key = context.groups.get(owner)
        stored = profiles.get((owner, key)) if key else None
        return None if stored is None else stored.get(name)

    return read_group


def key_reader(attribute: Attribute) -> ReadKey:
    """How to read a bucketing key: a key as it is, a property as the text that `key_text` makes of it."""
    if attribute.name != KEY:
        read = reader(attribute)
        return lambda context, profiles: key_text(read(context, profiles))
    owner = attribute.owner
    if owner == USER:
        return lambda context, _profiles: context.distinct_id
    return lambda context, _profiles: context.groups.get(owner, "")


def key_text(value: Json) -> str:
    """The text under which a value is hashed, the same wherever the value came from.

    Text as it is; true and false as "true" and "false"; whole numbers below 2**53 in digits, so that 5 and 5.0 are
    one key; other numbers as the shortest text that reads back as the same double. Anything else is no key: "".
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            try:
                number = float(value)
            except OverflowError:
                return ""
            if not isfinite(number):
                return ""
            return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)
        case _:
            return ""


def _user_key(context: Context, _profiles: Profiles) -> Json:
    return context.distinct_id or None
