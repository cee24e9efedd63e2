"""Asks the warehouse, and turns its rows into answers."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from burgee_server.insights.asked import Answered, AnswerT, Asked, Plan, Question, Terms
from burgee_server.insights.comparison import other_span
from burgee_server.insights.guesses import ANY, Guesses, events_of
from burgee_server.insights.lists import Lists
from burgee_server.insights.named import properties_of
from burgee_server.insights.patterns import refusal, require_compiling
from burgee_server.insights.sql.heard import NO_OWNER
from burgee_server.insights.sql.scope import first_event
from burgee_server.insights.timerange import ALL, Span, span, zone_of
from burgee_server.insights.unknown import UnknownNames
from burgee_server.insights.words import QueryInfo, UnknownName
from burgee_server.ports.clock import Clock
from burgee_server.ports.vocabulary import Vocabularies
from burgee_server.ports.warehouse import (
    FIRST_TIMESTAMP,
    Answer,
    BadPattern,
    Mistaken,
    ShortOfMemory,
    Statement,
    Warehouse,
    from_micros,
)

QuestionT = TypeVar("QuestionT", bound=Question)
T = TypeVar("T")

MAX_ANSWER_BYTES = 128 << 20
"""How much the warehouse may hand over for one question. Numbers and names are less than half of that, and texts of
64 KiB in every cell of a breakdown would be more than a server has."""


class Insights:
    """Answers questions about one environment at a time."""

    def __init__(self, warehouse: Warehouse, vocabularies: Vocabularies, lists: Lists, clock: Clock) -> None:
        self._warehouse = warehouse
        self._vocabularies = vocabularies
        self._lists = lists
        self._clock = clock
        self._guesses = Guesses()
        self._unknown = UnknownNames(warehouse, clock)

    async def ask(
        self,
        plan: Callable[[QuestionT, Asked], Plan[AnswerT]],
        query: QuestionT,
        terms: Terms,
    ) -> Answered[AnswerT]:
        """The answer to a question, planned by its insight: `ask(plan_trend, TrendQuery(…), Terms(…))`.

        Raises Invalid with the fields of the request on the wire, TimedOut, and what Warehouse.query raises.
        """
        deadline = None if terms.timeout is None else time.monotonic() + terms.timeout
        asked = await self._asked(query, terms)
        vocabulary = asked[0].vocabulary
        events = events_of(query, vocabulary)
        mixed = self._guesses.wrong(terms.environment_id, events)
        answers = await all_of(
            self._in_another_way(plan, query, events, replace(each, mixed=mixed), deadline) for each in asked
        )
        previous = answers[1] if len(answers) > 1 else None
        if terms.confined_to is not None:
            return Answered(answers[0], previous, ())
        named = {(NO_OWNER, event) for event in events - {ANY}} | properties_of(query, vocabulary)
        unknown = await self._unknown.among(asked[0], named, _until(deadline))
        return Answered(answers[0], previous, unknown)

    async def check(
        self,
        plan: Callable[[QuestionT, Asked], Plan[AnswerT]],
        query: QuestionT,
        terms: Terms,
    ) -> None:
        """Raise what ask() would raise before it has an answer, without looking for one."""
        for asked in await self._asked(query, terms):
            for statement in plan(query, asked).statements:
                await require_compiling(self._warehouse, statement.patterns, terms.timeout)

    async def unknown_in_cohort(self, cohort_key: str, terms: Terms) -> Sequence[UnknownName]:
        """What a cohort is computed by, itself or by its actions and cohorts, and nobody has ever sent.

        Empty of a list, and if there is no such cohort, or none any more.
        """
        vocabulary, now = await self._vocabularies.of(terms.environment_id), self._clock.now()
        cohort = vocabulary.cohorts.get(cohort_key)
        if cohort is None or cohort.computed is None:
            return ()
        named = {(NO_OWNER, event) for event in events_of(cohort, vocabulary) - {ANY}}
        ever = Span(FIRST_TIMESTAMP, now, zone_of(""))
        asked = Asked(terms, ever, now, vocabulary)
        return await self._unknown.among(asked, named | properties_of(cohort, vocabulary), terms.timeout)

    async def _asked(self, query: Question, terms: Terms) -> list[Asked]:
        """What is asked: in the span of the question, and in the one to compare with, if any. Raises Invalid."""
        now = self._clock.now()
        asked = Asked(
            terms,
            Span(FIRST_TIMESTAMP, now, zone_of(query.time_zone)),
            now,
            await self._vocabularies.of(terms.environment_id),
            self._warehouse.group_columns,
            self._warehouse.property_columns,
        )
        first = await self._first_event(asked, terms.timeout) if query.range.start == ALL else None
        whole = span(query.range, query.time_zone, now, first)
        other = other_span(query.range, whole, now)
        return [replace(asked, span=each) for each in (whole, other) if each is not None]

    async def _in_another_way(
        self,
        plan: Callable[[QuestionT, Asked], Plan[AnswerT]],
        query: QuestionT,
        events: frozenset[str],
        asked: Asked,
        deadline: float | None,
    ) -> AnswerT:
        """The answer. Where properties were taken for what they are not: by what they may be as well. Where it needs
        more memory than there is: in a way that takes longer and needs less, if there is one."""
        planned = plan(query, asked)
        while True:
            try:
                return await self._answer(planned, asked, _until(deadline))
            except Mistaken:
                guessed = frozenset[str]().union(*(each.guessed for each in planned.statements))
                asked = replace(asked, mixed=guessed.union(asked.mixed or ()))
                self._guesses.was_wrong(asked.terms.environment_id, events, guessed)
                planned = plan(query, asked)
            except ShortOfMemory:
                refused, asked = planned, replace(asked, sparing=True)
                planned = plan(query, asked)
                if [*planned.statements] == [*refused.statements]:
                    raise

    async def _answer(self, planned: Plan[AnswerT], asked: Asked, timeout: float | None) -> AnswerT:
        started = time.monotonic()
        for cohort_key in sorted(frozenset[str]().union(*(each.lists for each in planned.statements))):
            await self._lists.provide(asked.terms.environment_id, asked.vocabulary.cohorts[cohort_key])
        answers = await self._ask(planned.statements, asked.terms.asker, timeout)
        rows_read = 0 if asked.terms.confined_to else sum(answer.rows_read for answer in answers)
        info = QueryInfo(time.monotonic() - started, rows_read, asked.span.start, asked.span.end)
        # A large answer takes a while to put together: flag checks go on meanwhile.
        return await asyncio.to_thread(planned.answer, [answer.rows for answer in answers], info)

    async def _first_event(self, asked: Asked, timeout: float | None) -> datetime | None:
        [answer] = await self._ask([first_event(asked)], asked.terms.asker, timeout)
        [[events, first]] = answer.rows
        return from_micros(first) if events else None

    async def _ask(self, statements: Sequence[Statement], asker: str, timeout: float | None) -> list[Answer]:
        largest = MAX_ANSWER_BYTES // len(statements)
        bounded = [replace(statement, largest_bytes=largest, asker=asker) for statement in statements]
        try:
            return await all_of(self._warehouse.query(statement, timeout) for statement in bounded)
        except BadPattern as error:  # too large for RE2, say
            named = {pattern: path for each in statements for pattern, path in each.patterns.items()}
            raise refusal(error, named) from error


def _until(deadline: float | None) -> float | None:
    """The seconds that are left."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.001)


async def all_of(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All at once; when one fails, or the caller is cancelled, the others are given up."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
