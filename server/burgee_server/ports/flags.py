"""Where flags and every version of them are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from burgee.evaluation.model import Flag
from burgee_server.ports.access import Authorship


@dataclass(frozen=True, slots=True)
class FlagVersion:
    """A flag as it is or was, who made it so, when and why."""

    flag: Flag
    created_at: datetime
    changed_at: datetime
    changed_by: str
    change_note: str


@dataclass(frozen=True, slots=True)
class FlagChange:
    """One thing that a version changed: where, what it was, and what it is. Empty text: it was, or is, not there."""

    path: str
    before: str
    after: str


class FlagStore(Protocol):
    """Keeps flags. Every change is a new version and an audit entry, in one transaction."""

    async def create(self, environment_id: int, flag: Flag, by: Authorship) -> FlagVersion:
        """Keep a new flag as version 1. Raises AlreadyExists."""

    async def save(
        self, environment_id: int, flag: Flag, expected_version: int, action: str, detail: str, by: Authorship
    ) -> FlagVersion:
        """Keep a new version; `action` and `detail` are for the audit entry, after the note in `by`.

        Raises NotFound, or Stale if the current version is not the expected one.
        """

    async def get(self, environment_id: int, flag_key: str) -> FlagVersion:
        """The current version. Raises NotFound."""

    async def page(
        self, environment_id: int, *, after: str, limit: int, include_archived: bool
    ) -> Sequence[FlagVersion]:
        """Current versions in byte order of their keys, beginning after the key `after`."""

    async def all(self, environment_id: int) -> Sequence[Flag]:
        """Every flag of an environment at its current version, archived ones too."""

    async def versions(
        self, environment_id: int, flag_key: str, *, before: int | None, limit: int
    ) -> Sequence[FlagVersion]:
        """Versions of a flag, newest first, older than version `before`. Raises NotFound for the flag."""

    async def version(self, environment_id: int, flag_key: str, version: int) -> FlagVersion:
        """One version of a flag. Raises NotFound."""

    async def at(self, environment_id: int, flag_keys: frozenset[str], moment: datetime) -> Sequence[Flag]:
        """These flags as they were at a moment; those that were not there yet are left out."""
