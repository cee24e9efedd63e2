"""Creates and ends projects, environments and API keys, on behalf of a principal."""

from collections.abc import Sequence

from burgee_server.access.gate import PERMISSIONS, Permission, Principal
from burgee_server.access.secret import digest, new_secret
from burgee_server.errors import Denied, Invalid
from burgee_server.names import group_type_fault, key_fault, name_fault, require
from burgee_server.ports.access import AccessStore, ApiKey, AuditEntry, Authorship, Environment, Project, Role
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.turns import Turns

DEFAULT_PROJECT = "default"
DEFAULT_ENVIRONMENT = "production"
MAX_RETENTION_DAYS = 36_500
MAX_EVENTS_PER_SECOND = 1_000_000
MAX_QUERIES_AT_A_TIME = 10_000


class Administration:
    """A principal stays inside its own project, unless it is an operator."""

    def __init__(self, store: AccessStore, cohorts: CohortStore, turns: Turns, feed: ChangeFeed, clock: Clock) -> None:
        self._store = store
        self._cohorts = cohorts
        self._turns = turns
        self._feed = feed
        self._clock = clock

    async def is_new(self) -> bool:
        """Whether there is no operator: not yet, or not any more."""
        projects = await self._store.projects()
        keys = [key for project in projects for key in await self._store.api_keys(project.key)]
        return not any(key.revoked_at is None and key.role is Role.OPERATOR for key in keys)

    async def begin(self, secret: str) -> None:
        """Make the default project, if there is none, and a first key with this secret. Raises Invalid."""
        require("bootstrap_key", secret_fault(secret))
        by = Authorship("burgee", self._clock.now(), "made on the first start")
        if not await self._store.projects():
            await self._store.create_project(DEFAULT_PROJECT, "Default", by)
        environment = await self._store.environment(DEFAULT_PROJECT, DEFAULT_ENVIRONMENT)
        await self._store.create_api_key(environment, "first key", Role.OPERATOR, 0, digest(secret), by)

    async def create_project(self, principal: Principal, key: str, name: str) -> Project:
        """Create a project and its production environment. Raises Invalid, AlreadyExists."""
        require("key", key_fault(key))
        require("name", name_fault(name or key))
        return await self._store.create_project(key, name or key, self._by(principal))

    async def projects(self, principal: Principal) -> Sequence[Project]:
        """The projects that the principal may see."""
        projects = await self._store.projects()
        if Permission.OPERATE in PERMISSIONS[principal.role]:
            return projects
        return [project for project in projects if project.key == principal.environment.project_key]

    async def create_environment(self, principal: Principal, project_key: str, key: str) -> Environment:
        """Create an environment. Raises Invalid, NotFound, AlreadyExists, Denied."""
        require("key", key_fault(key))
        return await self._store.create_environment(_project(principal, project_key), key, self._by(principal))

    async def environments(self, principal: Principal, project_key: str) -> Sequence[Environment]:
        """The environments of a project. Raises NotFound, Denied."""
        return await self._store.environments(_project(principal, project_key))

    async def sibling(self, principal: Principal, environment_key: str) -> Environment:
        """Another environment of the principal's own project. Raises Invalid, NotFound."""
        require("from_environment", key_fault(environment_key))
        if environment_key == principal.environment.key:
            raise Invalid.of("from_environment", "must be another than that of the API key")
        return await self._store.environment(principal.environment.project_key, environment_key)

    async def update_environment(
        self,
        principal: Principal,
        project_key: str,
        key: str,
        retention_days: int | None,
        internal_cohort_key: str | None = None,
    ) -> Environment:
        """Say for how many days an environment keeps events; 0: for good; and whose events questions leave out.

        None: as before. Raises Invalid, NotFound, Denied.
        """
        before = environment = await self._store.environment(_project(principal, project_key), key)
        if retention_days is not None and retention_days > MAX_RETENTION_DAYS:
            raise Invalid.of("retention_days", f"at most {MAX_RETENTION_DAYS:,}; 0 is for good")
        by = self._by(principal)
        if internal_cohort_key is not None and internal_cohort_key != environment.internal_cohort_key:
            async with self._turns[environment.environment_id]:  # it must not be taken away meanwhile
                if internal_cohort_key not in ("", *await self._cohorts.types(environment.environment_id)):
                    raise Invalid.of("internal_cohort_key", f"there is no cohort {internal_cohort_key!r} there")
                environment = await self._store.set_internal_cohort(environment, internal_cohort_key, by)
        if retention_days is not None and retention_days != environment.retention_days:
            environment = await self._store.set_retention(environment, retention_days, by)
        if environment != before:
            await self._feed.publish(Change(Kind.ENVIRONMENT, environment.environment_id))
        return environment

    async def create_api_key(
        self,
        principal: Principal,
        project_key: str,
        environment_key: str,
        name: str,
        role: Role,
        events_per_second: int,
        queries_at_a_time: int,
        group_type: str = "",
        group_key: str = "",
    ) -> tuple[ApiKey, str]:
        """A new key and its secret: of one group, if one is named. Raises Invalid, NotFound, Denied."""
        require("name", name_fault(name))
        _check_limits(events_per_second, queries_at_a_time)
        if group_type or group_key:
            _check_group(role, group_type, group_key)
        if not PERMISSIONS[role] <= PERMISSIONS[principal.role]:
            raise Denied(f"API key {principal.name!r} has the role {principal.role} and cannot give {role}")
        project_key = _project(principal, project_key)
        environment = await self._store.environment(project_key, environment_key or principal.environment.key)
        secret = new_secret()
        by = self._by(principal)
        key = await self._store.create_api_key(
            environment,
            name,
            role,
            events_per_second,
            digest(secret),
            by,
            queries_at_a_time=queries_at_a_time,
            group_type=group_type,
            group_key=group_key,
        )
        return key, secret

    async def api_keys(self, principal: Principal, project_key: str) -> Sequence[ApiKey]:
        """The keys of a project. Raises NotFound, Denied."""
        return await self._store.api_keys(_project(principal, project_key))

    async def update_api_key(
        self, principal: Principal, api_key_id: str, events_per_second: int | None, queries_at_a_time: int | None
    ) -> ApiKey:
        """Say what a key may do in a second, and at a time; None: as before. Raises as revoke_api_key, and Invalid."""
        key = await self._manageable(principal, api_key_id)
        events = key.events_per_second if events_per_second is None else events_per_second
        queries = key.queries_at_a_time if queries_at_a_time is None else queries_at_a_time
        if (events, queries) == (key.events_per_second, key.queries_at_a_time):
            return key
        _check_limits(events, queries)
        key = await self._store.set_limits(key, events, queries, self._by(principal))
        await self._feed.publish(Change(Kind.API_KEYS, key.environment.environment_id))
        return key

    async def revoke_api_key(self, principal: Principal, api_key_id: str) -> ApiKey:
        """End a key, at once. Raises Denied for a key that may do more than the principal's own; NotFound, also for
        keys of projects that the principal may not see."""
        key = await self._manageable(principal, api_key_id)
        key = await self._store.revoke_api_key(key, self._by(principal))
        await self._feed.publish(Change(Kind.API_KEYS, key.environment.environment_id, (api_key_id,)))
        return key

    async def audit_entries(self, principal: Principal, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """What was changed in the principal's environment, newest first."""
        return await self._store.audit_entries(principal.environment_id, before, limit)

    async def _manageable(self, principal: Principal, api_key_id: str) -> ApiKey:
        """A key that the principal may change. Raises Denied, NotFound."""
        everywhere = Permission.OPERATE in PERMISSIONS[principal.role]
        key = await self._store.find_api_key(None if everywhere else principal.environment.project_key, api_key_id)
        if not PERMISSIONS[key.role] <= PERMISSIONS[principal.role]:
            raise Denied(
                f"API key {principal.name!r} has the role {principal.role} and cannot change or end {key.role}"
            )
        return key

    def _by(self, principal: Principal) -> Authorship:
        return Authorship(principal.name, self._clock.now())


def _check_limits(events_per_second: int, queries_at_a_time: int) -> None:
    if queries_at_a_time > MAX_QUERIES_AT_A_TIME:
        raise Invalid.of("queries_at_a_time", f"at most {MAX_QUERIES_AT_A_TIME:,}; 0 is what the settings say")
    if events_per_second > MAX_EVENTS_PER_SECOND:
        raise Invalid.of("events_per_second", f"at most {MAX_EVENTS_PER_SECOND:,}; 0 is what the settings say")


def _check_group(role: Role, group_type: str, group_key: str) -> None:
    """Any other role would see beyond the group all the same."""
    if role is not Role.PORTAL:
        raise Invalid.of("group_type" if group_type else "group_key", f"only a {Role.PORTAL} key is of one group")
    require("group_type", group_type_fault(group_type))
    require("group_key", name_fault(group_key))


def secret_fault(secret: str) -> str:
    """What is wrong with a secret that somebody chose, or nothing."""
    if not (16 <= len(secret) <= 200 and secret.isascii() and secret.isprintable() and " " not in secret):
        return "must be 16 to 200 printable ASCII characters without spaces"
    return ""


def _project(principal: Principal, project_key: str) -> str:
    """The project meant by a request: the principal's own, unless another is named and allowed."""
    own = principal.environment.project_key
    if project_key in ("", own):
        return own
    if Permission.OPERATE not in PERMISSIONS[principal.role]:
        raise Denied(f"API key {principal.name!r} belongs to project {own!r} and may not manage {project_key!r}")
    return project_key
