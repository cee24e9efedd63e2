"""Tables of questions: what they are of, what is compared with what, and which columns are not whole."""

from datetime import UTC, datetime, timedelta
from math import nan
from zoneinfo import ZoneInfo

import pytest

from burgee.insights import QueryInfo
from burgee.v1 import capture_pb2
from burgee_server.cli.query.options import change_text, is_whole

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def admin(shared_admin):
    """One for all tests, which only ask, or make what has a key of its own."""
    return shared_admin


@pytest.fixture(scope="module")
async def used(admin, loaded):
    """Two weeks of reports: one a day by acme, then two; globex makes some in the second week only."""
    events = []
    for day in range(14):
        at = datetime(2026, 11, 2, 12, tzinfo=UTC) + timedelta(day)
        makers = ["acme"] if day < 7 else ["acme", "acme", "globex"]
        for company in makers:
            event = capture_pb2.Event(
                event="report_created", distinct_id=f"ann@{company}", properties_json='{"pages":3}'
            )
            event.timestamp_micros = round(at.timestamp()) * 1_000_000
            event.groups["company"] = company
            events.append(event)
    await admin.send(*events)
    await loaded()


def lines(output):
    """The cells of each line of a table."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines() if line.startswith("│")]


async def test_a_trend_is_held_against_the_span_before_in_its_own_table(used, run):
    """The total of that span and the change; the table of that span is below, and named as that."""
    span = ("--start", "2026-11-09", "--end", "2026-11-16", "--compare", "previous")
    shown = (await run("query", "trend", "report_created", *span, "--interval", "week")).stdout
    asked, compared = shown.split("\ncompared with:\n")
    assert lines(asked)[-2:] == [["total", "21", ""], ["before", "7", "since then +200.0%"]]
    assert lines(compared)[-1] == ["total", "7", ""]
    split = (await run("query", "trend", "report_created", *span, "--by", "company.key")).stdout
    assert [[row[0], *row[-3:]] for row in lines(split)[:2]] == [
        ["acme", "14", "7", "+100.0%"],
        ["globex", "7", "–", "–"],
    ]


async def test_a_funnel_is_held_against_the_span_before_step_by_step(used, run):
    """How many there were at each step, and their share."""
    span = ("--start", "2026-11-09", "--end", "2026-11-16", "--compare", "previous", "--count-by", "company")
    shown = (await run("query", "funnel", "report_created", "report_created", *span)).stdout
    assert [row[-1] for row in lines(shown)[:2]] == ["1 (100.0%)", "1 (100.0%)"]


async def test_what_a_number_is_stands_above_it(used, run):
    """The property of a sum, a running total, a moving average; the events of a retention; sides of a comparison."""
    span = ("--start", "2026-11-02", "--end", "2026-11-16")

    async def title(command, *options):
        return (await run("query", command, *options, *span)).stdout.splitlines()[0]

    summed = ("report_created", "--measure", "sum", "--property", "pages")
    assert await title("trend", *summed, "--cumulative") == (
        "sum of pages of report_created by day, each with all before it"
    )
    assert (
        await title("trend", "report_created", "--moving-average", "3") == "total of report_created by day, mean of 3"
    )
    assert await title("retention", "report_created", "--count-by", "company", "--window", "rolling", "--churn") == (
        "company by week of the first report_created; share without report_created so many weeks later,"
        " counted from the own start"
    )
    sides = ("--first", "company.key in acme,globex", "--second", "event.pages gt 3")
    assert await title("funnel-compare", "report_created", "report_created", *sides) == (
        "first: company.key in acme,globex, 2; second: event.pages gt 3, 0"
    )
    parts = ("--by", "company.key", "--parts", "acme", "globex")
    assert await title("funnel-compare", "report_created", "report_created", *parts) == (
        "first: company.key: acme, 1; second: company.key: globex, 1"
    )
    assert (await title("retention")).startswith("user by week of the first event; share with any event so many")
    steps = ("report_created", "report_shared")
    assert await title("funnel-over-time", *steps) == "report_created → report_shared, by when they entered"


async def test_columns_that_the_range_cuts_are_starred_and_no_others(used, run):
    """A week of which the range has a part looks like a loss; without such there is no star and no word of it."""
    cut = (await run("query", "trend", "--interval", "week", "--start", "2026-11-04", "--end", "2026-11-17")).stdout
    whole = (await run("query", "trend", "--interval", "week", "--start", "2026-11-02", "--end", "2026-11-16")).stdout
    assert [row[0] for row in lines(cut)] == ["2026-11-02*", "2026-11-09", "2026-11-16*", "total"]
    assert "* is not over, or not in the range as a whole" in cut
    assert "*" not in whole


async def test_an_empty_answer_says_that_it_is_empty(used, run):
    """In a table without rows, and where no path goes further than its first event."""
    span = ("--start", "2026-11-02", "--end", "2026-11-16")
    for options in (
        ("trend", "nope"),
        ("funnel", "nope", "report_created"),
        ("funnel-times", "nope", "report_created"),
    ):
        shown = await run("query", *options, "--by", "event.pages", *span)
        assert "none" in shown.stdout.splitlines()
    paths = (await run("query", "paths", "--after", "report_created", *span)).stdout
    assert "nothing is followed by anything within 30m: --gap 1d, say, lets more time pass" in paths


@pytest.mark.parametrize(
    ("interval", "start", "end"),
    [
        ("hour", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"),
        ("day", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("week", "2026-10-19T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("month", "2026-12-01T00:00+01:00", "2027-01-01T00:00+01:00"),
        ("quarter", "2026-10-01T00:00+02:00", "2027-01-01T00:00+01:00"),
        ("year", "2026-01-01T00:00+01:00", "2027-01-01T00:00+01:00"),
    ],
)
def test_a_column_is_whole_if_its_first_and_its_last_moment_are_in_the_range(interval, start, end):
    """By the calendar and the clocks of the time zone, which are set back in the night to 26 October."""
    begin, after = datetime.fromisoformat(start), datetime.fromisoformat(end)
    instant = timedelta(microseconds=1)

    def whole(first, last, complete_until=None):
        """The moment until which it is complete is the end, unless it is given."""
        info = QueryInfo(timedelta(), 0, complete_until or last, first.astimezone(UTC), last.astimezone(UTC))
        return is_whole(begin, interval, BERLIN, info)

    assert whole(begin, after)
    assert not whole(begin + instant, after)
    assert not whole(begin, after - instant)
    assert not whole(begin, after + timedelta(days=400), complete_until=after - instant)
    assert not whole(begin, after - instant, complete_until=after)


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (3, 2, "+50.0%"),
        (0, 2, "-100.0%"),
        (-1, 2, "-150.0%"),
        (2, 0, "–"),
        (-50, -100, "–"),
        (50, -100, "–"),
        (nan, 2, "–"),
        (2, nan, "–"),
    ],
)
def test_a_change_is_told_as_a_part_of_what_was_before_where_that_is_more_than_none(now, before, text):
    """From less than none, up and down would be told the wrong way round; of what is no number nothing is told."""
    assert change_text(now, before) == text
