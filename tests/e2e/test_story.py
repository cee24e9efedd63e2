"""The main job from end to end: start, import, ask, roll out, restart."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

import burgee
from tests.e2e.conftest import Command
from tests.e2e.project_history import converted, history, write
from tests.fixtures.serving import wait_for


@pytest.fixture
def lines():
    """The history that is imported."""
    return history()


@pytest.fixture
def story(command, lines, tmp_path):
    """The command line in a project with the history in it."""
    answer = command.json("import", str(write(lines, tmp_path / "history.ndjson")))
    assert (answer["accepted"], answer["duplicate"], answer["rejected"]) == (len(lines), 0, 0)
    wait_until_complete(command)
    return command


def wait_until_complete(command):
    """Wait until everything acknowledged by now can be queried; that must not take long."""
    now = datetime.now(UTC)
    wait_for(lambda: datetime.fromisoformat(command.json("query", "trend")["info"]["complete_until"]) >= now, 60)


ALL = ("--start", "2011-01-01", "--end", "2016-01-01")


def total(command, *arguments, span=ALL):
    """The total of the only row of a trend."""
    [row] = command.json("query", "trend", *arguments, *span)["rows"]
    return row["total"]


def test_the_figures_of_an_imported_history_are_exact(story, lines):
    """Totals, people, companies, top companies, a year, a sum, a funnel: as counted by hand."""
    merged = [line for line in lines if line.event == "change_merged"]
    year_2013 = ("--start", "2013-01-01", "--end", "2014-01-01")
    in_2013 = [line for line in merged if line.at.year == 2013]
    in_2014 = [line for line in lines if line.at.year == 2014]
    top = Counter(line.company for line in merged).most_common(1)[0][0]

    assert total(story, "change_merged") == len(merged)
    assert total(story, "--measure", "unique_users") == len({line.person for line in lines})
    companies = ("--measure", "unique_groups", "--group-type", "company")
    assert total(story, *companies) == len({line.company for line in lines})
    assert total(story, "change_merged", span=year_2013) == len(in_2013)
    before = sum(line.at.year == 2012 for line in merged)
    compared = story.json("query", "trend", "change_merged", *year_2013, "--compare", "-1y", "--interval", "year")
    assert [row["total"] for row in (compared["rows"][0], compared["previous"]["rows"][0])] == [len(in_2013), before]
    assert compared["asked"]["interval"] == "INTERVAL_YEAR"
    table = story.run("query", "trend", "change_merged", *year_2013, "--compare", "-1y", "--interval", "year", "--csv")
    written = list(csv.DictReader(table.stdout.decode().splitlines()))
    assert [(row["span"], row["value"]) for row in written] == [
        ("asked", str(len(in_2013))),
        ("previous", str(before)),
    ]
    assert total(story, "change_merged", "--measure", "unique_users", span=year_2013) == len(
        {line.person for line in in_2013}
    )
    assert total(story, "change_merged", *companies, span=year_2013) == len({line.company for line in in_2013})
    by_top = ("--where", f"company.key equals {top}", "--measure", "sum", "--property", "insertions")
    assert total(story, "change_merged", *by_top, span=("--start", "2014-01-01", "--end", "2015-01-01")) == sum(
        line.insertions for line in in_2014 if line.event == "change_merged" and line.company == top
    )
    steps = ("change_proposed", "change_merged", "--window", "14d", "--start", "2014-01-01", "--end", "2015-01-01")
    funnel = story.json("query", "funnel", *steps)["rows"]
    expected = converted(in_2014, "change_proposed", "change_merged", timedelta(days=14))
    assert tuple(step["count"] for step in funnel) == expected


def test_the_companies_command_lists_the_top_companies_with_their_people(story, lines):
    """Events and people of each, the greatest first, and everybody else together."""
    merged = [line for line in lines if line.event == "change_merged"]
    top = Counter(line.company for line in merged).most_common(3)
    shown = {company for company, _ in top}

    rows = story.json("companies", "--event", "change_merged", "--limit", "3", *ALL)

    assert rows == [
        *(
            {
                "company": company,
                "events": count,
                "people": len({line.person for line in merged if line.company == company}),
            }
            for company, count in top
        ),
        {
            "company": "(other)",
            "events": sum(line.company not in shown for line in merged),
            "people": len({line.person for line in merged if line.company not in shown}),
        },
    ]


def test_the_same_file_twice_counts_once_plain_packed_or_piped(story, lines, tmp_path):
    """Import again, gzipped, and through a pipe: nothing is added."""
    packed = tmp_path / "history.ndjson.gz"
    packed.write_bytes(gzip.compress((tmp_path / "history.ndjson").read_bytes()))

    again = story.json("import", str(packed))
    piped = story.text("import", "-", stdin=packed.read_bytes())
    wait_until_complete(story)

    assert (again["accepted"], again["duplicate"], again["rejected"]) == (0, len(lines), 0)
    assert "0 events accepted" in piped
    assert total(story) == len(lines)


def test_lines_without_a_uuid_count_once_too_and_bad_lines_are_named(story, tmp_path):
    """A line is known again by its place and its text; a line that is no event says why, and the rest is kept."""
    good = '{"event": "seen", "distinct_id": "ann", "timestamp": 1400000000}'
    far = '{"event": "seen", "distinct_id": "ann", "timestamp": 1e300}'
    text = "\n".join([good, good, "no json", '{"event": "seen", "distinct_id": "ann"}', "", good, '{"evnt": 1}', far])
    file = tmp_path / "few.ndjson"
    file.write_text(text)

    first, second = story.run("import", str(file)), story.run("import", str(file))
    wait_until_complete(story)

    assert first.returncode == second.returncode == 3
    errors = first.stderr.decode()
    for line, field in ((3, "line"), (4, "timestamp"), (7, "evnt"), (8, "timestamp")):
        assert f"line {line}: {field}: " in errors
    assert total(story, "seen") == 3


def test_a_flag_is_rolled_out_by_company_from_the_command_line(story):
    """Create, raise, explain, list; and the client in another process sees the same."""
    story.text("flags", "create", "new-review", "--by", "company", "--rollout", "10%", "--note", "carefully")
    environment = story._environment
    keys = [f"company-{number}.example" for number in range(200)]
    with burgee.Client(environment["BURGEE_TARGET"], environment["BURGEE_API_KEY"], flag_timeout=20) as client:
        tenth = {key for key in keys if client.is_enabled("new-review", company=key)}
        story.text("flags", "set", "new-review", "--rollout", "33.333%")
        wait_for(lambda: client.resolve("new-review").flag_version == 2, 60)
        third = {key for key in keys if client.is_enabled("new-review", company=key)}

    assert tenth < third
    listed = story.json("flags", "list")
    assert [(flag["key"], flag["version"]) for flag in listed] == [("new-review", 2)]
    inside = story.text("flags", "explain", "new-review", "--group", f"company={sorted(third)[0]}")
    assert sorted(third)[0] in inside
    assert "inside 33.333%" in inside
    outside = story.text("flags", "explain", "new-review", "--user", "ann")
    assert "group missing" in outside


def test_a_rollout_between_variants_of_ones_own_is_a_rollout_of_what_is_not_off(story):
    """Half of the companies get "new": the off variant, the first, has no share in the draw."""
    story.text(
        *("flags", "create", "layout", "--type", "string", "--variant", "old=1", "--variant", "new=2"),
        *("--by", "company", "--rollout", "50%"),
    )
    [flag] = story.json("flags", "list")

    assert flag["off_variant"] == "old"
    assert flag["rules"][0]["distribution"]["weights"] == [{"variant": "new", "weight": 1}]
    assert story.run("flags", "explain", "no-such-flag", "--user", "ann").returncode == 1


def test_a_change_from_the_command_line_reaches_clients_that_outlive_the_server(serve, tmp_path):
    """By push; while the server is away flags are stale and stay; a new client has the exported file."""
    server = serve(BURGEE_DRAIN_SECONDS="3600")  # which an open stream must not use up
    command = Command(server)
    command.text("flags", "create", "new-review", "--by", "company", "--rollout", "0%")
    command.text("flags", "create", "old-review", "--rollout", "100%")
    with burgee.Client(server.target, server.key, flag_timeout=20) as client:
        assert not client.is_enabled("new-review", "ann", company="acme")
        command.text("flags", "set", "new-review", "--rollout", "100%")
        wait_for(lambda: client.is_enabled("new-review", "ann", company="acme"), 60)
        said = command.text("flags", "export", str(tmp_path / "flags.json"))
        code, _ = server.stop()
        wait_for(lambda: client.resolve("new-review", "ann", company="acme").reason is burgee.Reason.STALE, 60)

        assert client.is_enabled("new-review", "ann", company="acme")
        assert said.startswith("2 flags")
        assert code == 0
    with burgee.Client(server.target, server.key, bootstrap=tmp_path / "flags.json") as late:
        assert late.resolve("new-review", "ann", company="acme").reason is burgee.Reason.STALE
        assert late.is_enabled("new-review", "ann", company="acme")


def test_mistakes_on_the_command_line_are_told_with_the_field(story):
    """A readable message, exit code 1 or 2, no traceback."""
    for arguments, words in (
        (("flags", "create", "new review"), "flag.key"),
        (("flags", "explain", "nothing", "--group", "company"), "TYPE=KEY"),
        (("query", "trend", "--by", "compny.key"), "breakdown.attributes[0]"),
        (("query", "trend", "--time-zone", "Mars/Olympus"), "time_zone"),
        (("query", "trend", "--start", "tomorrow"), "range.start"),
        (("query", "funnel", "only_one"), "steps"),
        (("flags", "set", "nothing", "--enabled"), "NOT_FOUND"),
        (("flags", "set", "nothing", "--archive", "--rollout", "5%"), "alone"),
        (("--no-such-option",), "No such option"),
    ):
        done = story.run(*arguments)
        assert done.returncode in (1, 2), arguments
        assert words in done.stderr.decode(), done.stderr.decode()
        assert "Traceback" not in done.stderr.decode()


def test_a_flag_is_previewed_killed_restored_and_explained_as_it_was(serve, tmp_path):
    """The life of a flag on the command line; what is printed can be read, brackets and all."""
    server = serve()
    command = Command(server)
    with burgee.Client(server.target, server.key) as client:
        for number in range(25):
            client.group("company", f"company-{number}", {"plan": "pro" if number % 2 else "[b]free"})
        assert client.flush()
    command.text("flags", "create", "beta", "--by", "company", "--rollout", "0%", "--note", "start")
    edit = ("--rollout", "100%", "--where", "company.plan equals pro")

    preview = command.json("flags", "preview", "beta", *edit, "--breakdown", "plan")
    printed = command.text("flags", "preview", "beta", "--rollout", "100%", "--breakdown", "plan")
    assert {change["group_key"] for change in preview["changes"]} == {f"company-{n}" for n in range(1, 25, 2)}
    assert preview["totals"]["changed"] == sum(part["changed"] for part in preview["parts"]) == 12
    assert "25 of 25 would change" in printed
    assert "… and 5 more" in printed
    assert "[b]free" in printed

    command.text("flags", "set", "beta", *edit)
    set_at = datetime.now(UTC).isoformat()
    assert "disabled" in command.text("flags", "kill", "beta", "--note", "outage")
    history = command.text("flags", "history", "beta")
    assert "rules[rule-1].distribution.rollout: 0% → 100%" in " ".join(history.replace("│", " ").split())
    assert [each["version"] for each in command.json("flags", "history", "beta")] == [3, 2, 1]
    then = command.text("flags", "explain", "beta", "--group", "company=company-1", "--at", set_at)
    assert '"beta" gives company-1 "on"' in then
    assert "version 4, enabled" in command.text("flags", "restore", "beta", "2")
    for arguments, words in (
        (("restore", "beta", "9"), b"NOT_FOUND"),
        (("copy", "--from", "nowhere"), b"NOT_FOUND"),
        (("explain", "beta", "--at", "2020-01-01"), b"There is no flag"),
    ):
        failed = command.run("flags", *arguments)
        assert failed.returncode == 1
        assert words in failed.stdout + failed.stderr
