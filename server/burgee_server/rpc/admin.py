"""AdminService."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from burgee.v1 import admin_pb2 as pb
from burgee.v1 import admin_pb2_grpc
from burgee_server.access import Administration
from burgee_server.errors import Invalid
from burgee_server.findings import Finding, State
from burgee_server.ports.access import ApiKey, AuditEntry, Environment, Project, Role
from burgee_server.ports.backups import Backups
from burgee_server.rpc.call import principal
from burgee_server.rpc.paging import fill, page_size, page_token, read_page_token
from burgee_server.rpc.timestamps import timestamp

_ROLES = {
    pb.KEY_ROLE_SERVICE: Role.SERVICE,
    pb.KEY_ROLE_READER: Role.READER,
    pb.KEY_ROLE_ADMIN: Role.ADMIN,
    pb.KEY_ROLE_OPERATOR: Role.OPERATOR,
    pb.KEY_ROLE_PORTAL: Role.PORTAL,
}
_STATES = {
    State.OK: pb.FINDING_STATE_OK,
    State.WARNING: pb.FINDING_STATE_WARNING,
    State.WRONG: pb.FINDING_STATE_WRONG,
}
_ROLES_ON_WIRE = {role: number for number, role in _ROLES.items()}


class AdminServicer(admin_pb2_grpc.AdminServiceServicer):
    """Projects, environments, keys, audit log."""

    def __init__(
        self, administration: Administration, backups: Backups, examine: Callable[[], Iterable[Finding]], version: str
    ) -> None:
        self._administration = administration
        self._backups = backups
        self._examine = examine
        self._version = version

    async def CreateProject(self, request: pb.CreateProjectRequest, _context: Any) -> pb.CreateProjectResponse:
        """Create a project."""
        project = await self._administration.create_project(principal(), request.key, request.name)
        return pb.CreateProjectResponse(project=_project(project))

    async def ListProjects(self, _request: pb.ListProjectsRequest, _context: Any) -> pb.ListProjectsResponse:
        """List projects."""
        projects = await self._administration.projects(principal())
        return pb.ListProjectsResponse(projects=map(_project, projects))

    async def CreateEnvironment(
        self, request: pb.CreateEnvironmentRequest, _context: Any
    ) -> pb.CreateEnvironmentResponse:
        """Create an environment."""
        environment = await self._administration.create_environment(principal(), request.project_key, request.key)
        return pb.CreateEnvironmentResponse(environment=_environment(environment))

    async def ListEnvironments(self, request: pb.ListEnvironmentsRequest, _context: Any) -> pb.ListEnvironmentsResponse:
        """List environments."""
        environments = await self._administration.environments(principal(), request.project_key)
        return pb.ListEnvironmentsResponse(environments=map(_environment, environments))

    async def UpdateEnvironment(
        self, request: pb.UpdateEnvironmentRequest, _context: Any
    ) -> pb.UpdateEnvironmentResponse:
        """Change an environment."""
        days = request.retention_days if request.HasField("retention_days") else None
        internal = request.internal_cohort_key if request.HasField("internal_cohort_key") else None
        environment = await self._administration.update_environment(
            principal(), request.project_key, request.key, days, internal
        )
        return pb.UpdateEnvironmentResponse(environment=_environment(environment))

    async def CreateApiKey(self, request: pb.CreateApiKeyRequest, _context: Any) -> pb.CreateApiKeyResponse:
        """Create a key."""
        role = _ROLES.get(request.role)
        if role is None:
            raise Invalid.of("role", "must be one of SERVICE, READER, ADMIN, OPERATOR, PORTAL")
        key, secret = await self._administration.create_api_key(
            principal(),
            request.project_key,
            request.environment_key,
            request.name,
            role,
            request.events_per_second,
            request.queries_at_a_time,
            request.group_type,
            request.group_key,
        )
        return pb.CreateApiKeyResponse(api_key=_api_key(key), secret=secret)

    async def ListApiKeys(self, request: pb.ListApiKeysRequest, _context: Any) -> pb.ListApiKeysResponse:
        """List keys."""
        keys = await self._administration.api_keys(principal(), request.project_key)
        return pb.ListApiKeysResponse(api_keys=map(_api_key, keys))

    async def UpdateApiKey(self, request: pb.UpdateApiKeyRequest, _context: Any) -> pb.UpdateApiKeyResponse:
        """Change a key."""
        events = request.events_per_second if request.HasField("events_per_second") else None
        queries = request.queries_at_a_time if request.HasField("queries_at_a_time") else None
        key = await self._administration.update_api_key(principal(), request.api_key_id, events, queries)
        return pb.UpdateApiKeyResponse(api_key=_api_key(key))

    async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest, _context: Any) -> pb.RevokeApiKeyResponse:
        """End a key."""
        key = await self._administration.revoke_api_key(principal(), request.api_key_id)
        return pb.RevokeApiKeyResponse(api_key=_api_key(key))

    async def ListAuditEntries(self, request: pb.ListAuditEntriesRequest, _context: Any) -> pb.ListAuditEntriesResponse:
        """List what was changed."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, int)
        before = position[0] if position else None
        entries = await self._administration.audit_entries(principal(), before=before, limit=limit)
        response = pb.ListAuditEntriesResponse()
        if (last := fill(response.entries, entries, limit, _audit_entry)) is not None:
            response.next_page_token = page_token(last.entry_id)
        return response

    async def CreateBackup(self, request: pb.CreateBackupRequest, _context: Any) -> pb.CreateBackupResponse:
        """Copy everything."""
        backup = await self._backups.make(request.name)
        return pb.CreateBackupResponse(path=backup.path, bytes=backup.bytes)

    async def Diagnose(self, _request: pb.DiagnoseRequest, _context: Any) -> pb.DiagnoseResponse:
        """Look at everything that the server needs."""
        found = await asyncio.to_thread(lambda: list(self._examine()))
        response = pb.DiagnoseResponse(version=self._version)
        for each in found:
            response.findings.add(subject=each.subject, state=_STATES[each.state], found=each.found, advice=each.advice)
        return response


def _project(project: Project) -> pb.Project:
    return pb.Project(key=project.key, name=project.name, created_at=timestamp(project.created_at))


def _environment(environment: Environment) -> pb.Environment:
    return pb.Environment(
        project_key=environment.project_key,
        key=environment.key,
        created_at=timestamp(environment.created_at),
        retention_days=environment.retention_days,
        internal_cohort_key=environment.internal_cohort_key,
    )


def _api_key(key: ApiKey) -> pb.ApiKey:
    return pb.ApiKey(
        api_key_id=key.api_key_id,
        name=key.name,
        project_key=key.environment.project_key,
        environment_key=key.environment.key,
        role=_ROLES_ON_WIRE.get(key.role, pb.KEY_ROLE_UNSPECIFIED),
        created_at=timestamp(key.created_at),
        revoked_at=timestamp(key.revoked_at),
        events_per_second=key.events_per_second,
        queries_at_a_time=key.queries_at_a_time,
        group_type=key.group_type,
        group_key=key.group_key,
    )


def _audit_entry(entry: AuditEntry) -> pb.AuditEntry:
    return pb.AuditEntry(
        at=timestamp(entry.at), actor=entry.actor, action=entry.action, subject=entry.subject, detail=entry.detail
    )
