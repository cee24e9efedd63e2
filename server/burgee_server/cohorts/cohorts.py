"""Creates and changes cohorts and their members."""

from collections.abc import Collection, Sequence

from burgee.evaluation import USER, Flag, named_cohorts
from burgee_server.errors import InUse, Invalid, Violation, require_unused
from burgee_server.names import group_type_fault, key_fault, name_fault, note_fault, require
from burgee_server.ports.access import AccessStore, Authorship
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import Cohort, CohortStore, Member, MemberChange
from burgee_server.ports.computing import Computing
from burgee_server.ports.criteria import Computed, cohorts_in
from burgee_server.ports.flags import FlagStore
from burgee_server.ports.saved import SavedInsightStore
from burgee_server.ports.turns import Turns

MAX_CHANGED = 10_000
"""How many members one change may name: it is one transaction, and whoever else writes waits for it."""


class Cohorts:
    """Listed and computed cohorts. Every change is announced on the feed before it is answered."""

    def __init__(
        self,
        store: CohortStore,
        flags: FlagStore,
        access: AccessStore,
        insights: SavedInsightStore,
        computing: Computing,
        turns: Turns,
        feed: ChangeFeed,
        clock: Clock,
    ) -> None:
        self._store = store
        self._flags = flags
        self._access = access
        self._insights = insights
        self._computing = computing
        self._turns = turns
        self._feed = feed
        self._clock = clock

    async def create(
        self,
        environment_id: int,
        key: str,
        group_type: str,
        description: str,
        computed: Computed | None,
        actor: str,
        note: str,
    ) -> Cohort:
        """Keep a new cohort of persons (the type "user") or of groups; listed, unless it says how it is computed.

        Raises Invalid, AlreadyExists.
        """
        require("cohort.key", key_fault(key))
        require("cohort.group_type", "" if group_type == USER else group_type_fault(group_type))
        require("cohort.description", note_fault(description))
        by = self._by(actor, note)
        async with self._turns[environment_id]:
            if computed is not None:
                await self._check(environment_id, key, group_type, computed)
            return await self._store.create(environment_id, key, group_type, description, by, computed)

    async def update(
        self,
        environment_id: int,
        key: str,
        group_type: str,
        description: str,
        computed: Computed | None,
        expected_version: int,
        actor: str,
        note: str,
    ) -> Cohort:
        """Describe a cohort anew, and say how it is computed; `expected_version` 0 means whatever is current.

        Raises Invalid, NotFound, Stale.
        """
        require("cohort.description", note_fault(description))
        by = self._by(actor, note)
        async with self._turns[environment_id]:
            current = await self._store.get(environment_id, key)
            if group_type != current.group_type:
                raise Invalid.of("cohort.group_type", f"is {current.group_type} and cannot change: flags rely on it")
            if (computed is None) is not (current.computed is None):
                kind = "listed" if current.computed is None else "computed"
                raise Invalid.of("cohort.definition", f"is {kind} and cannot change its kind")
            if computed is not None and computed != current.computed:
                await self._check(environment_id, key, group_type, computed)
            saved = await self._store.describe(environment_id, key, description, expected_version, by, computed)
        if saved.computed != current.computed:
            await self._feed.publish(Change(Kind.COHORT, environment_id, (key, group_type)))
        return saved

    async def delete(self, environment_id: int, key: str, actor: str, note: str) -> None:
        """Take a cohort away. Raises NotFound, and InUse while flags that are not archived, cohorts or insights name
        it, or questions leave its members out."""
        async with self._turns[environment_id]:
            cohort = await self._store.get(environment_id, key)
            what = f"cohort {key!r}"
            flags = await self._flags.all(environment_id)
            require_unused(what, "flags ask", [flag.key for flag in flags if _names(flag, key)])
            computed = [each for environment, each in await self._store.computed() if environment == environment_id]
            asking = [each.key for each in computed if each.computed and key in cohorts_in(each.computed.criterion)]
            require_unused(what, "cohorts ask", [each for each in asking if each != key])
            insights = await self._insights.all(environment_id)
            require_unused(what, "insights ask", [each.key for each in insights if key in each.contents.cohorts])
            if await self._access.internal_cohort(environment_id) == key:
                raise InUse(f"{what} is that of the environment's own people: name another one first")
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
        if (await self._store.get(environment_id, key)).computed is not None:
            raise Invalid.of("cohort_key", f"{key!r} is computed: nobody is put into it or taken out")
        change = await self._store.change(environment_id, key, add, remove, self._by(actor, note))
        if touched := (*change.added, *change.removed):
            subject = (key, change.cohort.group_type, *touched)
            await self._feed.publish(Change(Kind.COHORT, environment_id, subject))
        return change

    async def page(self, environment_id: int, *, after: str, limit: int) -> Sequence[Cohort]:
        """Cohorts by key."""
        return await self._store.page(environment_id, after=after, limit=limit)

    async def members(self, environment_id: int, key: str, *, after: str, limit: int) -> Sequence[Member]:
        """Members by key. Raises NotFound for the cohort."""
        return await self._store.members(environment_id, key, after=after, limit=limit)

    async def _check(self, environment_id: int, key: str, group_type: str, computed: Computed) -> None:
        await self._computing.check(environment_id, key, group_type, computed, "cohort.computed")

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
