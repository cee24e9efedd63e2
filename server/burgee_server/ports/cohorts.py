"""Where cohorts and their members are kept. Whoever was a member at some moment stays known."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from burgee_server.ports.access import Authorship
from burgee_server.ports.criteria import Computed
from burgee_server.ports.warehouse import MemberRow


@dataclass(frozen=True, slots=True)
class Cohort:
    """A named set of persons (the type "user") or of groups of a type."""

    key: str
    group_type: str
    description: str
    member_count: int
    version: int
    """That of what is said of it; its members change without."""
    created_at: datetime
    updated_at: datetime
    """When it, or its members, last changed."""
    computed: Computed | None = None
    """By what it comes by its members; None: they are listed."""
    computed_at: datetime | None = None
    """When its members were last computed as it says now."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a cohort, and since when."""

    key: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class MemberChange:
    """The cohort after a change of members, who is in it and was not, and who is not any more."""

    cohort: Cohort
    added: tuple[str, ...]
    removed: tuple[str, ...]


class CohortStore(Protocol):
    """Keeps cohorts. Every change writes an audit entry, in the same transaction; one that changes nothing does not."""

    async def create(
        self,
        environment_id: int,
        key: str,
        group_type: str,
        description: str,
        by: Authorship,
        computed: Computed | None = None,
    ) -> Cohort:
        """Keep a new cohort without members, as version 1. Raises AlreadyExists."""

    async def describe(
        self,
        environment_id: int,
        key: str,
        description: str,
        expected_version: int,
        by: Authorship,
        computed: Computed | None = None,
    ) -> Cohort:
        """Keep a new version, so described and computed; `expected_version` 0 means whatever is current.

        Computed otherwise than before, it is not computed yet. Raises NotFound, or Stale if the current version is not
        the expected one.
        """

    async def delete(self, environment_id: int, key: str, by: Authorship) -> None:
        """Take a cohort away; its key is free again. Raises NotFound."""

    async def get(self, environment_id: int, key: str) -> Cohort:
        """One cohort. Raises NotFound."""

    async def page(self, environment_id: int, *, after: str, limit: int) -> Sequence[Cohort]:
        """Cohorts in byte order of their keys, beginning after the key `after`."""

    async def types(self, environment_id: int) -> Mapping[str, str]:
        """Every cohort of an environment, and whom it is made of."""

    async def change(
        self, environment_id: int, key: str, add: Collection[str], remove: Collection[str], by: Authorship
    ) -> MemberChange:
        """Put members in and take others out. Of two changes, the later has a later moment. Raises NotFound."""

    async def settle(
        self,
        environment_id: int,
        key: str,
        version: int,
        add: Collection[str],
        remove: Collection[str],
        at: datetime,
        *,
        computed_at: datetime | None,
    ) -> MemberChange:
        """The same for a cohort that was computed at this version, without an audit entry.

        With the last of several parts comes the moment as of which it was computed. Raises NotFound, Stale.
        """

    async def computed(self) -> Sequence[tuple[int, Cohort]]:
        """The computed cohorts of every environment, each with its environment's id."""

    async def copy(
        self, environment_id: int, key: str, since: int, copy: Callable[[Sequence[MemberRow]], Awaitable[None]]
    ) -> int:
        """Hand on who came or went then (microseconds since 1970) or later, the first first, some at a time.

        Nobody is erased until it returns: the moment of the cohort's last change. Raises NotFound for the cohort.
        """

    async def members(self, environment_id: int, key: str, *, after: str, limit: int) -> Sequence[Member]:
        """Members in byte order of their keys, beginning after the key `after`. Raises NotFound for the cohort."""

    async def held(
        self, environment_id: int, cohort_keys: Collection[str], keys: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        """Which of these keys each of these cohorts has as members; a cohort that does not exist has none."""

    async def containing(
        self, environment_id: int, group_type: str, key: str, moment: datetime | None = None
    ) -> frozenset[str]:
        """The cohorts, of this type, that somebody is in; or was in at a moment, also those that are gone since."""
