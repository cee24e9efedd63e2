"""Cohorts in FlagService.Watch, over real gRPC."""

from burgee.v1 import cohorts_pb2 as pb
from burgee_server.flags import rosters
from burgee_server.flags.contents import CHUNK_BYTES
from tests.rpc.cohort_calls import change_members, create_cohort, for_members
from tests.rpc.flag_calls import create, update


async def test_a_stream_begins_with_the_members_of_the_cohorts_that_flags_mention(admin, watching):
    """Of persons, too; of no others, and none of what only disabled flags mention."""
    for key, group_type, members in (
        ("beta", "company", ["acme", "globex"]),
        ("testers", "user", ["ann"]),
        ("empty", "company", []),
        ("unasked", "company", ["acme"]),
        ("asleep", "company", ["acme"]),
    ):
        await create_cohort(admin, key, group_type)
        await change_members(admin, key, add=members)
    await create(admin, for_members("beta", "empty"))
    await create(admin, for_members("testers", key="by-user", attribute="user.key"))
    await create(admin, for_members("asleep", key="off", enabled=False))

    watcher = watching(admin)
    await watcher.next()

    assert watcher.cohorts == {"beta": {"acme", "globex"}, "testers": {"ann"}, "empty": set()}
    assert watcher.carried == []


async def test_a_change_of_members_is_sent_and_nothing_else(admin, watching):
    """Who came and who left; what changes nothing, or a cohort that no flag mentions, is not sent."""
    for key in ("beta", "unasked"):
        await create_cohort(admin, key)
    await change_members(admin, add=["acme", "globex"])
    await create(admin, for_members("beta"))
    watcher = watching(admin)
    await watcher.next()

    await change_members(admin, add=["acme"])
    await change_members(admin, "unasked", add=["umbrella"])
    await change_members(admin, add=["initech"], remove=["globex"])
    sent = await watcher.next()

    assert (sent.snapshot, len(sent.flags), sent.HasField("carried_cohorts")) == (False, 0, False)
    assert [(list(each.added), list(each.removed)) for each in sent.cohorts] in (
        [(["initech"], []), ([], ["globex"])],
        [(["initech"], ["globex"])],
    )
    assert watcher.cohorts == {"beta": {"acme", "initech"}}


async def test_who_leaves_and_comes_back_is_told_each_time(admin, watching):
    """Whatever was told before."""
    await create_cohort(admin)
    await create(admin, for_members("beta"))
    watcher = watching(admin)
    await watcher.next()
    seen = []
    for add, remove in ((["acme"], []), ([], ["acme"]), (["acme"], [])):
        await change_members(admin, add=add, remove=remove)
        await watcher.next()
        seen.append(set(watcher.cohorts["beta"]))

    assert seen == [{"acme"}, set(), {"acme"}]


async def test_a_cohort_comes_with_the_flag_that_first_mentions_it_and_goes_with_the_last(admin, watching):
    """In one change, so that nobody evaluates a flag without whom it asks for."""
    for key in ("beta", "gold"):
        await create_cohort(admin, key)
        await change_members(admin, key, add=["acme"])
    await create(admin, for_members("beta"))
    watcher = watching(admin)
    await watcher.next()

    flag = await create(admin, for_members("gold", key="golden"))
    with_gold = await watcher.next()
    after = dict(watcher.cohorts)
    flag.enabled = False
    await update(admin, flag)
    await watcher.next()

    assert [each.key for each in with_gold.flags] == ["golden"]
    assert after == {"beta": {"acme"}, "gold": {"acme"}}
    assert watcher.cohorts == {"beta": {"acme"}}
    assert watcher.snapshots == 1


async def test_a_stream_goes_on_with_the_members_that_it_missed(admin, watching):
    """From its version, and without a snapshot."""
    await create_cohort(admin)
    await create(admin, for_members("beta"))
    first, other = watching(admin), watching(admin)
    await first.next()
    await other.next()
    first.cancel()
    await change_members(admin, add=["acme"])
    await other.next()

    again = watching(admin, version=first.version)
    await again.next()

    assert (again.snapshots, again.cohorts) == (0, {"beta": {"acme"}})


async def test_a_cohort_with_more_members_than_the_cap_is_not_carried(server, admin, watching, monkeypatch):
    """At the start or later; it is carried again when there are fewer. The flag is sent all the same."""
    monkeypatch.setattr(server.house.watch, "_most", 2)
    await create_cohort(admin)
    await change_members(admin, add=["a", "b", "c"])
    await create(admin, for_members("beta"))
    watcher = watching(admin)
    await watcher.next()
    seen = [dict(watcher.cohorts)]
    for add, remove in (([], ["c"]), (["c"], []), ([], ["a"])):
        await change_members(admin, add=add, remove=remove)
        await watcher.next()
        seen.append(dict(watcher.cohorts))

    assert seen == [{}, {"beta": {"a", "b"}}, {}, {"beta": {"b", "c"}}]
    assert set(watcher.flags) == {"beta"}


async def test_a_large_cohort_comes_in_messages_that_every_client_reads(admin, watching, monkeypatch):
    """However long the keys are: 200 characters of four bytes each."""
    await create_cohort(admin)
    keys = [f"{number:04}" + "\U0001f642" * 196 for number in range(2_500)]
    await change_members(admin, add=keys)
    await create(admin, for_members("beta"))
    watcher = watching(admin)
    await watcher.next()

    assert watcher.cohorts == {"beta": set(keys)}
    assert rosters.PART_MEMBERS * 804 < CHUNK_BYTES
    assert max(watcher.sizes) <= CHUNK_BYTES + 100


async def test_a_cohort_that_is_deleted_and_made_anew_begins_anew(admin, watching):
    """A flag that lets go of it and takes it up again finds the members of now."""
    await create_cohort(admin)
    await change_members(admin, add=["acme"])
    flag = await create(admin, for_members("beta"))
    watcher = watching(admin)
    await watcher.next()

    flag.enabled = False
    flag.rules[0].ClearField("conditions")
    await update(admin, flag)
    await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="beta"))
    await create_cohort(admin)
    await change_members(admin, add=["globex"])
    saved = await update(admin, for_members("beta"))
    await watcher.until(lambda watcher: watcher.flags["beta"].version == saved.version)

    assert watcher.cohorts == {"beta": {"globex"}}
