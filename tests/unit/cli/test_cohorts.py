"""`burgee cohorts`, and cohorts in `burgee flags`, against a server in the process."""

import json
from pathlib import Path

import burgee
from burgee_server.cli import cohort_calls


async def test_a_cohort_is_made_filled_read_and_deleted(run):
    """Each command says what is so now; JSON has everything."""
    made = await run("cohorts", "create", "beta", "--group-type", "company", "--description", "first", "--note", "new")
    added = await run("cohorts", "add", "beta", "acme", "globex", "acme")
    removed = await run("cohorts", "remove", "beta", "globex", "initech", "--note", "left")
    table = (await run("cohorts", "list")).output
    [listed] = json.loads((await run("cohorts", "list", "--json")).output)
    members = (await run("cohorts", "members", "beta")).output
    [member] = json.loads((await run("cohorts", "members", "beta", "--json")).output)

    assert made.output == "beta has 0 members of type company\n"
    assert added.output == "2 added, 0 removed, 0 were so already\nbeta has 2 members of type company\n"
    assert removed.output == "0 added, 1 removed, 1 were so already\nbeta has 1 members of type company\n"
    assert "│ beta   │ listed │ company │       1 │ first    │" in table
    assert (listed["key"], listed["member_count"], listed["version"]) == ("beta", 1, 1)
    assert "│ acme   │" in members
    assert member["key"] == "acme"
    assert (await run("cohorts", "delete", "beta")).output == "beta is gone\n"
    assert json.loads((await run("cohorts", "list", "--json")).output) == []


async def test_what_a_cohort_goes_by_and_nobody_has_ever_sent_is_said_beside_it(run):
    """When it is made, and when it is changed."""
    made = await run("cohorts", "create", "pros", "--group-type", "user", "--where", "user.pln equals pro")
    changed = await run("cohorts", "set", "pros", "--did", "reprted")
    assert "nothing has ever had a property 'user.pln'" in made.stderr
    assert "nobody has ever sent an event 'reprted'" in changed.stderr


async def test_members_come_from_a_file_or_from_standard_input(run, tmp_path: Path, monkeypatch):
    """One a line; blank lines, blanks around a key and the mark of some editors are no part of it; in several calls."""
    monkeypatch.setattr(cohort_calls, "MAX_CHANGED", 3)
    await run("cohorts", "create", "beta", "--group-type", "user")
    file = tmp_path / "keys.txt"
    file.write_bytes("\ufeffann\r\n\n  bob \n日本\nann\nc 1\n".encode())

    from_file = await run("cohorts", "add", "beta", "--file", str(file))
    piped = await run("cohorts", "remove", "beta", "--file", "-", stdin="bob\n日本\nnobody\n")
    nothing = await run("cohorts", "add", "beta", "--file", "-", stdin="")

    assert from_file.output == "4 added, 0 removed, 0 were so already\nbeta has 4 members of type user\n"
    assert piped.output.startswith("0 added, 2 removed, 1 were so already")
    assert nothing.output == "0 added, 0 removed, 0 were so already\nbeta has 2 members of type user\n"
    found = json.loads((await run("cohorts", "members", "beta", "--json")).output)
    assert [member["key"] for member in found] == ["ann", "c 1"]


async def test_a_file_with_a_bad_line_changes_nothing(run, tmp_path: Path):
    """The line is named."""
    await run("cohorts", "create", "beta", "--group-type", "user")
    for content, words in (
        (b"ann\n" + b"x" * 201, "line 2: must be at most 200"),
        (b"ann\n\n\xff\n", "line 3: is not"),
    ):
        file = tmp_path / "keys.txt"
        file.write_bytes(content)
        refused = await run("cohorts", "add", "beta", "--file", str(file), code=1)
        assert words in refused.output
    assert json.loads((await run("cohorts", "members", "beta", "--json")).output) == []


async def test_mistakes_are_told(run):
    """With the field, or with what is missing on the line."""
    for arguments, words, code in (
        (("create", "a,b", "--group-type", "company"), "cohort.key", 1),
        (("create", "beta"), "--group-type", 2),
        (("add", "beta"), "name members", 2),
        (("add", "never", "acme"), "no cohort 'never'", 1),
        (("delete", "never"), "no cohort 'never'", 1),
    ):
        assert words in (await run("cohorts", *arguments, code=code)).output


