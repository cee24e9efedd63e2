"""Which of the events that a question names nobody has ever sent: most likely misspelt."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from difflib import get_close_matches

from burgee_server.errors import Overloaded, TimedOut, Unavailable
from burgee_server.insights.words import UnknownEvent
from burgee_server.ports.warehouse import Statement, Warehouse

MOST_NAMES = 10_000
"""Among so many names of an environment, those that are like an unknown one are looked for."""

_NAMES = f"SELECT DISTINCT event FROM events WHERE environment_id = {{environment_id:UInt32}} LIMIT {MOST_NAMES}"
_NOT_NOW = (Overloaded, TimedOut, Unavailable)
_SIMILAR = 3
_SECONDS = 2.0
_REMEMBERED = 10_000


class UnknownEvents:
    """Asks the warehouse for a name once: one that was there is known from then on, as long as this lives."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._known: defaultdict[int, set[str]] = defaultdict(set)
        self._similar: defaultdict[int, dict[str, tuple[str, ...]]] = defaultdict(dict)

    async def among(self, environment_id: int, names: Iterable[str]) -> tuple[UnknownEvent, ...]:
        """Those that the environment has no event of, by name. None of them, where that cannot be found out soon."""
        known = self._known[environment_id]
        asked = sorted(set(names) - known)
        if not asked:
            return ()
        try:
            known.update(await self._sent(environment_id, asked))
            unknown = [name for name in asked if name not in known]
            return tuple([UnknownEvent(name, await self._names_like(environment_id, name)) for name in unknown])
        except _NOT_NOW:
            return ()
        finally:
            if len(known) > _REMEMBERED:
                known.clear()

    async def _sent(self, environment_id: int, names: Collection[str]) -> list[str]:
        """The names of which there is an event. Each is looked up by itself, so that the first one found ends it."""
        one = "(SELECT event FROM events WHERE environment_id = {environment_id:UInt32} AND event = %s LIMIT 1)"
        bound = {f"name{index}": name for index, name in enumerate(names)}
        sql = " UNION ALL ".join(one % f"{{{parameter}:String}}" for parameter in bound)
        answer = await self._warehouse.query(Statement(sql, {"environment_id": environment_id, **bound}), _SECONDS)
        return [name for [name] in answer.rows]

    async def _names_like(self, environment_id: int, name: str) -> tuple[str, ...]:
        """None, also where that takes too long; it is not tried again for this name."""
        similar = self._similar[environment_id]
        if name not in similar:
            if len(similar) >= _REMEMBERED:
                similar.clear()
            similar[name] = ()
            with suppress(*_NOT_NOW):
                answer = await self._warehouse.query(Statement(_NAMES, {"environment_id": environment_id}), _SECONDS)
                similar[name] = tuple(get_close_matches(name, [sent for [sent] in answer.rows], _SIMILAR))
        return similar[name]
