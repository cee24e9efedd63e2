"""What --where and `EVENT where …` ask of a server: and, or and not, for all of a question or a part of it."""

import json

import pytest

from tests.rpc.insight_calls import event

MARCH = ("--start", "2026-03-01", "--end", "2026-03-03", "--json")


@pytest.fixture(scope="module")
def admin(shared_admin):
    """One for all tests, which only ask, or make what has a key of its own."""
    return shared_admin


@pytest.fixture(scope="module")
async def used(admin, loaded):
    """Four people sign up, ask and import, two of them of acme; rows are 1 to 4."""
    events = []
    for rows, (who, company) in enumerate((("ann", "acme"), ("bob", "bolt"), ("cid", "acme"), ("dot", "dusk")), 1):
        events.append(event("signed_up", who, company, rows))
        events.append(event("asked", who, company, rows + 0.5, rows=rows))
        events.append(event("imported", who, company, 10 * rows, rows=rows))
    await admin.send(*events)
    await loaded()


@pytest.fixture
def asked(run, used):
    """The answer to a question, as JSON."""

    async def ask(*words):
        return json.loads((await run("query", *words, *MARCH)).stdout)

    return ask


async def test_a_filter_is_a_tree(asked):
    """Several --where must all hold, each of which may be put together of several."""

    async def total(*where):
        options = [word for each in where for word in ("--where", each)]
        return (await asked("trend", "imported", *options))["rows"][0]["total"]

    assert await total("company.key equals bolt or event.rows gte 3") == 3
    assert await total("not (company.key equals bolt or event.rows gte 3)") == 1
    assert await total("company.key equals bolt or event.rows gte 3 and company.key equals acme") == 2
    assert await total("company.key in acme,bolt", "event.rows lte 1 or event.rows gte 3") == 2


async def test_a_step_has_a_filter_of_its_own_and_is_called_by_it(asked):
    """As has an exclusion; the other steps do not."""

    async def counts(*words):
        return [(row["step"], row["count"]) for row in (await asked("funnel", *words))["rows"]]

    large = "imported where event.rows gt 1 and not company.key equals bolt"
    assert await counts("signed_up", large) == [("signed_up", 4), (large, 2)]
    left_out = ("--exclude", "1..2 asked where event.rows gt 2")
    assert await counts("signed_up", "imported", *left_out) == [("signed_up", 2), ("imported", 2)]
    assert await counts("imported where event.rows lt 3", "imported") == [
        ("imported where event.rows lt 3", 2),
        ("imported", 0),
    ]


async def test_every_kind_of_question_takes_an_event_with_a_filter(asked):
    """And calls what has several of them by it."""
    small = "imported where event.rows lt 3"
    assert [(row["label"], row["total"]) for row in (await asked("trend", small, "imported"))["rows"]] == [
        (small, 2),
        ("imported", 4),
    ]
    assert (await asked("retention", small))["tables"][0]["rows"][0]["size"] == 2
    assert sum(column["new"] for column in (await asked("lifecycle", small))["columns"]) == 2
    assert (await asked("stickiness", small))["rows"][0]["size"] == 2
    assert [(use["label"], use["users"]) for use in (await asked("features", small, "imported"))["features"]] == [
        (small, 2),
        ("imported", 4),
    ]
    assert (await asked("paths", "--before", small))["paths"] == 2


async def test_sides_of_a_comparison_are_trees_and_stand_above_the_table(run, used):
    """As they are typed."""
    sides = ("--first", "company.key equals acme or company.key equals bolt", "--second", "not company.key equals acme")
    shown = (await run("query", "funnel-compare", "signed_up", "imported", *sides, *MARCH[:4])).stdout
    assert shown.splitlines()[0] == (
        "first: company.key equals acme or company.key equals bolt, 3; second: not company.key equals acme, 2"
    )


async def test_actions_and_cohorts_are_made_of_events_with_filters(run, used, asked):
    """Beside the --where that is for all; an action is made of no action."""
    made = await run("actions", "create", "big", "imported where event.rows gt 1", "--where", "not event.rows gt 3")
    assert made.output == "big is any of: imported where event.rows gt 1 and not event.rows gt 3\n"
    assert (await asked("trend", "@big"))["rows"][0]["total"] == 2
    assert (await asked("trend", "@big where event.rows gt 2"))["rows"][0]["total"] == 1
    refused = await run("actions", "create", "bigger", "@big", code=2)
    assert "@big: an action is made of events; @@big is the event" in refused.output

    did = ("--did", "imported where event.rows gt 3", "--start", "2026-03-01")
    await run("cohorts", "create", "many", "--group-type", "user", *did)
    assert (await asked("trend", "imported", "--where", "user.key in_cohort many"))["rows"][0]["total"] == 1


async def test_a_rule_of_a_flag_takes_what_must_all_hold_and_says_what_to_do_about_the_rest(run):
    """With `and`, or with several --where."""
    both = ("--where", "company.plan equals pro and company.seats gt 3", "--where", "user.role equals admin")
    await run("flags", "create", "reports", *both)
    [rule] = json.loads((await run("flags", "show", "reports")).output)["rules"]
    assert [each["attribute"] for each in rule["conditions"]] == ["company.plan", "company.seats", "user.role"]
    for typed in ("company.plan equals pro or company.seats gt 3", "not company.plan equals pro"):
        refused = (await run("flags", "set", "reports", "--where", typed, code=2)).output
        assert f"{typed!r}: a rule has conditions that must all hold" in refused


async def test_what_cannot_be_read_is_shown_with_its_place(run):
    """Before the server is asked, for options and for events."""
    where = (await run("query", "trend", "--where", "company.plan equals Big Corp", code=2)).output
    step = (await run("query", "funnel", "a", "b where event.x ==", code=2)).output
    excluded = (await run("query", "funnel", "a", "b", "--exclude", "1..2 c where event.x ==", code=2)).output
    assert "'--where': this is too much" in where
    assert "\n  company.plan equals Big Corp\n                          ^\n" in where
    assert "\n  b where event.x ==\n                  ^\n" in step
    assert "--exclude: '==' is not an operator" in excluded
