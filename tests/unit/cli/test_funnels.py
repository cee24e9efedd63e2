"""`burgee query funnel` and its relatives, against a server in the process."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from burgee.v1 import capture_pb2

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
SPAN = ("--start", "2026-11-02", "--end", "2026-11-23")
STEPS = ("signed_up", "report_created", "report_shared")


@pytest.fixture(scope="module")
def admin(shared_admin):
    """One for all tests, which only ask, or make what has a key of its own."""
    return shared_admin


@pytest.fixture(scope="module")
async def used(admin, loaded):
    """Twenty people of two companies; most create a report, those who invite somebody share it."""
    events = []
    for number in range(20):
        company = "acme" if number % 2 else "globex"
        began = START + timedelta(hours=11 * number)
        ways = [("signed_up", 0)]
        ways += [("invited", 1)] if number % 4 in (1, 3) and number < 14 else []
        ways += [("asked_for_help", 2)] if number == 3 else []
        ways += [("report_created", 3 + number % 5)] if number % 5 else []
        ways += [("report_shared", 12 + number)] if number % 2 and number % 5 and number < 16 else []
        for name, hours in ways:
            at = began + timedelta(hours=hours)
            micros = round(at.timestamp()) * 1_000_000
            event = capture_pb2.Event(event=name, distinct_id=f"user-{number:02}", timestamp_micros=micros)
            event.groups["company"] = company
            events.append(event)
    await admin.send(*events)
    await loaded()


async def test_a_funnel_is_asked_about_in_every_way(used, run):
    """Tables, JSON and CSV; the options reach the server."""

    async def asked(command, *options):
        return (await run("query", command, *STEPS, *SPAN, *options)).output

    def counts(output):
        return [row["count"] for row in json.loads(output)["rows"]]

    assert counts(await asked("funnel", "--json")) == [20, 16, 6]
    assert counts(await asked("funnel", "--order", "strict", "--json")) == [20, 10, 0]
    assert counts(await asked("funnel", "--order", "unordered", "--json")) == [20, 16, 6]
    assert counts(await asked("funnel", "--exclude", "asked_for_help", "--json")) == [19, 15, 5]
    assert counts(await asked("funnel", "--exclude", "2..3 asked_for_help", "--json")) == [20, 16, 6]
    of_step = await asked("funnel", "--by", "company.key", "--attribution", "step:3", "--json")
    assert counts(of_step) == [6, 6, 6]

    assert "│ user-01 │       3 │" in await asked("funnel-people")
    lost = json.loads(await asked("funnel-people", "--step", "2", "--lost", "--json"))
    assert [actor["key"] for actor in lost["actors"]] == ["user-00", "user-05", "user-10", "user-15"]
    page = json.loads(await asked("funnel-people", "--page-size", "5", "--json"))
    rest = await asked("funnel-people", "--page-token", page["next_page_token"], "--csv")
    assert [row["key"] for row in csv.DictReader(io.StringIO(rest))] == ["user-13"]

    assert "│ in all" in await asked("funnel-times", "--bins", "3")
    assert [row["step"] for row in json.loads(await asked("funnel-times", "--json"))["rows"]] == [*STEPS[1:], None]
    assert "│ 2026-11-02 │" in await asked("funnel-over-time", "--interval", "week")
    compared = await asked(
        "funnel-compare", "--first", "company.key equals acme", "--second", "company.key equals globex"
    )
    assert "first: company.key equals acme, 10; second: company.key equals globex, 10" in compared
    parts = await asked("funnel-compare", "--by", "company.key", "--parts", "acme", "globex", "--json")
    rows = json.loads(parts)["rows"]
    assert [(row["first"], row["first_count"], row["first_of"]) for row in rows] == [(0.8, 8, 10), (0.6, 6, 10)]
    assert [(row["second_count"], row["second_of"]) for row in rows] == [(8, 10), (0, 10)]
    assert "│ invited" in await asked("funnel-correlation", "--least", "2")
    with_it = json.loads(await asked("funnel-correlation", "--least", "1", "--json"))
    assert (with_it["converted"], with_it["dropped"]) == (6, 14)
    assert json.loads(await asked("funnel-correlation", "--properties", "--json"))["rows"] == []


@pytest.fixture(scope="module")
async def awkward(admin, loaded):
    """Five people whose plans and countries look like something else, or are missing."""
    people = {
        "ann": {"plan": "(missing)", "country": "DE"},
        "bob": {"plan": "a / b", "country": "DE"},
        "eve": {"plan": '"', "country": "(other)"},
        "fay": {"country": "DE"},
        "gil": {},
    }
    micros = round(START.timestamp()) * 1_000_000
    await admin.send(
        *(
            capture_pb2.Event(
                event=name, distinct_id=who, timestamp_micros=micros + later, properties_json=json.dumps(properties)
            )
            for who, properties in people.items()
            for later, name in enumerate(("began", "ended"))
        )
    )
    await loaded()


async def test_any_part_of_a_breakdown_is_named_as_tables_show_it(awkward, run):
    """Those without a value, all others, and combinations; what would be taken for one of these stands in quotes."""

    async def who(part, *by, limit="10"):
        split = [word for attribute in by for word in ("--by", f"event.{attribute}")]
        asked = ("began", "ended", *SPAN, *split, "--limit", limit, "--part", part, "--json")
        listed = await run("query", "funnel-people", *asked)
        return [actor["key"] for actor in json.loads(listed.output)["actors"]]

    assert await who("a / b", "plan") == ["bob"]
    assert await who("(missing)", "plan") == ["fay", "gil"]
    assert await who('"(missing)"', "plan") == ["ann"]
    assert await who('"\\""', "plan") == ["eve"]
    assert await who("(other)", "country", limit="1") == ["eve"]
    assert await who('"(other)"', "country") == ["eve"]
    assert await who("(missing) / DE", "plan", "country") == ["fay"]
    assert await who('"(missing)" / DE', "plan", "country") == ["ann"]
    assert await who('"a / b" / DE', "plan", "country") == ["bob"]
    assert await who("(missing)", "plan", "country") == await who("(missing) / (missing)", "plan", "country") == ["gil"]
    sides = ("--by", "event.plan", "--by", "event.country", "--parts", "(missing) / DE", "(missing)")
    compared = await run("query", "funnel-compare", "began", "ended", *SPAN, *sides)
    assert "first: event.plan / event.country: (missing) / DE, 1; second: event.plan / event.country: (missing), 1" in (
        compared.output
    )


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("pro", "a value of each of the 2 attributes of --by"),
        ("a / b / DE", "a value with ' / ' in it stands in double quotes"),
        ("(other) / DE", "(other) is all others together"),
        ('"pro / DE', "a value of each"),
        ('"\\x" / DE', "text as JSON has it"),
        ('"\\ud800" / DE', "no letter"),
        ("\udc80 / DE", "no letter"),
    ],
)
async def test_what_is_no_part_is_said_before_the_server_is_asked(run, part, words):
    """With its place, and what would be one."""
    split = ("--by", "event.plan", "--by", "event.country")
    refused = await run("query", "funnel-people", "a", "b", *split, "--part", part, code=2)
    assert "--part: " in refused.output
    assert words in refused.output


@pytest.mark.parametrize(
    ("command", "options", "word"),
    [
        ("funnel", ("--attribution", "step:x"), "--attribution"),
        ("funnel-compare", ("--first", "company.key equals acme"), "--second"),
        ("funnel-compare", (), "--parts"),
    ],
)
async def test_what_cannot_be_meant_is_said_before_the_server_is_asked(run, command, options, word):
    """With the option's name."""
    assert word in (await run("query", command, "a", "b", *options, code=2)).output


