"""`burgee keys`, `burgee environments`, `burgee projects` and `burgee audit`, against a server in the process."""

import json


async def test_a_key_for_a_service_is_made_used_changed_and_ended(run):
    """Its secret is all that is printed where a script reads; it opens what was named, until it is ended."""
    await run("environments", "create", "staging")
    made = await run("keys", "create", "checkout", "--role", "service", "--environment", "staging")
    secret = made.stdout.strip()
    assert secret.startswith("burgee_")
    assert "'checkout', service, opens " in made.stderr

    explained = await run("flags", "explain", "nope", secret=secret, code=1)
    refused = await run("flags", "list", secret=secret, code=1)
    assert explained.stdout == 'There is no flag "nope".\n'
    assert "PERMISSION_DENIED" in refused.output

    key = json.loads((await run("keys", "list", "--json")).output)[-1]
    assert (key["name"], key["role"], key["environment_key"]) == ("checkout", "service", "staging")
    assert "secret" not in key
    assert key["revoked_at"] is None

    changed = await run("keys", "set", key["api_key_id"], "--events-per-second", "5000")
    assert "'checkout'; limits: 5,000 events/s\n" in changed.output
    assert "name what shall change" in (await run("keys", "set", key["api_key_id"], code=2)).output

    kept = await run("keys", "revoke", key["api_key_id"], stdin="n\n", code=1)
    ended = await run("keys", "revoke", key["api_key_id"], "--yes")
    assert "Whoever uses it is refused" in kept.output
    assert "'checkout' ended at 20" in ended.output
    assert "was revoked" in (await run("flags", "explain", "nope", secret=secret, code=1)).output
    table = (await run("keys", "list")).output
    assert "│ checkout" in table
    assert secret not in table


async def test_a_key_for_one_company(run):
    """Is told apart in the list; other roles are of no company."""
    made = await run("keys", "create", "acme-page", "--role", "portal", "--group", "acme")
    assert "'acme-page', portal of company acme, opens " in made.stderr
    assert "│ portal of company acme │" in (await run("keys", "list")).output
    key = json.loads((await run("keys", "list", "--json")).output)[-1]
    assert (key["group_type"], key["group_key"]) == ("company", "acme")
    refused = await run("keys", "create", "x", "--role", "reader", "--group", "acme", code=1)
    assert "only a portal key is of one group" in refused.output


async def test_who_changed_what_is_listed_newest_first(run):
    """With the names of keys; what is beyond the limit is not kept quiet."""
    await run("flags", "create", "beta", "--note", "try it")
    await run("flags", "create", "gamma")

    newest, before = json.loads((await run("audit", "--limit", "2", "--json")).output)
    table = (await run("audit", "--limit", "1")).output

    assert (newest["action"], newest["subject"]) == ("flag.create", "gamma")
    assert (before["subject"], before["detail"]) == ("beta", "try it")
    assert "│ flag.create │ gamma" in table
    assert "and more; --limit 10 shows more of them" in table


async def test_an_operator_makes_a_project_and_its_first_key(run, operator):
    """Of which an ADMIN of another project sees nothing, and an OPERATOR everything."""
    made = await run("projects", "create", "shop-by-command", "--name", "The shop", secret=operator.secret)
    await run("projects", "create", "other", code=1)
    options = ("--role", "admin", "--project", "shop-by-command", "--environment", "production")
    key = json.loads((await run("keys", "create", "first", *options, "--json", secret=operator.secret)).output)

    added = await run("environments", "create", "staging", "--project", "shop-by-command", secret=operator.secret)

    assert "burgee keys create NAME --role admin --project shop-by-command" in made.output
    assert "keys create NAME --role service --project shop-by-command --environment staging" in added.output
    assert key["project_key"] == "shop-by-command"
    assert "│ production" in (await run("environments", "list", secret=key["secret"])).output
    seen = json.loads((await run("projects", "list", "--json", secret=key["secret"])).output)
    assert [each["key"] for each in seen] == ["shop-by-command"]
    assert "│ The shop" in (await run("projects", "list", secret=operator.secret)).output
    assert "PERMISSION_DENIED" in (await run("keys", "list", "--project", "shop-by-command", code=1)).output


async def test_an_operator_changes_an_environment_of_another_project(run, operator):
    """How long it keeps events, and whom its questions leave out; that of the same key in the own project stays."""
    far = ("--project", "far-by-command")
    await run("projects", "create", "far-by-command", secret=operator.secret)
    role = ("--role", "admin", *far, "--environment", "production")
    secret = (await run("keys", "create", "admin", *role, secret=operator.secret)).stdout.strip()
    await run("cohorts", "create", "own", "--group-type", "user", secret=secret)

    command = ("environments", "set-retention", "production")
    asked = await run(*command, "90", *far, stdin="y\n", secret=operator.secret)
    await run("environments", "internal", "production", "own", *far, secret=operator.secret)

    assert "Remove events of 'production' of project 'far-by-command' that are older than 90 days" in asked.stderr
    [there] = json.loads((await run("environments", "list", "--json", *far, secret=operator.secret)).output)
    assert (there["retention_days"], there["internal_cohort_key"]) == (90, "own")
    [here] = json.loads((await run("environments", "list", "--json")).output)
    assert (here["retention_days"], here["internal_cohort_key"]) == (None, None)
    assert "PERMISSION_DENIED" in (await run(*command, "forever", *far, code=1)).output
    assert "PERMISSION_DENIED" in (await run("environments", "internal", "production", *far, code=1)).output
