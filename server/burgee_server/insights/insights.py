"""Asks the warehouse, and turns its rows into answers."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked, Plan, Question
from burgee_server.insights.timerange import span
from burgee_server.insights.words import QueryInfo
from burgee_server.ports.clock import Clock
from burgee_server.ports.vocabulary import Vocabularies
from burgee_server.ports.warehouse import Answer, BadPattern, Statement, Warehouse

QuestionT = TypeVar("QuestionT", bound=Question)
AnswerT = TypeVar("AnswerT")


class Insights:
    """Answers questions about one environment at a time."""

    def __init__(self, warehouse: Warehouse, vocabularies: Vocabularies, clock: Clock) -> None:
        self._warehouse = warehouse
        self._vocabularies = vocabularies
        self._clock = clock

    async def ask(
        self,
        plan: Callable[[QuestionT, Asked], Plan[AnswerT]],
        query: QuestionT,
        environment_id: int,
        group_types: Collection[str],
        timeout: float | None = None,
    ) -> AnswerT:
        """The answer to a question, planned by its insight: `ask(plan_trend, TrendQuery(…), …)`.

        `group_types` are those that the environment has seen. Raises Invalid with the fields of the request on the
        wire, TimedOut after `timeout` seconds, and what Warehouse.query raises.
        """
        started, now = time.monotonic(), self._clock.now()
        vocabulary = await self._vocabularies.of(environment_id)
        asked = Asked(environment_id, span(query.range, query.time_zone, now), group_types, now, vocabulary)
        planned = plan(query, asked)
        answers = await self._ask(planned.statements, timeout)
        rows_read = sum(answer.rows_read for answer in answers)
        info = QueryInfo(time.monotonic() - started, rows_read, asked.span.start, asked.span.end)
        return planned.answer([answer.rows for answer in answers], info)

    async def _ask(self, statements: Sequence[Statement], timeout: float | None) -> list[Answer]:
        """All at once; when one fails the others are given up, and its error is the caller's."""
        tasks = [asyncio.create_task(self._warehouse.query(statement, timeout)) for statement in statements]
        try:
            return await asyncio.gather(*tasks)
        except BadPattern as error:  # too large for RE2, say; which filter it was, the warehouse does not know
            raise Invalid.of("filter", f"a pattern in a filter does not compile: {error}") from error
        finally:
            for task in tasks:
                task.cancel()
