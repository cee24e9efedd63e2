"""One exposure, and the event that tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from uuid import UUID

from burgee.context import MAX_NAME
from burgee.evaluation.model import USER, Resolution
from burgee.events import encode_event

EVENT = "$feature_flag_called"
"""The event and its properties are named as PostHog names them, where it has a name."""

WINDOW_SECONDS = 3_600
"""Hours of the clock, UTC: the finest interval of a trend, so that each of its columns has everybody exposed in it."""

_NO_TYPES = frozenset({USER, "event"})


@dataclass(frozen=True, slots=True)
class Exposure:
    """At a Unix time, this was given to a unit: the bucketing key, or what `other_unit` says."""

    at: float
    resolution: Resolution
    unit: str
    distinct_id: str
    groups: Mapping[str, str | None]


def other_unit(bucket_by: str, distinct_id: str, groups: Mapping[str, str | None]) -> str:
    """What counts as one where a check lacks the key that the flag draws by, or the flag draws by a property.

    The owner of the property, else the user, else the first group by its type; empty if there is nobody at all.
    """
    owner = bucket_by.partition(".")[0]
    if key := groups.get(owner):
        return f"{owner}\0{key}"
    if distinct_id:
        return f"{USER}\0{distinct_id}"
    return next((f"{group_type}\0{key}" for group_type, key in sorted(groups.items()) if key), "")


def encode_exposure(exposure: Exposure) -> bytes | None:
    """The event, as encode_event writes it, and one that the server takes; None if there is nobody to put it down to.

    Its uuid says what happened and not where: of all processes that tell of it, the server counts one.
    """
    given = exposure.resolution
    groups = {name: key for name, key in exposure.groups.items() if key and _is_type(name) and _is_name(key)}
    distinct_id = exposure.distinct_id if _is_name(exposure.distinct_id) else _stand_in(given.bucket_by, groups)
    if not distinct_id:
        return None
    properties = {
        "$feature_flag": given.flag_key,
        "$feature_flag_response": given.variant,
        "$feature_flag_reason": given.reason,
        "$feature_flag_version": given.flag_version,
        "$feature_flag_bucket_by": given.bucket_by,
    }
    if given.rule_id:
        properties["$feature_flag_rule_id"] = given.rule_id
    hour = int(exposure.at // WINDOW_SECONDS)
    identity = "\0".join((given.flag_key, given.variant, given.bucket_by, exposure.unit, str(hour)))
    digest = sha1(identity.encode(), usedforsecurity=False).digest()
    return encode_event(EVENT, distinct_id, properties, groups, exposure.at, UUID(bytes=digest[:16], version=5))


def _stand_in(bucket_by: str, groups: Mapping[str, str]) -> str:
    """Who it was, where only groups are named: as PostHog's libraries have it, `$company_acme`."""
    owner = bucket_by.partition(".")[0]
    group_type = owner if owner in groups else min(groups, default="")
    return f"${group_type}_{groups[group_type]}"[:MAX_NAME] if group_type else ""


def _is_name(text: str) -> bool:
    """Whether the server takes it as an id or a key."""
    if not 0 < len(text) <= MAX_NAME or text.isspace():
        return False
    return text.isprintable() or not any(character < " " or character == "\x7f" for character in text)


def _is_type(text: str) -> bool:
    """Whether the server takes it as a group type."""
    return _is_name(text) and "." not in text and text not in _NO_TYPES