async def test_flags_ask_for_cohorts_and_take_them_along(run, tmp_path: Path):
    """Created with --where, explained, in the way of a deletion, exported for clients without a server."""
    await run("cohorts", "create", "beta", "--group-type", "company")
    await run("cohorts", "create", "unused", "--group-type", "company")
    await run("cohorts", "add", "beta", "acme", "globex")
    await run("flags", "create", "new-reports", "--rollout", "100%", "--where", "company.key in_cohort beta")

    explained = (await run("flags", "explain", "new-reports", "--group", "company=initech")).output
    refused = (await run("cohorts", "delete", "beta", code=1)).output
    exported = (await run("flags", "export", str(tmp_path / "flags.json"))).output

    assert '✗ company.key in_cohort "beta"; it is "initech" (not in it)' in explained
    assert "FAILED_PRECONDITION" in refused
    assert "new-reports" in refused
    assert exported.startswith("1 flags and 1 cohorts written")
    assert json.loads((tmp_path / "flags.json").read_text())["cohorts"] == {"beta": ["acme", "globex"]}
    with burgee.Client("localhost:1", "key", bootstrap=tmp_path / "flags.json") as offline:
        given = [offline.is_enabled("new-reports", company=company) for company in ("acme", "initech")]
    assert given == [True, False]


async def test_a_cohort_is_computed_by_what_is_typed_or_by_a_file(run, tmp_path: Path):
    """All options hold together; a file says anything, and says it alone."""
    typed = ["--where", "company.plan equals pro", "--did", "reported", "--did-not", "@left", "--at-least", "2"]
    await run("actions", "create", "left", "cancelled")
    made = await run("cohorts", "create", "active", "--group-type", "company", *typed, "--start", "-7d")
    assert made.stdout == "active, of type company, is not computed yet\n"
    refreshed = await run("cohorts", "refresh", "active")
    assert refreshed.output == "0 came, 0 went\nactive has 0 members of type company\n"
    [listed] = json.loads((await run("cohorts", "list", "--json")).output)
    criteria = listed["computed"]["criterion"]["all"]["criteria"]
    assert criteria[0]["performed"] == {"events": {"event": "reported"}, "atLeast": 2, "range": {"start": "-7d"}}
    assert criteria[1]["not"]["performed"]["events"] == {"action": "left"}
    assert criteria[2]["properties"]["all"]["filters"][0]["condition"]["attribute"] == "company.plan"

    file = tmp_path / "gone.json"
    file.write_text('{"criterion": {"stopped": {"events": {"event": "reported"}, "range": {"start": "-14d"}}}}')
    await run("cohorts", "create", "gone", "--group-type", "company", "--file", str(file))
    await run("cohorts", "create", "x", "--group-type", "company", "--file", str(file), "--did", "a", code=2)
    file.write_text('{"criterion": {"stoped": {}}}')
    refused = await run("cohorts", "create", "x", "--group-type", "company", "--file", str(file), code=1)
    assert "stoped" in refused.output
    assert [each["key"] for each in json.loads((await run("cohorts", "list", "--json")).output)] == ["active", "gone"]


async def test_ones_own_people_are_named_once(run):
    """And counted again where that is asked for."""
    await run("cohorts", "create", "own", "--group-type", "user")
    named = await run("environments", "internal", "production", "own")
    listed = await run("environments", "list")
    asked = json.loads((await run("query", "trend", "--include-internal", "--json")).output)["asked"]
    nobody = await run("environments", "internal", "production")

    assert named.output == "production: questions leave out own\n"
    assert "│ own        │" in listed.output
    assert asked["include_internal"] is True
    assert nobody.output == "production: questions leave out nobody\n"


async def test_a_cohort_is_changed_as_far_as_is_named(run, tmp_path: Path):
    """What it is for, or how it is computed; a file replaces all of that, and a list does not become computed."""
    file = tmp_path / "berlin.json"
    file.write_text('{"criterion": {"performed": {"events": {"event": "reported"}}}, "time_zone": "Europe/Berlin"}')
    await run("cohorts", "create", "active", "--group-type", "company", "--file", str(file))
    await run("cohorts", "refresh", "active")

    await run("cohorts", "set", "active", "--description", "who reports", "--note", "said by sales")
    changed = await run("cohorts", "set", "active", "--did", "exported", "--at-least", "3", "--start", "-7d")
    assert changed.stdout == "active, of type company, is not computed yet\n"
    [active] = json.loads((await run("cohorts", "list", "--json")).output)
    performed = {"events": {"event": "exported"}, "atLeast": 3, "range": {"start": "-7d"}}
    assert active["computed"] == {"criterion": {"performed": performed}, "timeZone": "Europe/Berlin"}
    assert (active["description"], active["version"]) == ("who reports", 3)

    await run("cohorts", "create", "beta", "--group-type", "company")
    assert "cohort.definition" in (await run("cohorts", "set", "beta", "--did", "exported", code=1)).output
    assert "name what shall change" in (await run("cohorts", "set", "beta", code=2)).output
