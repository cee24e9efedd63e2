"""FlagService.Watch over real gRPC."""

import asyncio

import pytest
from grpc import StatusCode

from burgee.v1 import admin_pb2, common_pb2, profiles_pb2
from burgee.v1 import flag_admin_pb2 as admin_pb
from burgee.v1 import flags_pb2 as pb
from burgee_server.access import Permission
from burgee_server.errors import Stopping
from burgee_server.flags import Watch, live, updates, watch
from burgee_server.flags.contents import CHUNK_BYTES
from burgee_server.rpc.streams import OpenStreams
from tests.fixtures.server import caller
from tests.rpc.conftest import refused
from tests.rpc.test_flags import create, struct, text


def for_plan(*plans, key="beta", attribute="company.plan", enabled=True):
    """On for companies of these plans."""
    condition = common_pb2.Condition(attribute=attribute, operator=common_pb2.OPERATOR_IN, values=text(*plans))
    rule = pb.Rule(conditions=[condition], distribution=pb.Distribution(bucket_by="company"))
    return pb.Flag(key=key, enabled=enabled, rules=[rule])


async def update(caller, flag):
    """Change a flag."""
    return (await caller.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=flag))).flag


async def identify(caller, key, group_type="company", **properties):
    """Set properties of a group."""
    request = profiles_pb2.IdentifyGroupRequest(
        group_type=group_type, group_key=key, change={"set": struct(**properties)}
    )
    await caller.profiles.IdentifyGroup(request)


async def test_a_stream_begins_with_a_snapshot_of_all_flags_and_of_the_properties_they_mention(admin, watching):
    """Archived flags too, for those that need them; of companies what flags ask for; of persons nothing."""
    await create(admin, for_plan("pro"))
    await create(admin, for_plan("admin", key="old", attribute="user.role"))
    await admin.flag_admin.ArchiveFlag(admin_pb.ArchiveFlagRequest(flag_key="old"))
    await create(admin, for_plan("admin", key="by-role", attribute="user.role"))
    await identify(admin, "acme", plan="pro", seats=3)
    await identify(admin, "globex", seats=3)
    await identify(admin, "red", "team", plan="pro")
    await admin.profiles.IdentifyPerson(
        profiles_pb2.IdentifyPersonRequest(distinct_id="ann", change={"set": struct(role="admin")})
    )

    watcher = watching(admin)
    change = await watcher.next()

    assert change.snapshot
    assert {key: flag.archived for key, flag in watcher.flags.items()} == {"beta": False, "old": True, "by-role": False}
    assert watcher.stored == {("company", "acme"): {"plan": "pro"}}
    assert watcher.carried == ["company"]


async def test_an_environment_without_flags_has_a_snapshot_too(admin, watching):
    """A client knows at once that there is nothing to know."""
    change = await watching(admin).next()

    assert (change.snapshot, change.HasField("carried"), len(change.flags)) == (True, True, 0)


async def test_a_change_of_a_flag_is_sent_and_nothing_else(admin, watching):
    """One flag, its new version, no snapshot."""
    await create(admin, for_plan("pro"))
    flag = await create(admin, for_plan("pro", key="other"))
    watcher = watching(admin)
    await watcher.next()

    flag.enabled = False
    await update(admin, flag)
    change = await watcher.next()

    assert [(each.key, each.version, each.enabled) for each in change.flags] == [("other", 2, False)]
    assert (change.snapshot, len(change.stored), watcher.snapshots) == (False, 0, 1)


async def test_a_change_of_a_property_that_flags_mention_is_sent_and_of_another_is_not(admin, watching):
    """What comes after an unmentioned change is the mentioned one; a property that is taken away is gone."""
    await create(admin, for_plan("pro"))
    await identify(admin, "acme", plan="free")
    watcher = watching(admin)
    await watcher.next()

    await identify(admin, "acme", seats=5)
    await identify(admin, "acme", plan="pro")
    await watcher.next()
    changed = dict(watcher.stored)
    unset = profiles_pb2.PropertyChange(unset=["plan"])
    await admin.profiles.IdentifyGroup(
        profiles_pb2.IdentifyGroupRequest(group_type="company", group_key="acme", change=unset)
    )
    await watcher.next()

    assert changed == {("company", "acme"): {"plan": "pro"}}
    assert watcher.stored == {("company", "acme"): {}}


