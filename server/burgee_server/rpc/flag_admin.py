"""FlagAdminService."""

from typing import Any

from burgee import wire
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flag_admin_pb2_grpc, flags_pb2
from burgee_server.errors import Invalid
from burgee_server.flags import Lifecycle
from burgee_server.ports.flags import FlagVersion
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.paging import page_size, page_token, read_page_token
from burgee_server.rpc.timestamps import timestamp


class FlagAdminServicer(flag_admin_pb2_grpc.FlagAdminServiceServicer):
    """Flags and their versions."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    async def CreateFlag(self, request: pb.CreateFlagRequest, _context: Any) -> pb.CreateFlagResponse:
        """Create a flag."""
        version = await self._lifecycle.create(
            environment_id(), wire.flag_from_proto(request.flag), principal().name, request.change_note
        )
        return pb.CreateFlagResponse(flag=_write(version))

    async def UpdateFlag(self, request: pb.UpdateFlagRequest, _context: Any) -> pb.UpdateFlagResponse:
        """Change a flag."""
        if request.expected_version < 0:
            raise Invalid.of("expected_version", "must be 0 or the version that the change was made from")
        version = await self._lifecycle.update(
            environment_id(),
            wire.flag_from_proto(request.flag),
            request.expected_version,
            principal().name,
            request.change_note,
        )
        return pb.UpdateFlagResponse(flag=_write(version))

    async def GetFlag(self, request: pb.GetFlagRequest, _context: Any) -> pb.GetFlagResponse:
        """One flag."""
        version = await self._lifecycle.get(environment_id(), _key(request.flag_key))
        return pb.GetFlagResponse(flag=_write(version))

    async def ListFlags(self, request: pb.ListFlagsRequest, _context: Any) -> pb.ListFlagsResponse:
        """A page of flags."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, str)
        versions = await self._lifecycle.page(
            environment_id(),
            after=position[0] if position else "",
            limit=limit,
            include_archived=request.include_archived,
        )
        token = page_token(versions[-1].flag.key) if len(versions) == limit else ""
        return pb.ListFlagsResponse(flags=map(_write, versions), next_page_token=token)

    async def ArchiveFlag(self, request: pb.ArchiveFlagRequest, _context: Any) -> pb.ArchiveFlagResponse:
        """Take a flag out of use."""
        version = await self._lifecycle.archive(
            environment_id(), _key(request.flag_key), principal().name, request.change_note
        )
        return pb.ArchiveFlagResponse(flag=_write(version))

    async def ListFlagVersions(self, request: pb.ListFlagVersionsRequest, _context: Any) -> pb.ListFlagVersionsResponse:
        """A page of a flag's versions."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, int)
        versions = await self._lifecycle.versions(
            environment_id(), _key(request.flag_key), before=position[0] if position else None, limit=limit
        )
        response = pb.ListFlagVersionsResponse()
        for version in versions:
            response.versions.add(
                flag=_write(version),
                changed_by=version.changed_by,
                change_note=version.change_note,
                changed_at=timestamp(version.changed_at),
            )
        if len(versions) == limit:
            response.next_page_token = page_token(versions[-1].flag.version)
        return response


def _key(flag_key: str) -> str:
    if not flag_key:
        raise Invalid.of("flag_key", "must not be empty")
    return flag_key


def _write(version: FlagVersion) -> flags_pb2.Flag:
    flag = wire.flag_to_proto(version.flag)
    flag.created_at.FromDatetime(version.created_at)
    flag.updated_at.FromDatetime(version.changed_at)
    return flag
