"""What saved insights are shown to whom: a caller who may not see all asks of one group, what is shown to its type."""

from typing import Any

from burgee_server.access import Principal
from burgee_server.errors import Denied, Invalid, NotFound
from burgee_server.insights import SavedInsights
from burgee_server.ports.saved import SavedInsight


def take_own_group(request: Any, caller: Principal) -> None:
    """Write into a request that asks saved insights of which group its caller's key is, if it is of one.

    Raises Invalid if a caller who has to names none; Denied for any other group than the key's own. Whatever is asked:
    neither tells which insights there are.
    """
    if caller.reads_all:
        return
    if caller.group_key:
        if request.group_type not in ("", caller.group_type) or request.group_key not in ("", caller.group_key):
            raise Denied(f"API key {caller.name!r} asks of {caller.group_type} {caller.group_key!r}, and of no other")
        request.group_type, request.group_key = caller.group_type, caller.group_key
    if not request.group_key:
        raise Invalid.of("group_key", f"must not be empty: API key {caller.name!r} asks of one group at a time")


def is_shown(saved: SavedInsight, group_type: str, caller: Principal) -> bool:
    """Whether a caller may ask this of a group of that type; empty: of the type that the insight is shown to."""
    shown_to = saved.contents.shown_to
    return caller.reads_all or (bool(shown_to) and group_type in ("", shown_to))


async def shown(insights: SavedInsights, key: str, group_type: str, caller: Principal) -> SavedInsight:
    """The insight of a key. Raises NotFound, which does not tell one that is not shown from one that is not there."""
    saved: SavedInsight | None = None
    try:
        saved = await insights.get(caller.environment_id, key)
    except NotFound:
        if caller.reads_all:
            raise
    if saved is None or not is_shown(saved, group_type, caller):
        to = f"a {group_type}" if group_type else "groups"
        raise NotFound(f"no insight {key!r} that is shown to {to}")
    return saved
