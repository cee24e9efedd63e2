"""Every kind of question as a table, as JSON and as CSV: with an answer and without, alone and beside another span."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from burgee.v1 import capture_pb2

WEEK = ("--start", "2026-11-09", "--end", "2026-11-16")
EMPTY = ("--start", "2020-11-09", "--end", "2020-11-16")
STEPS = ("signed_up", "reported")
SIDES = ("--first", "company.key equals acme", "--second", "company.key equals globex")

KINDS = {
    "trend": ("reported", "--by", "company.key"),
    "funnel": (*STEPS, "--by", "company.key"),
    "funnel-people": STEPS,
    "funnel-times": (*STEPS, "--by", "company.key"),
    "funnel-over-time": (*STEPS, "--by", "company.key"),
    "funnel-compare": (*STEPS, *SIDES),
    "funnel-correlation": (*STEPS, "--least", "1"),
    "retention": ("reported", "--by", "company.key", "--interval", "day", "--starts", "recurring", "--periods", "2"),
    "lifecycle": ("reported", "--interval", "day"),
    "stickiness": ("reported", "--by", "company.key"),
    "paths": ("--gap", "1d"),
    "features": ("reported", "signed_up"),
}
ALWAYS_ROWS = {"lifecycle", "features", "funnel-compare"}
"""Those whose rows are columns of time, or what was asked for."""

COMPARED = {kind: words for kind, words in KINDS.items() if kind != "funnel-people"}
"""Those that are not lists of people."""

LISTS = {
    "retention": (
        "reported",
        "--interval",
        "day",
        "--starts",
        "recurring",
        "--who",
        "returned",
        "--column",
        "2026-11-09",
    ),
    "lifecycle": ("reported", "--interval", "day", "--who", "returning"),
    "stickiness": ("reported", "--who", "7"),
}


@pytest.fixture(scope="module")
def admin(shared_admin):
    """One for all tests, which only ask, or make what has a key of its own."""
    return shared_admin


@pytest.fixture(scope="module")
async def used(admin, loaded):
    """Two weeks: ann of acme signs up and reports each day; bob of globex does so in the second week only."""
    events = []
    for day in range(14):
        for who, company in (("ann", "acme"), ("bob", "globex"))[: 1 if day < 7 else 2]:
            for hour, name in ((9, "signed_up"), (10, "opened"), (12, "reported")):
                at = datetime(2026, 11, 2, hour, tzinfo=UTC) + timedelta(day)
                micros = round(at.timestamp()) * 1_000_000
                event = capture_pb2.Event(event=name, distinct_id=who, timestamp_micros=micros)
                event.groups["company"] = company
                events.append(event)
    await admin.send(*events)
    await loaded()


async def test_json_says_what_was_asked_and_what_it_cost_and_so_of_the_other_span(run, used):
    """Of every kind."""
    for kind, words in COMPARED.items():
        answer = json.loads((await run("query", kind, *words, *WEEK, "--compare", "previous", "--json")).stdout)
        for each, start in ((answer, "2026-11-09"), (answer["previous"], "2026-11-02")):
            assert each["info"]["start"] == f"{start}T00:00:00+00:00", kind
            assert each["info"].keys() >= {"end", "complete_until", "elapsed_seconds", "rows_read"}, kind
        asked = answer["asked"].get("funnel", answer["asked"])
        assert asked["range"]["start"].startswith("2026-11-09"), kind


async def test_csv_has_a_line_of_names_of_nothing_too_and_says_which_span_a_row_is_of(run, used):
    """The names are the same with rows and without."""

    async def read(*words):
        return list(csv.reader(io.StringIO((await run("query", *words, "--csv")).stdout)))

    for kind, words in KINDS.items():
        names, *rows = await read(kind, *words, *WEEK)
        assert rows, kind
        assert all(len(row) == len(names) for row in rows), kind
        nothing, *none = await read(kind, *words, *EMPTY)
        assert (nothing, bool(none)) == (names, kind in ALWAYS_ROWS), kind
        if kind not in COMPARED:
            continue
        head, *both = await read(kind, *words, *WEEK, "--compare", "previous")
        assert head == ["span", *names], kind
        assert {row[0] for row in both} == {"asked", "previous"}, kind
        head, *_ = await read(kind, *words, *EMPTY, "--compare", "previous")
        assert head == ["span", *names], kind


async def test_a_list_of_people_says_what_was_asked_and_what_it_cost(run, used):
    """In JSON as every answer, and beside the lines on standard error, so that they can be piped; CSV has its name."""
    for kind, words in LISTS.items():
        document = json.loads((await run("query", kind, *words, *WEEK, "--json")).stdout)
        assert document["keys"] == ["ann", "bob"], kind
        assert document["info"].keys() >= {"complete_until", "elapsed_seconds", "rows_read"}, kind
        assert kind in document["asked"], kind
        lines = await run("query", kind, *words, *WEEK)
        assert sorted(lines.stdout.split()) == ["ann", "bob"], kind
        assert lines.stderr.startswith("2026-11-09 00:00 to 2026-11-16 00:00 UTC · complete until "), kind
        assert (await run("query", kind, *words, *WEEK, "--csv")).stdout.split()[0] == "key", kind
        refused = await run("query", kind, *words, *WEEK, "--compare", "previous", code=2)
        assert "a list is of one span" in refused.output, kind
    refused = await run("query", "funnel-people", *STEPS, *WEEK, "--compare", "previous", code=2)
    assert "a list is of one span" in refused.output
    nobody = await run("query", "stickiness", "opened", *EMPTY, "--who", "1")
    assert (nobody.stdout, nobody.stderr.partition(": ")[0]) == ("", "nobody")
    assert (await run("query", "stickiness", "opened", *EMPTY, "--who", "1", "--csv")).stdout == "key\n"


async def test_a_list_of_people_is_saved_as_the_list_that_it_is(run, used):
    """And not as the question that it belongs to."""
    for kind, words in LISTS.items():
        await run("query", kind, *words, *WEEK, "--save", kind)
        assert list(json.loads((await run("insights", "show", kind)).output)["question"]) == [f"{kind}_actors"]


async def test_tables_show_the_span_before_beside_their_own_numbers(run, used):
    """Where a line has one that is comparable; the table of that span is below, in every kind."""

    async def shown(kind, *words):
        output = (await run("query", kind, *words, *WEEK, "--compare", "previous")).stdout
        asked, compared = output.split("\ncompared with:\n")
        assert " UTC · complete until " in compared, kind
        return [[cell.strip() for cell in line.split("│")[1:-1]] for line in asked.splitlines() if "│" in line]

    for kind, words in COMPARED.items():
        await shown(kind, *words)
    assert [[row[0], row[-1]] for row in await shown("funnel", *KINDS["funnel"])] == [
        ["acme", "1 (100%)"],
        ["globex", "–"],
    ]
    assert [row[-2:] for row in await shown("features", "reported")] == [["1", "+100.0%"]]
    assert [row[-2:] for row in await shown("stickiness", "reported")][-1] == ["100.0%", "100.0%"]
    assert [row[6] for row in await shown("lifecycle", *KINDS["lifecycle"])] == ["1"] * 7
    assert [row[-1] for row in await shown("funnel-times", *STEPS)][:2] == ["3:00:00", "3:00:00"]
    over_time = await shown("funnel-over-time", *KINDS["funnel-over-time"])
    assert [row[4] for row in over_time] == [*["100.0%"] * 7, *["–"] * 7], "of acme, and of globex, which was not there"
    assert [row[-1] for row in await shown("funnel-compare", *KINDS["funnel-compare"])] == ["+100.0%"]
    odds = await shown("funnel-correlation", *KINDS["funnel-correlation"])
    assert [(row[0], row[-1]) for row in odds] == [("opened", "3×")]
    edges = await shown("paths", *KINDS["paths"])
    assert [edges[0][index] for index in (1, 2, 3, -1)] == ["signed_up", "opened", "2", "1"]
    means = await shown("retention", "reported", "--interval", "day", "--starts", "recurring", "--periods", "2")
    assert [row[:3] for row in means[-2:]] == [["of all that are over", "14", "100.0%"], ["before", "7", "100.0%"]]


async def test_saved_insights_show_the_span_before_beside_their_own_numbers(run, used):
    """Of every kind; a row without one in the other span has a dash."""

    async def shown(kind):
        await run("query", kind, *COMPARED[kind], *WEEK, "--compare", "previous", "--save", f"compared-{kind}")
        asked, compared = (await run("insights", "ask", f"compared-{kind}")).stdout.split("\ncompared with:\n")
        assert " before " not in compared, kind
        head = next(line for line in asked.splitlines() if line.startswith("┃"))
        names = [cell.strip() for cell in head.split("┃")[1:-1]]
        lines = [line.split("│")[1:-1] for line in asked.splitlines() if line.startswith("│")]
        return [dict(zip(names, (cell.strip() for cell in line), strict=True)) for line in lines]

    rows = {kind: await shown(kind) for kind in COMPARED if kind != "trend"}
    assert [(row["part"], row["count before"], row["conversion from first before"]) for row in rows["funnel"]] == [
        *[("acme", "1", "100.0%")] * 2,
        *[("globex", "–", "–")] * 2,
    ]
    assert {(row["part"], row["median before"]) for row in rows["funnel-times"]} == {
        ("acme", "10,800"),
        ("globex", "–"),
    }
    over_time = [(row["part"], row["conversion before"]) for row in rows["funnel-over-time"]]
    assert over_time == [*[("acme", "100.0%")] * 7, *[("globex", "–")] * 7], "day by day"
    assert [row["difference before"] for row in rows["funnel-compare"]] == ["1"]
    assert [(row["event"], row["odds ratio before"]) for row in rows["funnel-correlation"]] == [("opened", "3.00")]
    assert [row["share before"] for row in rows["retention"]][:3] == ["100.0%"] * 3
    assert [row["active before"] for row in rows["lifecycle"]] == ["1"] * 7
    assert rows["stickiness"][-1]["at least share before"] == "–"
    assert rows["paths"][0]["paths before"] == "1"
    assert [(row["label"], row["users before"]) for row in rows["features"]] == [("reported", "1"), ("signed_up", "1")]


async def test_a_step_that_a_funnel_has_twice_is_held_against_itself(run, used):
    """And not against the other of the same name."""
    steps = ("opened", "opened", "signed_up")
    await run("query", "funnel", *steps, *WEEK, "--window", "12h", "--compare", "previous", "--save", "twice")
    rows = json.loads((await run("insights", "ask", "twice", "--json")).stdout)["previous"]["rows"]
    assert [row["count"] for row in rows] == [1, 0, 0]
    lines = (await run("insights", "ask", "twice")).stdout.split("compared with:")[0].splitlines()
    assert [line.split("│")[-3].strip() for line in lines if line.startswith("│")] == ["1", "0", "0"]
