"""Creates and changes cohorts and their members."""

from collections.abc import Collection, Sequence

from burgee.evaluation import USER, Flag, named_cohorts
from burgee_server.errors import InUse, Invalid, Violation
from burgee_server.names import group_type_fault, key_fault, name_fault, note_fault, require
from burgee_server.ports.access import Authorship
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import Cohort, CohortStore, Member, MemberChange
from burgee_server.ports.flags import FlagStore
from burgee_server.ports.turns import Turns

MAX_CHANGED = 10_000
"""How many members one change may name: it is one transaction, and whoever else writes waits for it."""

_TOLD = 5
"""Flags named to whom wants to delete a cohort that they ask for."""


class Cohorts:
    """Listed cohorts. Every change is announced on the feed before it is answered."""

    def __init__(self, store: CohortStore, flags: FlagStore, turns: Turns, feed: ChangeFeed, clock: Clock) -> None:
        self._store = store
        self._flags = flags
        self._turns = turns
        self._feed = feed
        self._clock = clock

    async def create(
        self, environment_id: int, key: str, group_type: str, description: str, actor: str, note: str
    ) -> Cohort:
        """Keep a new cohort of persons (the type "user") or of groups. Raises Invalid, AlreadyExists."""
        require("cohort.key", key_fault(key))
        require("cohort.group_type", "" if group_type == USER else group_type_fault(group_type))
        require("cohort.description", note_fault(description))
        return await self._store.create(environment_id, key, group_type, description, self._by(actor, note))

    async def update(
        self,
        environment_id: int,
        key: str,
        group_type: str,
        description: str,
        expected_version: int,
        actor: str,
        note: str,
    ) -> Cohort:
        """Describe a cohort anew; `expected_version` 0 means whatever is current. Raises Invalid, NotFound, Stale."""
        require("cohort.description", note_fault(description))
        current = await self._store.get(environment_id, key)
        if group_type != current.group_type:
            raise Invalid.of("cohort.group_type", f"is {current.group_type} and cannot change: flags rely on it")
        return await self._store.describe(environment_id, key, description, expected_version, self._by(actor, note))

    async def delete(self, environment_id: int, key: str, actor: str, note: str) -> None:
        """Take a cohort away. Raises NotFound, and InUse while flags that are not archived name it."""
        async with self._turns[environment_id]:
            cohort = await self._store.get(environment_id, key)
            if users := sorted(flag.key for flag in await self._flags.all(environment_id) if _names(flag, key)):
                more = f" and {len(users) - _TOLD} more" if len(users) > _TOLD else ""
                raise InUse(f"flags ask for cohort {key!r}: {', '.join(users[:_TOLD])}{more}; change them first")
            await self._store.delete(environment_id, key, self._by(actor, note))
            await self._feed.publish(Change(Kind.COHORT, environment_id, (key, cohort.group_type)))

    async def change(
        self, environment_id: int, key: str, add: Sequence[str], remove: Sequence[str], actor: str, note: str
    ) -> MemberChange:
        """Put members in and take others out, all or none. Raises Invalid naming every key at fault, NotFound."""
        if len(add) + len(remove) > MAX_CHANGED:
            raise Invalid.of("add", f"at most {MAX_CHANGED:,} members a call, to add and to remove: make several calls")
        if faults := [*_faults("add", add, ()), *_faults("remove", remove, frozenset(add))]:
            raise Invalid(*faults)
        change = await self._store.change(environment_id, key, add, remove, self._by(actor, note))
        if touched := (*change.added, *change.removed):
            subject = (key, change.cohort.group_type, *touched)
            await self._feed.publish(Change(Kind.COHORT, environment_id, subject))
        return change

    async def get(self, environment_id: int, key: str) -> Cohort:
        """One cohort. Raises NotFound."""
        return await self._store.get(environment_id, key)

    async def page(self, environment_id: int, *, after: str, limit: int) -> Sequence[Cohort]:
        """Cohorts by key."""
        return await self._store.page(environment_id, after=after, limit=limit)

    async def members(self, environment_id: int, key: str, *, after: str, limit: int) -> Sequence[Member]:
        """Members by key. Raises NotFound for the cohort."""
        return await self._store.members(environment_id, key, after=after, limit=limit)

    def _by(self, actor: str, note: str) -> Authorship:
        require("change_note", note_fault(note))
        return Authorship(actor, self._clock.now(), note)


def _names(flag: Flag, cohort_key: str) -> bool:
    return not flag.archived and any(named == cohort_key for _, named in named_cohorts(flag))


def _faults(field: str, keys: Sequence[str], others: Collection[str]) -> list[Violation]:
    return [
        Violation(f"{field}[{index}]", fault)
        for index, key in enumerate(keys)
        if (fault := name_fault(key) or ("is to be added, too: say one of it" if key in others else ""))
    ]
