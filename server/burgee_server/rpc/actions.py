"""ActionService."""

from functools import partial
from typing import Any

from burgee import wire
from burgee.v1 import actions_pb2 as pb
from burgee.v1 import actions_pb2_grpc
from burgee_server.actions import Actions
from burgee_server.ports.actions import Action, Matcher
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.changes import named, require_version
from burgee_server.rpc.paging import fill, page_size, page_token, read_page_token
from burgee_server.rpc.timestamps import timestamp

_key = partial(named, field="action_key")


class ActionServicer(actions_pb2_grpc.ActionServiceServicer):
    """Actions."""

    def __init__(self, actions: Actions, group_types: GroupTypes) -> None:
        self._actions = actions
        self._group_types = group_types

    async def CreateAction(self, request: pb.CreateActionRequest, _context: Any) -> pb.CreateActionResponse:
        """Create an action."""
        asked = request.action
        action = await self._actions.create(
            environment_id(),
            asked.key,
            asked.description,
            _matchers(asked),
            await self._group_types.known(environment_id()),
            principal().name,
            request.change_note,
        )
        return pb.CreateActionResponse(action=_write(action))

    async def UpdateAction(self, request: pb.UpdateActionRequest, _context: Any) -> pb.UpdateActionResponse:
        """Change an action."""
        require_version(request.expected_version)
        asked = request.action
        action = await self._actions.update(
            environment_id(),
            _key(asked.key, field="action.key"),
            asked.description,
            _matchers(asked),
            request.expected_version,
            await self._group_types.known(environment_id()),
            principal().name,
            request.change_note,
        )
        return pb.UpdateActionResponse(action=_write(action))

    async def GetAction(self, request: pb.GetActionRequest, _context: Any) -> pb.GetActionResponse:
        """One action."""
        return pb.GetActionResponse(action=_write(await self._actions.get(environment_id(), _key(request.action_key))))

    async def ListActions(self, request: pb.ListActionsRequest, _context: Any) -> pb.ListActionsResponse:
        """A page of actions."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, str)
        actions = await self._actions.page(environment_id(), after=position[0] if position else "", limit=limit)
        response = pb.ListActionsResponse()
        if (last := fill(response.actions, actions, limit, _write)) is not None:
            response.next_page_token = page_token(last.key)
        return response

    async def DeleteAction(self, request: pb.DeleteActionRequest, _context: Any) -> pb.DeleteActionResponse:
        """Take an action away."""
        await self._actions.delete(environment_id(), _key(request.action_key), principal().name, request.change_note)
        return pb.DeleteActionResponse()


def _matchers(action: pb.Action) -> list[Matcher]:
    return [
        Matcher(each.event, wire.filter_from_proto(each.filter, f"action.matchers[{index}].filter"))
        for index, each in enumerate(action.matchers)
    ]


def _write(action: Action) -> pb.Action:
    return pb.Action(
        key=action.key,
        description=action.description,
        matchers=[
            pb.EventMatcher(event=each.event, filter=None if each.filter is None else wire.filter_to_proto(each.filter))
            for each in action.matchers
        ],
        version=action.version,
        created_at=timestamp(action.created_at),
        updated_at=timestamp(action.updated_at),
    )