async def test_a_misspelt_event_is_named_beside_the_empty_answer(used, run):
    """On standard error, in tables, CSV and lists of keys; in JSON it is a part of the answer."""
    told = "nobody has ever sent an event 'signed_upp': 'signed_up'?\n"
    for options in ((), ("--csv",)):
        assert (await run("query", "funnel", "signed_upp", "report_created", *SPAN, *options)).stderr == told
    listed = await run("query", "stickiness", "signed_upp", *SPAN, "--who", "1")
    asked = await run("query", "funnel", "signed_upp", "report_created", *SPAN, "--json")
    assert (listed.stdout, listed.stderr.partition(": ")[0]) == ("", "nobody")
    assert listed.stderr.endswith(told)
    assert json.loads(asked.stdout)["info"]["unknown_events"] == {"signed_upp": ["signed_up"]}
    split = await run("query", "funnel", "signed_up", "report_created", *SPAN, "--by", "company.plan")
    where = await run("query", "funnel", "signed_up", "invited", *SPAN, "--where", "event.x is_set", "--json")
    assert split.stderr == "nothing has ever had a property 'company.plan'\n"
    assert json.loads(where.stdout)["info"]["unknown_properties"] == {"event.x": []}
    assert (await run("query", "trend", "signed_up", *SPAN)).stderr == ""