async def test_a_property_comes_with_the_flag_that_first_mentions_it_and_goes_with_the_last(admin, watching):
    """In one change, so that nobody evaluates a flag without what it asks for."""
    await create(admin, for_plan("pro"))
    await identify(admin, "acme", plan="pro", region="eu")
    await identify(admin, "globex", region="us")
    watcher = watching(admin)
    await watcher.next()

    flag = await create(admin, for_plan("eu", key="regional", attribute="company.region"))
    await watcher.next()
    with_region = dict(watcher.stored)
    assert watcher.flags.keys() == {"beta", "regional"}
    flag.enabled = False
    await update(admin, flag)
    await watcher.next()

    assert with_region == {
        ("company", "acme"): {"plan": "pro", "region": "eu"},
        ("company", "globex"): {"region": "us"},
    }
    assert watcher.stored == {("company", "acme"): {"plan": "pro"}, ("company", "globex"): {}}
    assert watcher.snapshots == 1


async def test_a_stream_goes_on_from_a_version(admin, watching):
    """Only what was missed; if that is nothing, the version at once."""
    flag = await create(admin, for_plan("pro"))
    first = watching(admin)
    await first.next()
    first.cancel()
    await update(admin, flag)
    await create(admin, for_plan("pro", key="other"))

    again = watching(admin, version=first.version)
    await again.until(lambda watcher: "other" in watcher.flags)
    even = watching(admin, version=again.version)
    nothing = await even.next()

    assert (again.snapshots, again.flags["beta"].version) == (0, 2)
    assert nothing == pb.WatchResponse(version=again.version)


@pytest.mark.parametrize(
    "version", ["nonsense", "0123456789abcdef.1", "{epoch}.99", "{epoch}.0", "{epoch}.-1", "{epoch}.x"]
)
async def test_a_version_that_the_server_does_not_know_gives_a_snapshot(admin, watching, version):
    """Another server's, one from the future, or no version at all."""
    first = watching(admin)
    await first.next()
    epoch = first.version.partition(".")[0]

    change = await watching(admin, version=version.format(epoch=epoch)).next()

    assert change.snapshot


async def test_a_silent_stream_has_a_heartbeat(admin, watching):
    """A message with nothing but the version, as often as was asked for."""
    watcher = watching(admin, heartbeat_seconds=1)
    first = await watcher.next()

    assert await watcher.next() == pb.WatchResponse(version=first.version)
    with refused(StatusCode.INVALID_ARGUMENT, "heartbeat_seconds"):
        await watching(admin, heartbeat_seconds=301).next()


async def test_a_revoked_key_ends_its_streams_and_no_others(server, admin, watching):
    """At once, and saying so."""
    key = await admin.admin.CreateApiKey(admin_pb2.CreateApiKeyRequest(name="leaked", role=admin_pb2.KEY_ROLE_SERVICE))
    leaked = caller(server.target, key.secret)
    ended, other = watching(leaked), watching(admin)
    await ended.next()
    await other.next()

    await admin.admin.RevokeApiKey(admin_pb2.RevokeApiKeyRequest(api_key_id=key.api_key.api_key_id))

    with refused(StatusCode.UNAUTHENTICATED) as refusal:
        await ended.next()
    assert "revoked" in refusal.message
    with refused(StatusCode.UNAUTHENTICATED):
        await watching(leaked).next()
    await create(admin, for_plan("pro"))
    assert (await other.next()).flags
    await leaked.channel.close()


async def test_no_environment_sees_anything_of_another(server, operator, admin, watching):
    """Neither in the snapshot nor in what follows, and a version of one is nothing to the other."""
    await operator.admin.CreateEnvironment(admin_pb2.CreateEnvironmentRequest(project_key="default", key="watched-not"))
    created = await operator.admin.CreateApiKey(
        admin_pb2.CreateApiKeyRequest(
            project_key="default", environment_key="watched-not", name="tests", role=admin_pb2.KEY_ROLE_ADMIN
        )
    )
    stranger = caller(server.target, created.secret)
    await create(admin, for_plan("pro"))
    await identify(admin, "acme", plan="pro")
    own = watching(admin)
    await own.next()

    other = watching(stranger, version=own.version)
    await other.next()
    await create(admin, for_plan("pro", key="secret"))
    await create(stranger, for_plan("pro", key="theirs"))
    await other.next()

    assert (other.snapshots, set(other.flags), other.stored) == (1, {"theirs"}, {})
    await stranger.channel.close()


