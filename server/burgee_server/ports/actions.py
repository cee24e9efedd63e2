"""Where actions are kept: names for what people do, made of one or several kinds of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from burgee.evaluation import Filter
from burgee_server.ports.access import Authorship


@dataclass(frozen=True, slots=True)
class Matcher:
    """The events of a name (empty: of any), and of them those that pass the filter."""

    event: str = ""
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A named union: the events that any of its matchers matches."""

    key: str
    description: str
    matchers: tuple[Matcher, ...]
    version: int
    created_at: datetime
    updated_at: datetime


class ActionStore(Protocol):
    """Keeps actions. Every change writes an audit entry, in the same transaction; one that changes nothing does not."""

    async def create(
        self, environment_id: int, key: str, description: str, matchers: Sequence[Matcher], by: Authorship
    ) -> Action:
        """Keep a new action, as version 1. Raises AlreadyExists."""

    async def update(
        self,
        environment_id: int,
        key: str,
        description: str,
        matchers: Sequence[Matcher],
        expected_version: int,
        by: Authorship,
    ) -> Action:
        """Keep a new version; `expected_version` 0 means whatever is current.

        Raises NotFound, or Stale if the current version is not the expected one.
        """

    async def delete(self, environment_id: int, key: str, by: Authorship) -> None:
        """Take an action away; its key is free again. Raises NotFound."""

    async def get(self, environment_id: int, key: str) -> Action:
        """One action. Raises NotFound."""

    async def page(self, environment_id: int, *, after: str, limit: int) -> Sequence[Action]:
        """Actions in byte order of their keys, beginning after the key `after`."""
