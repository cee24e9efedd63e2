"""Lets a call in: from the secret it carries to the environment it may use, and what it may do there."""

from dataclasses import dataclass
from enum import StrEnum, auto

from burgee_server.access.secret import digest
from burgee_server.errors import Denied, Unauthenticated
from burgee_server.ports.access import AccessStore, Environment, Role
from burgee_server.ports.changes import Change, Kind


class Permission(StrEnum):
    """What a call needs. Text: it is looked up at every call, and another kind of enum is ten times as slow to hash."""

    CAPTURE = auto()
    """Write events and profiles."""
    EVALUATE = auto()
    """Check flags."""
    ASK = auto()
    """Ask saved insights; without READ, of one group at a time, those that are shown to its type."""
    READ = auto()
    """Read profiles, events, cohorts, flags, insights."""
    CONFIGURE = auto()
    """Change flags and cohorts."""
    ERASE = auto()
    """Remove persons and groups with their events, for good."""
    ADMINISTER = auto()
    """Manage keys and environments of the project, read its audit log, empty its quarantine."""
    OPERATE = auto()
    """Manage projects."""


_READER = frozenset({Permission.READ, Permission.ASK, Permission.EVALUATE})
_SERVICE = frozenset({Permission.CAPTURE, Permission.EVALUATE})
_ADMIN = _READER | _SERVICE | {Permission.CONFIGURE, Permission.ERASE, Permission.ADMINISTER}
PERMISSIONS = {
    Role.SERVICE: _SERVICE,
    Role.READER: _READER,
    Role.ADMIN: _ADMIN,
    Role.OPERATOR: _ADMIN | {Permission.OPERATE},
    Role.PORTAL: frozenset({Permission.ASK}),
    Role.UNKNOWN: frozenset(),
}

MAX_KNOWN = 10_000
"""How many keys are remembered between calls; the others are looked up each time."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: the API key's name and role, and the one environment that it opens."""

    api_key_id: str
    name: str
    role: Role
    environment: Environment
    events_per_second: int = 0
    """How many events it may send a second; 0: as many as the server lets any key."""
    queries_at_a_time: int = 0
    """How many questions it may have under way; 0: as many as the server lets any key."""
    group_type: str = ""
    """The type of the one group that it may ask of; empty: of any."""
    group_key: str = ""

    @property
    def reads_all(self) -> bool:
        """Whether it may see what is of no one group."""
        return Permission.READ in PERMISSIONS[self.role]

    @property
    def environment_id(self) -> int:
        """The environment that every read and write of this call is confined to."""
        return self.environment.environment_id


class Gate:
    """Remembers the keys it has seen; a change to API keys or environments makes it forget."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store
        self._known: dict[str, Principal] = {}

    @property
    def size(self) -> int:
        """How many keys are remembered."""
        return len(self._known)

    def forget(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind in (Kind.API_KEYS, Kind.ENVIRONMENT):
            self._known = {}

    def peek(self, secret: str, needed: Permission) -> Principal | None:
        """The principal behind a secret, if it is remembered and may do this, else None. Never waits."""
        principal = self._known.get(secret)
        return principal if principal is not None and needed in PERMISSIONS[principal.role] else None

    async def enter(self, secret: str, needed: Permission) -> Principal:
        """The principal behind a secret. Raises Unauthenticated, or Denied if its role lacks the permission."""
        principal = self._known.get(secret)
        if principal is None:
            principal = await self._look_up(secret)
        if principal.role is Role.UNKNOWN:
            raise Denied(
                f"API key {principal.name!r} has a role that this server does not know:"
                " it is older than the server that made the key, and may be asked again when it is upgraded"
            )
        if needed not in PERMISSIONS[principal.role]:
            raise Denied(
                f"API key {principal.name!r} has the role {principal.role}, which may not do this; "
                f"it needs one of: {', '.join(role for role, given in PERMISSIONS.items() if needed in given)}"
            )
        return principal

    async def _look_up(self, secret: str) -> Principal:
        known = self._known
        key = await self._store.api_key(digest(secret))
        if key is None:
            raise Unauthenticated("unknown API key")
        if key.revoked_at is not None:
            raise Unauthenticated(f"API key {key.api_key_id} was revoked")
        principal = Principal(
            key.api_key_id,
            key.name,
            key.role,
            key.environment,
            key.events_per_second,
            key.queries_at_a_time,
            key.group_type,
            key.group_key,
        )
        if len(known) < MAX_KNOWN:
            known[secret] = principal
        return principal
