"""Answers flag checks from flags and profiles in memory; what is not there yet is read first."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

from burgee.evaluation import Context, Explanation, FlagSet, Resolution
from burgee_server.flags.catalog import Catalog
from burgee_server.flags.stored import Known, Stored
from burgee_server.ports.clock import Clock

SLICE = 500
"""How many answers are given before whoever waits is let in: a few milliseconds."""


@dataclass(slots=True)
class Answer:
    """A resolution, and what it rests on beside the question."""

    # One is made for every check, as a Known is: a frozen one, or a tuple with names, takes two to three times as long.

    resolution: Resolution
    flags: FlagSet
    known: Known
    again: Callable[[], Resolution] | None
    """What the same question is answered at another time, if all else is the same. None: this, at any time."""


class Checks:
    """What the flags of an environment give a context, by the properties passed and those stored."""

    def __init__(self, catalog: Catalog, stored: Stored, clock: Clock) -> None:
        self._catalog = catalog
        self._stored = stored
        self._clock = clock

    def peek(self, environment_id: int, flag_key: str, context: Context) -> Answer | None:
        """What one flag gives, if all that may be asked for is in memory, else None. Never waits."""
        flags = self._catalog.peek(environment_id)
        if flags is None:
            return None
        known = self._stored.peek(environment_id, flags, context)
        return None if known is None else self._answer(flags, known, flag_key, context)

    async def evaluate(self, environment_id: int, flag_key: str, context: Context) -> Answer:
        """What one flag gives. Never raises for the flag or the context."""
        flags = await self._catalog.get(environment_id)
        known = await self._stored.read(environment_id, flags, context)
        return self._answer(flags, known, flag_key, context)

    async def evaluate_all(self, environment_id: int, context: Context) -> Sequence[Resolution]:
        """What every flag gives, by key."""
        flags = await self._catalog.get(environment_id)
        known = await self._stored.read(environment_id, flags, context)
        return flags.evaluate_all(context, known.profiles, self._clock.unix_seconds())

    async def evaluate_many(
        self, environment_id: int, flag_keys: Sequence[str], contexts: Iterable[Context]
    ) -> AsyncIterator[Sequence[Resolution]]:
        """What these flags (none: all) give each context, from one state of the flags; others are let in between."""
        flags = await self._catalog.get(environment_id)
        now = self._clock.unix_seconds()
        answered = 0
        for context in contexts:
            known = await self._stored.read(environment_id, flags, context)
            given: Sequence[Resolution]
            if flag_keys:
                given = [flags.evaluate(key, context, known.profiles, now) for key in flag_keys]
            else:
                given = flags.evaluate_all(context, known.profiles, now)
            yield given
            answered += len(given)
            if answered >= SLICE:
                answered = 0
                await asyncio.sleep(0)

    async def count(self, environment_id: int) -> int:
        """How many flags answer when none are named."""
        flags = await self._catalog.get(environment_id)
        return sum(not flag.archived for flag in flags.flags.values())

    async def explain(self, environment_id: int, flag_key: str, context: Context) -> Explanation:
        """Why one flag gives what it gives."""
        flags = await self._catalog.get(environment_id)
        known = await self._stored.read(environment_id, flags, context)
        return flags.explain(flag_key, context, known.profiles, self._clock.unix_seconds())

    def _answer(self, flags: FlagSet, known: Known, flag_key: str, context: Context) -> Answer:
        evaluate, profiles, now = flags.evaluate, known.profiles, self._clock.unix_seconds
        resolution = evaluate(flag_key, context, profiles, now())
        again = (lambda: evaluate(flag_key, context, profiles, now())) if flags.is_timed(flag_key) else None
        return Answer(resolution, flags, known, again)
