"""Brings the members of listed cohorts to where questions are answered, when a question needs them."""

import asyncio
from collections import defaultdict
from functools import partial

from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.vocabulary import NamedCohort
from burgee_server.ports.warehouse import Warehouse


class Lists:
    """Copies what has changed since it was last copied. Copying twice does no harm."""

    def __init__(self, store: CohortStore, warehouse: Warehouse) -> None:
        self._store = store
        self._warehouse = warehouse
        self._copied: dict[int, int] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def provide(self, environment_id: int, cohort: NamedCohort) -> None:
        """When this returns, every change of the cohort up to `changed` is in the warehouse.

        Raises NotFound for a cohort that is gone since, Unavailable.
        """
        async with self._turns[cohort.cohort_id]:
            if self._copied.get(cohort.cohort_id, -1) >= cohort.changed:
                return
            since = await self._warehouse.members_revision(environment_id, cohort.cohort_id)
            load = partial(self._warehouse.load_members, environment_id, cohort.group_type, cohort.cohort_id)
            self._copied[cohort.cohort_id] = await self._store.copy(environment_id, cohort.key, since, load)
