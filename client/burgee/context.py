"""Whom a check is for, read in the client as the server would read it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from burgee.evaluation.model import Context, Properties
from burgee.remote import Asker
from burgee.wire import context_from_proto, context_to_proto

_NONE: Properties = MappingProxyType({})
_NO_GROUPS: Mapping[str, Properties] = MappingProxyType({})
_EXACT = 2**53


def asked_context(asker: Asker) -> Context:
    """What the server would make of it. Raises whatever there is to raise."""
    keys = {**asker.groups, **asker.group_keys} if asker.groups else asker.group_keys
    plain = plain_context(asker.distinct_id, keys, asker.properties, asker.group_properties)
    return context_from_proto(context_to_proto(asker.context())) if plain is None else plain


def plain_context(
    distinct_id: str,
    group_keys: Mapping[str, str | None],
    properties: Properties | None,
    group_properties: Mapping[str, Properties] | None,
) -> Context | None:
    """The same in a tenth of the time, for what the journey to the server would leave as it is; None for the rest.

    Nothing is copied: evaluate before the caller goes on. Raises whatever a hostile argument raises.
    """
    if distinct_id.__class__ is not str or not distinct_id.isascii():
        return None
    for name, key in group_keys.items():
        if key.__class__ is not str or not key.isascii() or not name.isascii():
            return None
    if properties is not None and not _is_plain(properties):
        return None
    if group_properties is not None:
        if group_properties.__class__ is not dict:
            return None
        for name, each in group_properties.items():
            if name.__class__ is not str or not name.isascii() or not _is_plain(each):
                return None
    keys = cast("Mapping[str, str]", group_keys)
    return Context(distinct_id, keys, properties or _NONE, group_properties or _NO_GROUPS)


def _is_plain(properties: Properties) -> bool:
    """Whether there is nothing but ASCII text, truth values, and whole numbers that a double holds exactly."""
    if properties.__class__ is not dict:
        return False
    for name, value in properties.items():
        if name.__class__ is not str or not name.isascii():
            return False
        kind = value.__class__
        if kind is str:
            if not value.isascii():
                return False
        elif kind is int:
            if not -_EXACT < value < _EXACT:
                return False
        elif kind is not bool:
            return False
    return True
