"""`burgee flags`: what is said of a flag, and of one that is for nobody who is known."""

from burgee.v1 import capture_pb2
from burgee_server.errors import Denied
from burgee_server.rpc.profiles import ProfileServicer


async def test_a_flag_for_groups_of_a_type_that_nobody_has_used_is_saved_and_remarked_on(run, admin):
    """Most likely misspelt; not the first flag of all, which may be there before anybody has sent anything."""
    first = await run("flags", "create", "first", "--by", "company", "--rollout", "30%")
    await admin.send(capture_pb2.Event(event="seen", distinct_id="ann", groups={"company": "acme"}))
    right = await run("flags", "create", "right", "--by", "company", "--where", "user.role equals admin")
    wrong = await run("flags", "create", "wrong", "--by", "compny", "--where", "planet.size gt 3")
    changed = await run("flags", "set", "right", "--where", "team.name is_set")
    listed = await run("cohorts", "create", "some", "--group-type", "compny")

    assert first.stderr == right.stderr == ""
    told = "no group of type '{}' is known here; there is company\n".format
    assert wrong.stderr == told("compny") + told("planet")
    assert changed.stderr == told("team")
    assert listed.stderr == told("compny")
    assert wrong.stdout == "wrong is at version 1, enabled: on to 100% by compny if planet.size gt 3; else off\n"


async def test_what_was_saved_is_saved_also_where_no_remark_can_be_made(run, monkeypatch):
    """A script that tries again would be told that the flag is there."""

    async def fail(*_):
        raise Denied("not by this key")

    monkeypatch.setattr(ProfileServicer, "_all_types", fail)
    flag = await run("flags", "create", "wrong", "--by", "compny")
    cohort = await run("cohorts", "create", "some", "--group-type", "compny")

    assert flag.stdout.startswith("wrong is at version 1")
    assert flag.stderr == cohort.stderr == ""


async def test_a_flag_for_all_companies_is_told_from_one_for_everybody(run):
    """Who names no company gets nothing of the first."""
    for options, words in ((("--by", "company"), "on to 100% by company"), (("--rollout", "100%"), "on")):
        created = await run("flags", "create", f"f{len(words)}", *options)
        assert created.stdout.endswith(f"enabled: {words}; else off\n")


async def test_numbers_in_an_explanation_are_as_they_were_typed(run):
    """10 and not 10.0, which is what the wire makes of it."""
    await run("flags", "create", "beta", "--where", "user.age gt 10")
    told = (await run("flags", "explain", "beta", "--user", "ann", "--property", "age=11")).stdout
    assert "✓ user.age gt 10; it is 11\n" in told
