"""With what a span is compared."""

from datetime import UTC, datetime, timedelta

import pytest

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Terms
from burgee_server.insights.comparison import other_span
from burgee_server.insights.timerange import Span, span
from burgee_server.insights.trend import Series, TrendQuery, plan_trend
from burgee_server.insights.words import TimeRange
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import NOW as ASKED_AT
from tests.unit.insights.asking import FixedClock

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)


def compared(start: str, end: str, compare: str) -> Span | None:
    """Beside which span, in Berlin."""
    range_ = TimeRange(start, end, compare)
    return other_span(range_, span(range_, "Europe/Berlin", NOW), NOW)


@pytest.mark.parametrize(
    ("start", "end", "compare", "other_start", "other_end"),
    [
        ("-90d", "", "previous", "2025-10-02T14:30+02:00", "2025-12-31T14:30+01:00"),
        ("", "now", "previous", "2026-01-30T14:30+01:00", "2026-03-01T14:30+01:00"),
        ("-3h", "", "previous", "2026-03-31T08:30+02:00", "2026-03-31T11:30+02:00"),
        ("today", "", "previous", "2026-03-30T00:00+02:00", "2026-03-30T14:30+02:00"),
        ("yesterday", "", "previous", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("this week", "", "previous", "2026-03-23T00:00+01:00", "2026-03-24T14:30+01:00"),
        ("this month", "", "previous", "2026-02-01T00:00+01:00", "2026-02-28T14:30+01:00"),
        ("last month", "", "previous", "2026-01-01T00:00+01:00", "2026-02-01T00:00+01:00"),
        ("this quarter", "", "previous", "2025-10-01T00:00+02:00", "2025-12-31T14:30+01:00"),
        ("last year", "", "previous", "2024-01-01T00:00+01:00", "2025-01-01T00:00+01:00"),
        ("2026-03-01", "2026-04-01", "previous", "2026-02-01T00:00+01:00", "2026-03-01T00:00+01:00"),
        ("2026-01-01", "2026-03-01", "previous", "2025-11-01T00:00+01:00", "2026-01-01T00:00+01:00"),
        ("2026-03-28", "2026-03-31", "previous", "2026-03-25T00:00+01:00", "2026-03-28T00:00+01:00"),
        ("2026-03-28T10:00", "2026-03-30", "previous", "2026-03-26T21:00+01:00", "2026-03-28T10:00+01:00"),
        ("this month", "", "-1y", "2025-03-01T00:00+01:00", "2025-03-31T14:30+02:00"),
        ("-7d", "", "-1w", "2026-03-17T14:30+01:00", "2026-03-24T14:30+01:00"),
        ("-7d", "", "2026-02-01/2026-02-15T10:00", "2026-02-01T00:00+01:00", "2026-02-15T10:00+01:00"),
        ("all", "", "-3d/2026-03-31T10:00:00Z", "2026-03-28T14:30+01:00", "2026-03-31T12:00+02:00"),
    ],
)
def test_the_other_span(start: str, end: str, compare: str, other_start: str, other_end: str) -> None:
    """The one before in the units of the question, whatever the clocks did, the same some time ago, or any told."""
    other = compared(start, end, compare)
    assert other is not None
    assert (other.start, other.end) == (datetime.fromisoformat(other_start), datetime.fromisoformat(other_end))


@pytest.mark.parametrize(
    ("start", "end", "compare"),
    [
        ("all", "", "previous"),
        ("-30d", "", "before"),
        ("-30d", "", "1y"),
        ("-30d", "", "-0d"),
        ("-30d", "", "-99999y"),
        ("2026-03-29", "2026-03-31", "-1m"),  # both are the 28th of February
        ("1950-01-01", "2026-01-01", "previous"),
        ("-30d", "", "2026-02-01/"),
        ("-30d", "", "2026-02-01/2026-02-02/2026-02-03"),
        ("-30d", "", "2026-02-02/2026-02-01"),
        ("-30d", "", "today/now"),
        ("-30d", "", "1850-01-01/1951-01-01"),
    ],
)
def test_what_cannot_be_compared_is_refused(start: str, end: str, compare: str) -> None:
    """Nonsense, what lies ahead, and spans of which nothing is left."""
    with pytest.raises(Invalid) as error:
        compared(start, end, compare)
    assert [violation.field for violation in error.value.violations] == ["range.compare"]


async def test_the_same_question_is_asked_of_both_spans(environment: Environment) -> None:
    """And a question of all time begins with the first event."""
    days = (1, 1, 9, 20)
    await environment.load(*(Fact(timestamp=ASKED_AT - timedelta(days=day)) for day in days))
    asked = insights(environment.warehouse, FixedClock())

    async def ask(range_: TimeRange) -> tuple[float | None, ...]:
        query = TrendQuery((Series(),), range_)
        both = await asked.ask(plan_trend, query, Terms(environment.environment_id, ()))
        return tuple(answer and answer.rows[0].total for answer in (both.answer, both.previous))

    assert await ask(TimeRange("-7d", compare="previous")) == (2, 1)
    assert await ask(TimeRange("-7d")) == (2, None)
    assert await ask(TimeRange("all")) == (4, None)
