"""FlagAdminService."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flag_admin_pb2_grpc, flags_pb2
from burgee_server.access import Administration
from burgee_server.errors import Invalid
from burgee_server.flags import Lifecycle, Past, Previews
from burgee_server.names import group_type_fault, require
from burgee_server.ports.flags import FlagChange, FlagVersion
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.changes import named, require_version
from burgee_server.rpc.paging import fill, page_size, page_token, read_page_token
from burgee_server.rpc.previews import PARTS, changes_to_proto, part_to_proto, totals_to_proto
from burgee_server.rpc.timestamps import read_timestamp, timestamp

_key = partial(named, field="flag_key")


class FlagAdminServicer(flag_admin_pb2_grpc.FlagAdminServiceServicer):
    """Flags and their versions."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        previews: Previews,
        past: Past,
        administration: Administration,
        group_types: GroupTypes,
    ) -> None:
        self._lifecycle = lifecycle
        self._previews = previews
        self._past = past
        self._administration = administration
        self._group_types = group_types

    async def CreateFlag(self, request: pb.CreateFlagRequest, _context: Any) -> pb.CreateFlagResponse:
        """Create a flag."""
        version = await self._lifecycle.create(
            environment_id(), wire.flag_from_proto(request.flag), principal().name, request.change_note
        )
        return pb.CreateFlagResponse(flag=_write(version))

    async def UpdateFlag(self, request: pb.UpdateFlagRequest, _context: Any) -> pb.UpdateFlagResponse:
        """Change a flag."""
        require_version(request.expected_version)
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
        response = pb.ListFlagsResponse()
        if (last := fill(response.flags, versions, limit, _write)) is not None:
            response.next_page_token = page_token(last.flag.key)
        return response

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
        if (last := fill(response.versions, versions, limit, _write_version)) is not None:
            response.next_page_token = page_token(last[0].flag.version)
        return response

    async def DisableFlag(self, request: pb.DisableFlagRequest, _context: Any) -> pb.DisableFlagResponse:
        """Switch a flag off."""
        return pb.DisableFlagResponse(flag=await self._enable(request.flag_key, request.change_note, enabled=False))

    async def EnableFlag(self, request: pb.EnableFlagRequest, _context: Any) -> pb.EnableFlagResponse:
        """Switch a flag on."""
        return pb.EnableFlagResponse(flag=await self._enable(request.flag_key, request.change_note, enabled=True))

    async def RestoreFlagVersion(
        self, request: pb.RestoreFlagVersionRequest, _context: Any
    ) -> pb.RestoreFlagVersionResponse:
        """Go back to a version."""
        if request.version < 1:
            raise Invalid.of("version", "must be 1 or more")
        version = await self._lifecycle.restore(
            environment_id(), _key(request.flag_key), request.version, principal().name, request.change_note
        )
        return pb.RestoreFlagVersionResponse(flag=_write(version))

    async def CopyFlags(self, request: pb.CopyFlagsRequest, _context: Any) -> pb.CopyFlagsResponse:
        """Copy flags from another environment of the project."""
        source = await self._administration.sibling(principal(), request.from_environment)
        plan = await self._lifecycle.copy(
            environment_id(),
            source.environment_id,
            request.flag_keys,
            overwrite=request.overwrite,
            actor=principal().name,
            note=request.change_note or f"copied from {source.key}",
        )
        return pb.CopyFlagsResponse(created=plan.created, updated=plan.updated, skipped=plan.skipped)

    async def PreviewFlag(self, request: pb.PreviewFlagRequest, _context: Any) -> AsyncIterator[pb.PreviewFlagResponse]:
        """What a change would do."""
        if request.group_type not in ("", USER):
            require("group_type", group_type_fault(request.group_type))
            await self._group_types.require(environment_id(), "group_type", request.group_type)
        preview = await self._previews.begin(
            environment_id(), wire.flag_from_proto(request.flag), request.group_type, request.breakdown_property
        )
        async for changes in preview.changes():
            yield changes_to_proto(changes)
        parts = preview.parts()
        for first in range(0, len(parts), PARTS):
            yield pb.PreviewFlagResponse(parts=map(part_to_proto, parts[first : first + PARTS]))
        yield totals_to_proto(preview)

    async def EvaluateAt(self, request: pb.EvaluateAtRequest, _context: Any) -> pb.EvaluateAtResponse:
        """What a flag would have given."""
        explanation = wire.explanation_to_proto(
            await self._past.explain(
                environment_id(),
                _key(request.flag_key),
                wire.context_from_proto(request.context),
                read_timestamp(request.as_of, "as_of"),
            )
        )
        return pb.EvaluateAtResponse(resolution=explanation.resolution, explanation=explanation)

    async def _enable(self, flag_key: str, note: str, *, enabled: bool) -> flags_pb2.Flag:
        version = await self._lifecycle.enable(
            environment_id(), _key(flag_key), enabled=enabled, actor=principal().name, note=note
        )
        return _write(version)


def _write(version: FlagVersion) -> flags_pb2.Flag:
    flag = wire.flag_to_proto(version.flag)
    flag.created_at.FromDatetime(version.created_at)
    flag.updated_at.FromDatetime(version.changed_at)
    return flag


def _write_version(told: tuple[FlagVersion, Sequence[FlagChange]]) -> pb.FlagVersion:
    version, changes = told
    return pb.FlagVersion(
        flag=_write(version),
        changed_by=version.changed_by,
        change_note=version.change_note,
        changed_at=timestamp(version.changed_at),
        changes=[pb.FlagChange(path=each.path, before=each.before, after=each.after) for each in changes],
    )
