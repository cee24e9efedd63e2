"""Asks the warehouse, and turns its rows into answers."""

import asyncio
import time
from collections.abc import Collection, Sequence

from burgee_server.errors import Invalid
from burgee_server.insights.funnel import plan_funnel
from burgee_server.insights.model import Funnel, FunnelQuery, QueryInfo, Trend, TrendQuery
from burgee_server.insights.timerange import Span, span
from burgee_server.insights.trend import plan_trend
from burgee_server.ports.clock import Clock
from burgee_server.ports.warehouse import Answer, BadPattern, Statement, Warehouse


class Insights:
    """Answers questions about one environment at a time; `group_types` are those that it has seen.

    Raises Invalid with the fields of the request in insights.proto, TimedOut after `timeout` seconds, and what
    Warehouse.query raises.
    """

    def __init__(self, warehouse: Warehouse, clock: Clock) -> None:
        self._warehouse = warehouse
        self._clock = clock

    async def trend(
        self, environment_id: int, query: TrendQuery, group_types: Collection[str], timeout: float | None = None
    ) -> Trend:
        """How much, over time. The series are counted side by side."""
        started, now = time.monotonic(), self._clock.now()
        asked = span(query.range, query.time_zone, now)
        plan = plan_trend(query, environment_id, asked, group_types, now)
        answers = await self._ask(plan.statements, timeout)
        rows = [row for index, answer in enumerate(answers) for row in plan.rows(index, answer.rows)]
        return Trend(plan.columns, tuple(rows), _info(started, answers, asked))

    async def funnel(
        self, environment_id: int, query: FunnelQuery, group_types: Collection[str], timeout: float | None = None
    ) -> Funnel:
        """How many got from the first step to the last."""
        started, now = time.monotonic(), self._clock.now()
        asked = span(query.range, query.time_zone, now)
        plan = plan_funnel(query, environment_id, asked, group_types, now)
        answers = await self._ask([plan.statement], timeout)
        return Funnel(tuple(plan.rows(answers[0].rows)), _info(started, answers, asked))

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


def _info(started: float, answers: Sequence[Answer], asked: Span) -> QueryInfo:
    rows_read = sum(answer.rows_read for answer in answers)
    return QueryInfo(time.monotonic() - started, rows_read, asked.start, asked.end)
