"""A change of a person's or a group's properties as it goes over the wire: checked and written out at once."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from burgee.events import check_name, plain_properties
from burgee.v1.profiles_pb2 import (
    AliasPersonRequest,
    GroupName,
    IdentifyGroupRequest,
    IdentifyPersonRequest,
    PropertyChange,
)
from burgee.wire import properties_to_struct

Change: TypeAlias = IdentifyPersonRequest | IdentifyGroupRequest | AliasPersonRequest
"""What may be changed of profiles."""

_MAX_CHANGE_BYTES = 1 << 20


def person_change(
    distinct_id: str,
    set_: Mapping[str, Any] | None,
    set_once: Mapping[str, Any] | None,
    unset: Iterable[str],
) -> IdentifyPersonRequest:
    """What Client.identify sends. Raises ValueError, TypeError or whatever a hostile property raises."""
    check_name("distinct_id", distinct_id)
    return IdentifyPersonRequest(distinct_id=distinct_id, change=_change(set_, set_once, unset))


def alias_change(distinct_id: str, alias: str) -> AliasPersonRequest:
    """What Client.alias sends. Raises ValueError or TypeError."""
    check_name("distinct_id", distinct_id)
    check_name("alias", alias)
    return AliasPersonRequest(distinct_id=distinct_id, alias=alias)


def group_change(
    group_type: str,
    group_key: str,
    set_: Mapping[str, Any] | None,
    set_once: Mapping[str, Any] | None,
    unset: Iterable[str],
    parent: tuple[str, str] | None = None,
) -> IdentifyGroupRequest:
    """What Client.group sends. Raises like person_change."""
    check_name("group_type", group_type)
    check_name("group_key", group_key)
    return IdentifyGroupRequest(
        group_type=group_type,
        group_key=group_key,
        change=_change(set_, set_once, unset),
        parent=None if parent is None else _parent(*parent),
    )


def _parent(group_type: str, group_key: str) -> GroupName:
    check_name("parent.group_type", group_type)
    check_name("parent.group_key", group_key)
    return GroupName(group_type=group_type, group_key=group_key)


def _change(set_: Mapping[str, Any] | None, set_once: Mapping[str, Any] | None, unset: Iterable[str]) -> PropertyChange:
    if isinstance(unset, str):
        raise TypeError("unset: a list of names is needed")
    change = PropertyChange(
        set=properties_to_struct(plain_properties(set_)) if set_ else None,
        set_once=properties_to_struct(plain_properties(set_once)) if set_once else None,
        unset=unset,
    )
    if change.ByteSize() > _MAX_CHANGE_BYTES:
        raise ValueError(f"the change takes {change.ByteSize()} bytes; at most {_MAX_CHANGE_BYTES} are possible")
    return change
