"""Which of the events and properties that a question names nobody has ever sent: most likely misspelt."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long a question waits for what is said beside its answer."""

    seconds: float
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """The seconds until it is over; never nothing."""
        return max(self.began + self.seconds - time.monotonic(), 0.001)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What came of looking for something."""

    until: datetime
    seconds: float = math.inf
    """How long it was waited for, where it could not be found out: whoever waits longer looks again."""
    similar: tuple[str, ...] = ()

    def holds(self, now: datetime, patience: _Patience) -> bool:
        """Whether it need not be looked for again."""
        return now < self.until and patience.seconds <= self.seconds


class UnknownNames:
    """Asks the warehouse for a name once: one that was there is known from then on, as long as this lives.

    What is spelt like one that was not, or that nothing is, is remembered for five minutes; and so is, for those who
    have no more time, that something cannot be looked for in time.
    """

    def __init__(self, warehouse: Warehouse, clock: Clock) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._known: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
        self._put_off: defaultdict[int, dict[tuple[str, str], _Remembered]] = defaultdict(dict)
        self._similar: defaultdict[int, dict[tuple[str, str], _Remembered]] = defaultdict(dict)

    async def among(
        self, asked: Asked, names: Iterable[tuple[str, str]], timeout: float | None = None
    ) -> tuple[UnknownName, ...]:
        """Those that the environment has nothing of, of pairs of an owner (empty: an event is so called) and a name.

        None of an owner's, where that cannot be found out soon: within two seconds in all, and half of `timeout`
        seconds, which are left to whoever waits for the answer.
        """
        patience = _Patience(_SECONDS if timeout is None else min(_SECONDS, timeout / 2))
        of_owner = defaultdict[str, list[str]](list)
        now, put_off = self._clock.now(), self._put_off[asked.terms.environment_id]
        for owner, name in sorted(set(names) - self._known[asked.terms.environment_id]):
            if (before := put_off.get((owner, name))) is None or not before.holds(now, patience):
                of_owner[owner].append(name)
        found = await asyncio.gather(*(self._of(asked, owner, sought, patience) for owner, sought in of_owner.items()))
        return tuple(unknown for each in found for unknown in each)

    async def _of(self, asked: Asked, owner: str, names: Sequence[str], patience: _Patience) -> list[UnknownName]:
        """Those of one owner."""
        sought = names if owner == NO_OWNER else names[:MOST_PROPERTIES]
        try:
            unknown = await self._without(asked, owner, sought, patience, as_objects=False)
            if unknown and owner != NO_OWNER:
                unknown = await self._without(asked, owner, unknown, patience, as_objects=True)
        except _NOT_NOW as error:
            if owner != NO_OWNER and isinstance(error, TimedOut):
                # Among so many events, the next question would wait for as long, and in vain.
                in_vain = _Remembered(self._clock.now() + _REMEMBERED_FOR, patience.seconds)
                _remember(self._put_off[asked.terms.environment_id], {(owner, name): in_vain for name in sought})
            return []
        similar = await self._names_like(asked, owner, unknown, patience) if unknown else {}
        return [UnknownName(name, similar.get(name, ()), owner) for name in unknown]

    async def _without(
        self, asked: Asked, owner: str, names: Sequence[str], patience: _Patience, *, as_objects: bool
    ) -> list[str]:
        """The names that are not there; the others are known from now on."""
        rows = await self._rows(known(asked, owner, names, as_objects=as_objects), asked, patience)
        there = {name for [name] in rows}
        remembered = self._known[asked.terms.environment_id]
        if len(remembered) > _REMEMBERED:
            remembered.clear()
        remembered.update((owner, name) for name in there)
        return [name for name in names if name not in there]

    async def _names_like(
        self, asked: Asked, owner: str, names: Collection[str], patience: _Patience
    ) -> dict[str, tuple[str, ...]]:
        """The up to three names that are most like each, where there are any; none, where that takes too long."""
        similar, now = self._similar[asked.terms.environment_id], self._clock.now()
        kept = {name: similar.get((owner, name)) for name in names}
        found = {name: each.similar for name, each in kept.items() if each is not None and each.holds(now, patience)}
        # No name is longer, and comparing takes as long as the names are.
        sought = [name for name in names if name not in found and len(name) <= MAX_NAME][:MOST_UNKNOWN]
        if not sought:
            return found
        looked_for: dict[str, list[str]] = {name: [] for name in sought}
        seconds = math.inf
        try:
            for name, other in await self._rows(alike(asked, owner, sought), asked, patience):
                looked_for[name].append(other)
        except _NOT_NOW:
            seconds = patience.seconds  # Nor is it tried again by every question.
        until = now + _REMEMBERED_FOR
        _remember(
            similar,
            {(owner, name): _Remembered(until, seconds, tuple(others)) for name, others in looked_for.items()},
        )
        return found | {name: tuple(others) for name, others in looked_for.items()}

    async def _rows(self, statement: Statement, asked: Asked, patience: _Patience) -> Sequence[Sequence[str]]:
        return (await self._warehouse.query(replace(statement, asker=asked.terms.asker), patience.left)).rows


def _remember(what: dict[tuple[str, str], _Remembered], new: dict[tuple[str, str], _Remembered]) -> None:
    """A number of names at most: then all over again."""
    if len(what) + len(new) > _REMEMBERED:
        what.clear()
    what.update(new)
