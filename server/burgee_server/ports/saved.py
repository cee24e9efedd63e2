"""Where saved insights are kept: questions under a key, for others to ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from burgee_server.ports.access import Authorship


@dataclass(frozen=True, slots=True)
class InsightContents:
    """What people decide of a saved insight."""

    question: Mapping[str, Any]
    """By its kind, the request that asks it, as JSON has it."""
    name: str = ""
    description: str = ""
    tags: Sequence[str] = ()
    shown_to: str = ""
    """The group type whose groups may be shown their own part of it; empty: nobody."""
    actions: Sequence[str] = ()
    """Those that the question asks for, in byte order."""
    cohorts: Sequence[str] = ()
    """The same of cohorts."""


@dataclass(frozen=True, slots=True)
class SavedInsight:
    """A question under a key."""

    key: str
    contents: InsightContents
    version: int
    created_at: datetime
    updated_at: datetime


class SavedInsightStore(Protocol):
    """Keeps insights. Every change writes an audit entry, in the same transaction, but for one that changes nothing."""

    async def create(self, environment_id: int, key: str, contents: InsightContents, by: Authorship) -> SavedInsight:
        """Keep a new insight, as version 1. Raises AlreadyExists."""

    async def update(
        self, environment_id: int, key: str, contents: InsightContents, expected_version: int, by: Authorship
    ) -> SavedInsight:
        """Keep a new version; `expected_version` 0 means whatever is current.

        Raises NotFound, or Stale if the current version is not the expected one.
        """

    async def delete(self, environment_id: int, key: str, by: Authorship) -> None:
        """Take an insight away; its key is free again. Raises NotFound."""

    async def get(self, environment_id: int, key: str) -> SavedInsight:
        """One insight. Raises NotFound."""

    async def all(self, environment_id: int) -> Sequence[SavedInsight]:
        """Every insight of an environment, in byte order of their keys."""
