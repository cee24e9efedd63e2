"""`burgee groups` against a server in the process."""

import json

from tests.rpc.test_parents import belongs


async def test_types_and_children_are_said_and_seen(run, tmp_path):
    """What a team belongs to is said once; then each team's property says to which company."""
    said = await run("groups", "belong", "team", "company")
    await run("flags", "export", str(tmp_path / "flags.json"))
    types = json.loads((await run("groups", "types", "--json")).output)
    table = (await run("groups", "types")).output

    assert said.output == "a team belongs to a company\n"
    assert types == [{"type": "company", "belongs_to": None}, {"type": "team", "belongs_to": "company"}]
    assert "│ team    │ company    │" in table
    assert json.loads((tmp_path / "flags.json").read_text())["parent_types"] == {"team": "company"}
    assert (await run("groups", "belong", "team")).output == "a team belongs to nothing\n"
    assert "goes round" in (await run("groups", "belong", "team", "team", code=1)).output


async def test_groups_are_listed_with_what_they_belong_to(run, admin):
    """All of a type, those of one parent, and no more than are asked for."""
    for number in range(3):
        await belongs(admin, f"t{number}", ("acme", "globex")[number % 2])

    table = (await run("groups", "list", "team", "--of", "acme")).output
    listed = json.loads((await run("groups", "list", "team", "--json")).output)

    assert "│ t0   │ company acme │" in table
    assert "t1" not in table
    assert [each["parent"]["group_key"] for each in listed] == ["acme", "globex", "acme"]
    assert "more" in (await run("groups", "list", "team", "--limit", "2")).output
    assert "belongs to nothing" in (await run("groups", "list", "company", "--of", "x", code=1)).output
