"""`burgee insights`, and `--save` of `burgee query`, against a server in the process."""

import json
from datetime import UTC, datetime

import pytest

from burgee.insights.saved import KINDS
from burgee.v1 import saved_pb2
from tests.rpc.insight_calls import event

MARCH = ("--start", "2026-03-01", "--end", "2026-03-03")


@pytest.fixture
async def used(admin, loaded):
    """Two companies, of which one did more."""
    await admin.send(
        event("opened", "ann", "acme", 1),
        event("opened", "bob", "bolt", 2),
        event("closed", "bob", "bolt", 3),
        event("opened", "bob", "bolt", 30),
    )
    await loaded()


async def test_what_a_command_asks_is_saved_asked_changed_and_deleted(run, used):
    """From the question to its key and back; each command says what is so now."""
    asked = await run("query", "trend", "opened", *MARCH, "--save", "opened")
    said = await run("insights", "set", "opened", "--name", "Opened a day", "--tag", "board", "--shown-to", "company")
    everybody = (await run("insights", "ask", "opened")).output
    acme = (await run("insights", "ask", "opened", "--group", "acme")).output

    assert asked.stderr == "saved as opened, version 1\n"
    assert said.output == "opened is a trend, shown to company, version 2\n"
    assert "│ opened  │ trend │ Opened a day │ board │ company  │" in (await run("insights", "list")).output
    assert "Opened a day\n" in everybody
    assert "│ opened │ 2026-03-01 │     2 │ ██" in everybody
    assert "Opened a day of company acme\n" in acme
    assert "│ opened │ 2026-03-01 │     1 │ ██" in acme

    again = await run("query", "trend", "opened", *MARCH, "--save", "opened", code=1)
    assert "insight 'opened' exists already" in again.output
    over = await run("query", "funnel", "opened", "closed", *MARCH, "--count-by", "company", "--save-over", "opened")
    assert over.stderr == "saved as opened, version 3\n"
    [listed] = json.loads((await run("insights", "list", "--json", "--tag", "board")).output)
    assert (listed["name"], list(listed["question"])) == ("Opened a day", ["funnel"])
    assert (await run("insights", "delete", "opened")).output == "opened is gone\n"
    assert "none" in (await run("insights", "list")).output


async def test_a_saved_trend_says_how_it_has_changed(run, used):
    """Its total beside that of the other span, as the question itself does: of one line, split or not, or of more."""
    week = ("--start", "2026-03-02", "--end", "2026-03-03", "--compare", "previous")
    await run("query", "trend", "opened", *week, "--save", "one")
    await run("query", "trend", "opened", *week, "--by", "company.key", "--save", "split")
    await run("query", "trend", "opened", "closed", *week, "--save", "two")

    async def shown(key):
        return [
            [cell.strip() for cell in line.split("│")[1:-1]]
            for line in (await run("insights", "ask", key)).output.splitlines()
            if "│" in line
        ]

    assert (await shown("one"))[1:3] == [["total", "–", "1", ""], ["before", "–", "2", "since then -50.0%"]]
    assert (await shown("split"))[1][1:] == ["–", "–", "1", ""], "one part, of one line"
    assert [row[-3:] for row in await shown("two")][:2] == [["1", "2", "-50.0%"], ["0", "1", "-100.0%"]]


async def test_an_insight_is_carried_as_json(run, used, tmp_path):
    """What show prints, create reads: into another environment, or back."""
    await run("query", "trend", "opened", *MARCH, "--save", "opened")
    shown = (await run("insights", "show", "opened")).output
    file = tmp_path / "insight.json"
    file.write_text(shown.replace('"key": "opened"', '"key": "other"'))

    assert (await run("insights", "create", str(file))).output == "other is a trend, version 1\n"
    other = json.loads((await run("insights", "show", "other")).output)
    assert other["question"] == json.loads(shown)["question"]
    file.write_text("{")
    assert "insight.json: " in (await run("insights", "create", str(file), code=1)).output


async def test_answers_are_json_and_csv_for_another_time_and_beside_another_span(run, used):
    """The rows of the client, and what was asked."""
    await run("query", "trend", "opened", *MARCH, "--save", "opened")
    answer = json.loads(
        (
            await run(
                "insights", "ask", "opened", "--json", "--start", "2026-03-02", "--end", "2026-03-03",
                "--compare", "previous", "--time-zone", "Europe/Berlin",
            )
        ).output
    )  # fmt: skip
    table = (await run("insights", "ask", "opened", "--csv")).output

    assert [row["value"] for row in answer["rows"]] == [1]
    assert [row["value"] for row in answer["previous"]["rows"]] == [2]
    assert (answer["kind"], answer["asked"]["time_zone"], answer["info"]["start"]) == (
        "trend",
        "Europe/Berlin",
        datetime(2026, 3, 1, 23, tzinfo=UTC).isoformat(),
    )
    compared = (await run("insights", "ask", "opened", "--csv", "--compare", "previous")).output
    assert [line.partition(",")[0] for line in compared.splitlines()] == ["span", *["asked"] * 2, *["previous"] * 2]
    assert table.splitlines()[1] == "opened,,2026-03-01T00:00:00+00:00,2"


async def test_a_board_is_asked_at_once_and_what_fails_is_said(run, used):
    """By its tag or by keys; one that has no answer leaves the others alone."""
    await run("query", "trend", "opened", *MARCH, "--save", "a")
    await run("query", "stickiness", "opened", *MARCH, "--save", "b")
    for key in ("a", "b"):
        await run("insights", "set", key, "--tag", "board")
    await run("insights", "set", "b", "--shown-to", "company")

    tagged = json.loads((await run("insights", "ask", "--tag", "board", "--json")).output)
    named = json.loads((await run("insights", "ask", "b", "a", "--json")).output)
    assert [each["key"] for each in tagged] == ["a", "b"]
    assert [each["kind"] for each in named] == ["stickiness", "trend"]
    partly = await run("insights", "ask", "--tag", "board", "--group", "acme")
    assert "b of company acme" in partly.output
    assert partly.stderr.startswith("a: INVALID_ARGUMENT: group_type")
    for wrong in (["ask"], ["ask", "a", "--tag", "board"], ["ask", "a", "b", "--csv"], ["ask", "a", "--csv", "--json"]):
        await run("insights", *wrong, code=2)


def test_every_kind_of_answer_can_be_read():
    """By the client that this is built with."""
    assert [field.name for field in saved_pb2.InsightAnswer.DESCRIPTOR.fields] == list(KINDS)
    for name, query in KINDS.items():
        assert query.method == "Query" + "".join(word.title() for word in name.split("_"))