async def test_more_groups_than_the_cap_are_not_carried(server, admin, watching, monkeypatch):
    """At the start or later; the flag is sent all the same, and a change of it can make the type carried again."""
    monkeypatch.setattr(server.house.watch, "_most", 2)
    flag = await create(admin, for_plan("pro"))
    for key in ("a", "b"):
        await identify(admin, key, plan="pro")
    watcher = watching(admin)
    await watcher.next()
    before = watcher.carried, len(watcher.stored)

    await identify(admin, "c", plan="pro")
    await watcher.next()
    after = watcher.carried, len(watcher.stored)
    flag.rules[0].conditions[0].attribute = "company.region"
    await update(admin, flag)
    await watcher.next()

    assert (before, after) == ((["company"], 2), ([], 0))
    assert watcher.carried == ["company"]
    assert set(watcher.flags) == {"beta"}


async def test_a_large_snapshot_comes_in_messages_that_every_client_reads(admin, watching):
    """Several, far below 4 MB, of which only the last has a version."""
    await create(admin, for_plan("pro", attribute="company.about"))
    for number in range(60):
        await identify(admin, f"company-{number}", about=f"{number}" * 25_000)
    watcher = watching(admin)
    await watcher.next()

    assert len(watcher.stored) == 60
    assert len(watcher.sizes) > 1
    assert max(watcher.sizes) <= CHUNK_BYTES + 100


async def test_a_watcher_that_fell_behind_is_sent_a_snapshot(admin, watching, monkeypatch):
    """Nothing is kept for it beyond what is kept for all."""
    monkeypatch.setattr(updates, "MOST_UPDATES", 3)
    flag = await create(admin, for_plan("pro"))
    slow, quick = watching(admin), watching(admin)
    await slow.next()
    await quick.next()
    slow.cancel()
    for _ in range(5):
        flag = await update(admin, flag)
        await quick.until(lambda watcher: watcher.flags["beta"].version == flag.version)  # noqa: B023

    again = watching(admin, version=slow.version)
    change = await again.next()

    assert change.snapshot
    assert again.flags["beta"].version == 6
    assert quick.snapshots == 1


async def test_an_environment_that_nobody_watches_is_let_go_of(admin, watching, monkeypatch):
    """After a while; the next watcher begins with a snapshot of another epoch."""
    monkeypatch.setattr(watch, "LINGER_SECONDS", 0)
    first = watching(admin)
    await first.next()
    first.cancel()

    async with asyncio.timeout(10):
        again = first
        while not again.snapshots or again is first:
            again = watching(admin, version=first.version)
            await again.next()
            again.cancel()


async def test_stopping_ends_streams_with_a_status_that_asks_to_come_back():
    """Without waiting for them: a stream would hold up every stop until its grace is over."""
    streams = OpenStreams()

    async def hang():
        with streams.open("key"):
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await asyncio.sleep(0)
    streams.stop()

    with pytest.raises(Stopping):
        await task
    with pytest.raises(Stopping):
        await hang()


class FailingOnce:
    """A store of profiles whose next page cannot be read."""

    def __init__(self, store):
        self._store = store
        self.failures = 1

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def page(self, *arguments, **options):
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is on holiday")
        return await self._store.page(*arguments, **options)


async def test_what_could_not_be_read_is_read_again(server, admin, monkeypatch, caplog):
    """A watcher waits a little longer, and misses nothing."""
    monkeypatch.setattr(live, "_RETRY_SECONDS", 0.01)
    await create(admin, for_plan("pro"))
    await identify(admin, "acme", plan="pro")
    principal = await server.house.gate.enter(admin.secret, Permission.EVALUATE)
    watch_here = server.house.watch
    here = Watch(watch_here._catalog, FailingOnce(watch_here._profiles), watch_here._cohorts, 10)
    async with asyncio.timeout(10):
        message = await anext(here.stream(principal.environment_id, "", 5))
    here.close()

    assert [group.group_key for group in pb.WatchResponse.FromString(message).stored] == ["acme"]
    assert "could not read" in caplog.text
