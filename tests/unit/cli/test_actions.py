"""`burgee actions`, and `@action` in `burgee query`, against a server in the process."""

import json


async def test_an_action_is_made_extended_asked_for_and_deleted(run):
    """Each command says what is so now; JSON has everything."""
    made = await run("actions", "create", "activated", "invited", "--description", "aha", "--note", "new")
    added = await run("actions", "add", "activated", "imported", "--where", "event.rows gt 100")
    table = (await run("actions", "list")).output
    [listed] = json.loads((await run("actions", "list", "--json")).output)
    trend = json.loads((await run("query", "trend", "@activated", "--json")).output)
    funnel = json.loads((await run("query", "funnel", "@activated", "@@at", "--json")).output)

    assert made.output == "activated is any of: invited\n"
    assert added.output == "activated is any of: invited, imported where event.rows gt 100\n"
    assert "│ activated │ invited, imported where event.rows gt 100 │ aha      │" in table
    assert (listed["version"], listed["matchers"][1]["filter"]["all"]["filters"][0]["condition"]["attribute"]) == (
        "2",
        "event.rows",
    )
    assert [row["label"] for row in trend["rows"]] == ["activated"]
    assert [row["step"] for row in funnel["rows"]] == ["activated", "@at"]
    assert (await run("actions", "delete", "activated")).output == "activated is gone\n"
    refused = await run("query", "trend", "@activated", code=1)
    assert "series[0].action: there is no action 'activated' here" in refused.output
