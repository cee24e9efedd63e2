"""Which of the events and properties that a question names nobody has ever sent: most likely misspelt."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from burgee_server.errors import Overloaded, TimedOut, Unavailable
from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.heard import NO_OWNER, alike, known
from burgee_server.insights.words import UnknownName
from burgee_server.names import MAX_NAME
from burgee_server.ports.clock import Clock
from burgee_server.ports.warehouse import Statement, Warehouse

MOST_UNKNOWN = 10
"""For so many unknown names of one question, and of one owner, those that are like them are looked for."""

MOST_PROPERTIES = 20
"""So many properties of one owner are looked for, for one question: each may be a look at all events."""

_NOT_NOW = (Overloaded, TimedOut, Unavailable)
_SECONDS = 2.0
_REMEMBERED_FOR = timedelta(minutes=5)
_REMEMBERED = 10_000


class UnknownNames:
    """Asks the warehouse for a name once: one that was there is known from then on, as long as this lives.

    What is spelt like one that was not, or that nothing is, is remembered for five minutes, and so is that a property
    cannot be looked for in time.
    """

    def __init__(self, warehouse: Warehouse, clock: Clock) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._known: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
        self._put_off: defaultdict[int, dict[tuple[str, str], datetime]] = defaultdict(dict)
        self._similar: defaultdict[int, dict[tuple[str, str], tuple[datetime, tuple[str, ...]]]] = defaultdict(dict)

    async def among(
        self, asked: Asked, names: Iterable[tuple[str, str]], timeout: float | None = None
    ) -> tuple[UnknownName, ...]:
        """Those that the environment has nothing of, of pairs of an owner (empty: an event is so called) and a name.

        None of an owner's, where that cannot be found out soon: within two seconds in all, and half of `timeout`
        seconds, which are left to whoever waits for the answer.
        """
        deadline = time.monotonic() + (_SECONDS if timeout is None else min(_SECONDS, timeout / 2))
        of_owner = defaultdict[str, list[str]](list)
        now, put_off = self._clock.now(), self._put_off[asked.environment_id]
        for owner, name in sorted(set(names) - self._known[asked.environment_id]):
            if put_off.get((owner, name), now) <= now:
                of_owner[owner].append(name)
        found = await asyncio.gather(*(self._of(asked, owner, sought, deadline) for owner, sought in of_owner.items()))
        return tuple(unknown for each in found for unknown in each)

    async def _of(self, asked: Asked, owner: str, names: Sequence[str], deadline: float) -> list[UnknownName]:
        """Those of one owner."""
        sought = names if owner == NO_OWNER else names[:MOST_PROPERTIES]
        try:
            unknown = await self._without(asked, owner, sought, deadline, as_objects=False)
            if unknown and owner != NO_OWNER:
                unknown = await self._without(asked, owner, unknown, deadline, as_objects=True)
        except _NOT_NOW as error:
            if owner != NO_OWNER and isinstance(error, TimedOut):
                self._put_off_for_a_while(asked.environment_id, owner, sought)
            return []
        similar = await self._names_like(asked, owner, unknown, deadline) if unknown else {}
        return [UnknownName(name, similar.get(name, ()), owner) for name in unknown]

    def _put_off_for_a_while(self, environment_id: int, owner: str, names: Iterable[str]) -> None:
        """Among so many events, the next question would wait for as long, and in vain."""
        put_off = self._put_off[environment_id]
        if len(put_off) > _REMEMBERED:
            put_off.clear()
        put_off.update({(owner, name): self._clock.now() + _REMEMBERED_FOR for name in names})

    async def _without(
        self, asked: Asked, owner: str, names: Sequence[str], deadline: float, *, as_objects: bool
    ) -> list[str]:
        """The names that are not there; the others are known from now on."""
        rows = await self._rows(known(asked, owner, names, as_objects=as_objects), asked, deadline)
        there = {name for [name] in rows}
        remembered = self._known[asked.environment_id]
        if len(remembered) > _REMEMBERED:
            remembered.clear()
        remembered.update((owner, name) for name in there)
        return [name for name in names if name not in there]

    async def _names_like(
        self, asked: Asked, owner: str, names: Collection[str], deadline: float
    ) -> dict[str, tuple[str, ...]]:
        """The up to three names that are most like each, where there are any; none, where that takes too long."""
        similar, now = self._similar[asked.environment_id], self._clock.now()
        kept = {name: similar.get((owner, name)) for name in names}
        found = {name: each[1] for name, each in kept.items() if each is not None and now < each[0]}
        # No name is longer, and comparing takes as long as the names are.
        sought = [name for name in names if name not in found and len(name) <= MAX_NAME][:MOST_UNKNOWN]
        if not sought:
            return found
        looked_for: dict[str, list[str]] = {name: [] for name in sought}
        try:
            for name, other in await self._rows(alike(asked, owner, sought), asked, deadline):
                looked_for[name].append(other)
        except _NOT_NOW:
            pass  # Nor is it tried again by every question.
        if len(similar) + len(looked_for) > _REMEMBERED:
            similar.clear()
        similar.update({(owner, name): (now + _REMEMBERED_FOR, tuple(others)) for name, others in looked_for.items()})
        return found | {name: tuple(others) for name, others in looked_for.items()}

    async def _rows(self, statement: Statement, asked: Asked, deadline: float) -> Sequence[Sequence[str]]:
        left = max(deadline - time.monotonic(), 0.001)
        return (await self._warehouse.query(replace(statement, asker=asked.asker), left)).rows
