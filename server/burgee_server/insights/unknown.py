"""Which of the events that a question names nobody has ever sent: most likely misspelt."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from burgee_server.errors import Overloaded, TimedOut, Unavailable
from burgee_server.insights.words import UnknownEvent
from burgee_server.ports.clock import Clock
from burgee_server.ports.warehouse import Statement, Warehouse

MOST_NAMES = 10_000
"""Among so many names of an environment, those that are like an unknown one are looked for."""

MOST_UNKNOWN = 10
"""For so many unknown names of one question."""

_LONGEST = 200
"""Characters; no event has a longer name, and comparing takes as long as the names are."""

# Two of five characters may be wrong, missing or too many. The warehouse compares: here it would hold up flag checks.
_SIMILAR = f"""
SELECT name, event FROM (
    SELECT event, arrayJoin({{names:Array(String)}}) AS name, editDistanceUTF8(event, name) AS wrong
    FROM (SELECT DISTINCT event FROM events WHERE environment_id = {{environment_id:UInt32}} LIMIT {MOST_NAMES})
) WHERE wrong * 5 <= greatest(lengthUTF8(event), lengthUTF8(name)) * 2
ORDER BY name, wrong, event LIMIT 3 BY name
"""
_NOT_NOW = (Overloaded, TimedOut, Unavailable)
_SECONDS = 2.0
_SIMILAR_FOR = timedelta(minutes=5)
_REMEMBERED = 10_000


class UnknownEvents:
    """Asks the warehouse for a name once: one that was there is known from then on, as long as this lives.

    What is spelt like one that was not, or that nothing is, is remembered for five minutes.
    """

    def __init__(self, warehouse: Warehouse, clock: Clock) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._known: defaultdict[int, set[str]] = defaultdict(set)
        self._similar: defaultdict[int, dict[str, tuple[datetime, tuple[str, ...]]]] = defaultdict(dict)

    async def among(
        self, environment_id: int, names: Iterable[str], timeout: float | None = None, asker: str = ""
    ) -> tuple[UnknownEvent, ...]:
        """Those that the environment has no event of, by name; see Statement.asker. None of them, where that cannot
        be found out soon: within two seconds in all, and half of `timeout` seconds, which are left to whoever waits."""
        known = self._known[environment_id]
        asked = sorted(set(names) - known)
        if not asked:
            return ()
        deadline = time.monotonic() + (_SECONDS if timeout is None else min(_SECONDS, timeout / 2))
        try:
            known.update(await self._sent(environment_id, asked, deadline, asker))
            unknown = [name for name in asked if name not in known]
        except _NOT_NOW:
            return ()
        finally:
            if len(known) > _REMEMBERED:
                known.clear()
        similar = await self._names_like(environment_id, unknown, deadline, asker) if unknown else {}
        return tuple(UnknownEvent(name, similar.get(name, ())) for name in unknown)

    async def _sent(self, environment_id: int, names: Collection[str], deadline: float, asker: str) -> list[str]:
        """The names of which there is an event. Each is looked up by itself, so that the first one found ends it."""
        one = "(SELECT event FROM events WHERE environment_id = {environment_id:UInt32} AND event = %s LIMIT 1)"
        bound = {f"name{index}": name for index, name in enumerate(names)}
        sql = " UNION ALL ".join(one % f"{{{parameter}:String}}" for parameter in bound)
        statement = Statement(sql, {"environment_id": environment_id, **bound}, asker=asker)
        return [name for [name] in await self._rows(statement, deadline)]

    async def _names_like(
        self, environment_id: int, names: Collection[str], deadline: float, asker: str
    ) -> dict[str, tuple[str, ...]]:
        """The up to three names that are most like each, where there are any; none, where that takes too long."""
        similar, now = self._similar[environment_id], self._clock.now()
        found = {name: similar[name][1] for name in names if name in similar and now < similar[name][0]}
        sought = [name for name in names if name not in found and len(name) <= _LONGEST][:MOST_UNKNOWN]
        if not sought:
            return found
        looked_for: dict[str, list[str]] = {name: [] for name in sought}
        try:
            bound = {"environment_id": environment_id, "names": sought}
            for name, event in await self._rows(Statement(_SIMILAR, bound, asker=asker), deadline):
                looked_for[name].append(event)
        except _NOT_NOW:
            pass  # Nor is it tried again by every question.
        if len(similar) + len(looked_for) > _REMEMBERED:
            similar.clear()
        similar.update({name: (now + _SIMILAR_FOR, tuple(events)) for name, events in looked_for.items()})
        return found | {name: tuple(events) for name, events in looked_for.items()}

    async def _rows(self, statement: Statement, deadline: float) -> Sequence[Sequence[str]]:
        left = max(deadline - time.monotonic(), 0.001)
        return (await self._warehouse.query(statement, left)).rows
