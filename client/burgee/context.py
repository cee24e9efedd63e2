"""Whom a check is for, read in the client as the server would read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from burgee.evaluation.model import Context, Properties
from burgee.events import plain_properties
from burgee.v1.flags_pb2 import EvaluationContext
from burgee.wire import WireError, context_from_proto, context_to_proto

MAX_CONTEXT_BYTES = 65_536
MAX_NAME = 200
"""What the server takes: the size of a context as a message, and the characters of an id, a group type and a key."""

_NONE: Properties = MappingProxyType({})
_NO_GROUPS: Mapping[str, Properties] = MappingProxyType({})
_EXACT = 2**53
_OVERHEAD = 24
"""A property, or a group, takes no more bytes than this beside its texts."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Whom a check is for, as the caller gave it and before anybody looked at it."""

    distinct_id: str
    groups: Mapping[str, str | None] | None
    group_keys: Mapping[str, str | None]
    properties: Properties | None
    group_properties: Mapping[str, Properties] | None

    def message(self) -> EvaluationContext:
        """The context, as the server is asked for it; a group key of None is no group.

        Raises WireError for what the server would refuse, and whatever else there is to raise.
        """
        named = {**self.groups, **self.group_keys} if self.groups else self.group_keys
        context = Context(
            self.distinct_id,
            {group_type: key for group_type, key in named.items() if key is not None},
            plain_properties(self.properties) if self.properties else {},
            {group_type: plain_properties(each) for group_type, each in (self.group_properties or {}).items()},
        )
        message = context_to_proto(context)
        if message.ByteSize() > MAX_CONTEXT_BYTES:
            raise WireError("context", f"must be at most {MAX_CONTEXT_BYTES:,} bytes, got {message.ByteSize():,}")
        if len(self.distinct_id) > MAX_NAME:
            raise WireError("distinct_id", f"must be at most {MAX_NAME} characters")
        for group_type, key in context.groups.items():
            if len(group_type) > MAX_NAME or len(key) > MAX_NAME:
                raise WireError(f"groups[{group_type[:MAX_NAME]}]", f"must be at most {MAX_NAME} characters")
        return message

    def context(self) -> Context:
        """The context, as the server would read it. Raises like `message`."""
        return context_from_proto(self.message())


def plain_context(
    distinct_id: str,
    group_keys: Mapping[str, str | None],
    properties: Properties | None,
    group_properties: Mapping[str, Properties] | None,
) -> Context | None:
    """The same in a tenth of the time, for what the journey to the server would leave as it is; None for the rest.

    Nothing is copied: evaluate before the caller goes on. Raises whatever a hostile argument raises.
    """
    if not is_plain_id(distinct_id):
        return None
    size = MAX_NAME
    for name, key in group_keys.items():
        if key.__class__ is not str or not key.isascii() or not name.isascii():
            return None
        if (length := len(name) + len(key)) > MAX_NAME:  # together: what is longer is rare, and looked at elsewhere
            return None
        size += length + _OVERHEAD
    if properties is not None:
        size += _plain_size(properties)
    if group_properties is not None:
        if group_properties.__class__ is not dict:
            return None
        for name, each in group_properties.items():
            if name.__class__ is not str or not name.isascii():
                return None
            size += _plain_size(each) + len(name) + _OVERHEAD
    if size > MAX_CONTEXT_BYTES:
        return None
    keys = cast("Mapping[str, str]", group_keys)
    return Context(distinct_id, keys, properties or _NONE, group_properties or _NO_GROUPS)


def is_plain_id(distinct_id: str) -> bool:
    """Whether plain_context takes it."""
    return distinct_id.__class__ is str and distinct_id.isascii() and len(distinct_id) <= MAX_NAME


def _plain_size(properties: Properties) -> int:
    """How many bytes they take at most as a message; more than any message may, unless they are plain.

    Plain are ASCII text, truth values, and whole numbers that a double holds exactly.
    """
    if properties.__class__ is not dict:
        return MAX_CONTEXT_BYTES
    size = 0
    for name, value in properties.items():
        if name.__class__ is not str or not name.isascii():
            return MAX_CONTEXT_BYTES
        size += len(name) + _OVERHEAD
        kind = value.__class__
        if kind is str:
            if not value.isascii():
                return MAX_CONTEXT_BYTES
            size += len(value)
        elif kind is int:
            if not -_EXACT < value < _EXACT:
                return MAX_CONTEXT_BYTES
        elif kind is not bool:
            return MAX_CONTEXT_BYTES
    return size
