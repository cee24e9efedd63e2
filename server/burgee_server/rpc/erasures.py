"""The part of ProfileService that removes persons and groups."""

from typing import Any

from burgee.v1 import profiles_pb2 as pb
from burgee.v1 import profiles_pb2_grpc
from burgee_server.erasure import Erasures
from burgee_server.ports.erasures import Erasure, ErasureState
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.paging import page_size, page_token, read_page_token
from burgee_server.rpc.timestamps import timestamp

_STATES = {
    ErasureState.WAITING: pb.ERASURE_STATE_WAITING,
    ErasureState.ERASING: pb.ERASURE_STATE_ERASING,
    ErasureState.DONE: pb.ERASURE_STATE_DONE,
}


class ErasureCalls(profiles_pb2_grpc.ProfileServiceServicer):
    """Removals, and how far they are."""

    def __init__(self, erasures: Erasures, group_types: GroupTypes) -> None:
        self._erasures = erasures
        self._group_types = group_types

    async def DeletePerson(self, request: pb.DeletePersonRequest, _context: Any) -> pb.DeletePersonResponse:
        """Remove a person."""
        erasure = await self._erasures.delete_person(environment_id(), request.distinct_id, principal().name)
        return pb.DeletePersonResponse(erasure=_erasure(erasure))

    async def DeleteGroup(self, request: pb.DeleteGroupRequest, _context: Any) -> pb.DeleteGroupResponse:
        """Remove a group."""
        await self._group_types.require(environment_id(), "group_type", request.group_type)
        erasure = await self._erasures.delete_group(
            environment_id(), request.group_type, request.group_key, principal().name
        )
        return pb.DeleteGroupResponse(erasure=_erasure(erasure))

    async def GetErasure(self, request: pb.GetErasureRequest, _context: Any) -> pb.GetErasureResponse:
        """One removal."""
        erasure = await self._erasures.get(environment_id(), request.erasure_id)
        return pb.GetErasureResponse(erasure=_erasure(erasure))

    async def ListErasures(self, request: pb.ListErasuresRequest, _context: Any) -> pb.ListErasuresResponse:
        """A page of removals."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, int)
        before = position[0] if position else None
        erasures = await self._erasures.page(environment_id(), before=before, limit=limit)
        response = pb.ListErasuresResponse(erasures=map(_erasure, erasures))
        if len(erasures) == limit:
            response.next_page_token = page_token(erasures[-1].revision)
        return response


def _erasure(erasure: Erasure) -> pb.Erasure:
    return pb.Erasure(
        erasure_id=erasure.erasure_id,
        group_type=erasure.group_type,
        key=erasure.key,
        key_sha256=erasure.key_sha256,
        state=_STATES[erasure.state],
        requested_at=timestamp(erasure.requested_at),
        done_at=timestamp(erasure.done_at),
        events=erasure.events,
    )
