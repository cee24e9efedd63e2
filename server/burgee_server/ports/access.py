"""Who may do what: projects, environments, API keys, and the record of changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What an API key may do in its environment; which permissions that is, access/gate.py says."""

    SERVICE = "service"
    READER = "reader"
    ADMIN = "admin"
    OPERATOR = "operator"
    PORTAL = "portal"
    UNKNOWN = "unknown"
    """Whatever a newer node, on the same store, has made: it may do nothing here."""

    @classmethod
    def _missing_(cls, value: object) -> "Role":
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Project:
    """A tenant."""

    project_id: int
    key: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Environment:
    """A stage of a project."""

    environment_id: int
    project_id: int
    project_key: str
    key: str
    created_at: datetime
    retention_days: int = 0
    """For how many days events are kept; 0: for good."""
    internal_cohort_key: str = ""
    """The cohort of its own people, whom questions leave out; empty: nobody."""

    def keeps_from(self, now: datetime) -> datetime | None:
        """The earliest timestamp of events that are kept now, a midnight UTC; None: all are."""
        if not self.retention_days:
            return None
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=self.retention_days)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret."""

    api_key_id: str
    name: str
    environment: Environment
    role: Role
    created_at: datetime
    revoked_at: datetime | None = None
    events_per_second: int = 0
    """How many events it may send a second; 0: as many as the settings say."""
    queries_at_a_time: int = 0
    """How many questions it may have under way; 0: as many as the settings say."""
    group_type: str = ""
    """The type of the one group that it asks of; empty: of any."""
    group_key: str = ""


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who makes a change, when, and why."""

    actor: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that was made."""

    entry_id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


class AccessStore(Protocol):
    """Keeps projects, environments, API keys and the audit log. Every change here writes its own audit entry."""

    async def create_project(self, key: str, name: str, by: Authorship) -> Project:
        """Create a project with an environment named "production". Raises AlreadyExists."""

    async def installation(self) -> str:
        """A name for this store that no other has. There must be a project."""

    async def projects(self) -> Sequence[Project]:
        """All projects, by key."""

    async def create_environment(self, project_key: str, key: str, by: Authorship) -> Environment:
        """Create an environment. Raises NotFound for the project, AlreadyExists for the key."""

    async def environment(self, project_key: str, key: str) -> Environment:
        """One environment. Raises NotFound."""

    async def environments(self, project_key: str) -> Sequence[Environment]:
        """The environments of a project, by key. Raises NotFound for the project."""

    async def retained(self) -> Sequence[Environment]:
        """The environments of every project that do not keep events for good."""

    async def set_retention(self, environment: Environment, days: int, by: Authorship) -> Environment:
        """Say for how many days an environment keeps events; 0: for good."""

    async def internal_cohort(self, environment_id: int) -> str:
        """The key of the cohort of the environment's own people; empty: none. Raises NotFound."""

    async def set_internal_cohort(self, environment: Environment, cohort_key: str, by: Authorship) -> Environment:
        """Say whose events questions leave out; empty: nobody's."""

    async def create_api_key(
        self,
        environment: Environment,
        name: str,
        role: Role,
        events_per_second: int,
        digest: bytes,
        by: Authorship,
        *,
        queries_at_a_time: int = 0,
        group_type: str = "",
        group_key: str = "",
    ) -> ApiKey:
        """Keep a new key by the digest of its secret. Raises AlreadyExists for a digest that is known."""

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, revoked or not."""

    async def api_keys(self, project_key: str) -> Sequence[ApiKey]:
        """The keys of a project, oldest first. Raises NotFound for the project."""

    async def set_limits(self, key: ApiKey, events_per_second: int, queries_at_a_time: int, by: Authorship) -> ApiKey:
        """Say how many events a key may send a second, and how many questions it may ask at a time; 0: by settings."""

    async def find_api_key(self, project_key: str | None, api_key_id: str) -> ApiKey:
        """One key, of this project if one is given. Raises NotFound."""

    async def revoke_api_key(self, key: ApiKey, by: Authorship) -> ApiKey:
        """End a key. Ending it twice changes nothing."""

    async def record(self, environment_id: int, action: str, subject: str, by: Authorship, detail: str) -> None:
        """Write an audit entry for a change that another store has made."""

    async def audit_entries(self, environment_id: int, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Entries of an environment, newest first, older than the entry id `before`."""
