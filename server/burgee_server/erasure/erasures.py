"""Takes requests to erase persons and groups, and says how far they are."""

from collections.abc import Sequence

from burgee.evaluation.model import USER
from burgee_server.erasure.eraser import Eraser
from burgee_server.names import group_type_fault, name_fault, require
from burgee_server.ports.access import Authorship
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.erasures import Erasure, ErasureStore


class Erasures:
    """Answers once an erasure is certain to happen; the eraser does it."""

    def __init__(self, store: ErasureStore, eraser: Eraser, feed: ChangeFeed, clock: Clock) -> None:
        self._store = store
        self._eraser = eraser
        self._feed = feed
        self._clock = clock

    async def delete_person(self, environment_id: int, distinct_id: str, actor: str) -> Erasure:
        """Erase a person, by any of the ids. Raises Invalid, and Overloaded if the journal cannot be written."""
        require("distinct_id", name_fault(distinct_id))
        return await self._begin(environment_id, USER, distinct_id, actor)

    async def delete_group(self, environment_id: int, group_type: str, group_key: str, actor: str) -> Erasure:
        """Erase a group. Raises Invalid, and Overloaded if the journal cannot be written."""
        require("group_type", group_type_fault(group_type))
        require("group_key", name_fault(group_key))
        return await self._begin(environment_id, group_type, group_key, actor)

    async def get(self, environment_id: int, erasure_id: str) -> Erasure:
        """One erasure. Raises NotFound."""
        return await self._store.get(environment_id, erasure_id)

    async def page(self, environment_id: int, *, before: int | None, limit: int) -> Sequence[Erasure]:
        """Erasures, newest first, of a lower revision than `before`."""
        return await self._store.page(environment_id, before=before, limit=limit)

    async def _begin(self, environment_id: int, group_type: str, key: str, actor: str) -> Erasure:
        by = Authorship(actor, self._clock.now())
        begun = await self._store.begin(environment_id, group_type, key, by)
        for erasure in begun.erasures:
            await self._feed.publish(Change(Kind.PROFILE, environment_id, (group_type, erasure.key)))
        for cohort_key, member in begun.cohorts:
            await self._feed.publish(Change(Kind.COHORT, environment_id, (cohort_key, group_type, member)))
        # What is captured after the answer is a new life; what was acknowledged before comes before the mark.
        for erasure in begun.erasures:
            await self._eraser.mark(erasure)
        return begun.erasures[-1]
