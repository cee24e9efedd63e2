"""What every change feed promises, and what several nodes on one Redis hear of each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from burgee.evaluation.model import Flag, FlagType, Variant
from burgee_server.ending import end
from burgee_server.errors import Unavailable
from burgee_server.ports.access import Authorship, Role
from burgee_server.ports.changes import Change, ChangeFeed, Kind, Position
from burgee_server.ports.criteria import Computed, InCohort
from burgee_server.ports.profiles import PropertyChange
from burgee_server.storage.memory.changes import LocalFeed
from burgee_server.storage.redis import changes as redis_changes
from burgee_server.storage.redis.changes import RedisFeed
from burgee_server.storage.redis.connection import connect, told
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.changes import SqlChangeLog
from burgee_server.storage.sql.cohorts import SqlCohorts
from burgee_server.storage.sql.erasures import SqlErasures
from burgee_server.storage.sql.flags import SqlFlags
from burgee_server.storage.sql.profiles import SqlProfiles
from tests.fixtures.redis import RedisServer

FLAG = Flag("beta", FlagType.BOOLEAN, (Variant("on", True), Variant("off", False)), "off")
BY = Authorship("ann", datetime(2026, 3, 1, tzinfo=UTC))


class Heard:
    """What a listener was told, and a way to wait for more."""

    def __init__(self, feed: ChangeFeed) -> None:
        self.changes: list[Change] = []
        self._more = asyncio.Event()
        feed.listen(self._hear)

    def _hear(self, change: Change) -> None:
        self.changes.append(change)
        self._more.set()

    async def until(self, change: Change) -> None:
        """Wait until a change was heard."""
        async with asyncio.timeout(20):
            while change not in self.changes:
                self._more.clear()
                await self._more.wait()


@pytest.fixture(params=["memory", "redis"])
async def feed(request: pytest.FixtureRequest, database: Any) -> AsyncIterator[ChangeFeed]:
    """Each kind of feed."""
    if request.param == "memory":
        yield LocalFeed()
        return
    client = connect(request.getfixturevalue("redis_url"))
    yield await RedisFeed.open(client, SqlChangeLog(database), lambda: True, request.getfixturevalue("redis_prefix"))
    await client.aclose()


async def test_who_makes_a_change_is_answered_when_every_listener_has_heard_of_it(feed: ChangeFeed) -> None:
    """In order: the next check on the same node sees it."""
    heard, also = Heard(feed), Heard(feed)
    changes = [Change(Kind.FLAGS, 1, (key,)) for key in ("one", "two")]

    for change in changes:
        await feed.publish(change)
        assert heard.changes[-1] == also.changes[-1] == change

    assert heard.changes == also.changes == changes


@pytest.fixture
async def node(database: Any, redis_url: str, redis_prefix: str) -> AsyncIterator[Any]:
    """Makes feeds of further nodes, which follow the others; on another Redis if told so."""
    async with AsyncExitStack() as stack:

        async def make(url: str = redis_url) -> RedisFeed:
            client = connect(url)
            stack.push_async_callback(client.aclose)
            feed = await RedisFeed.open(client, SqlChangeLog(database), lambda: True, redis_prefix)
            await stack.enter_async_context(_followed(feed))
            await asyncio.wait_for(feed.listening.wait(), 20)
            return feed

        yield make


@asynccontextmanager
async def _followed(feed: RedisFeed) -> AsyncIterator[None]:
    following = asyncio.create_task(feed.follow())
    try:
        yield
    finally:
        await end(following)


async def make_changes(database: Any) -> list[Change]:
    """One of each kind, in the store, as the log is to tell them."""
    access, cohorts = SqlAccess(database), SqlCohorts(database)
    project = await access.create_project("p", "P", BY)
    environment = await access.environment(project.key, "production")
    number = environment.environment_id
    key = await access.create_api_key(environment, "k", Role.ADMIN, 0, b"digest", BY)
    await access.revoke_api_key(key, BY)
    await access.set_retention(environment, 30, BY)
    await SqlFlags(database).create(number, FLAG, BY)
    await cohorts.create(number, "gold", "company", "", BY)
    await cohorts.change(number, "gold", ["acme"], [], BY)
    await SqlProfiles(database).change(number, "company", "acme", PropertyChange(set={"plan": "pro"}), BY.at)
    await SqlErasures(database).begin(number, "company", "acme", BY)
    return [
        Change(Kind.API_KEYS, number, (key.api_key_id,)),
        Change(Kind.ENVIRONMENT, number),
        Change(Kind.FLAGS, number, ("beta",)),
        Change(Kind.COHORT, number, ("gold", "company")),
        Change(Kind.PROFILE, number, ("company", "acme")),
    ]


async def test_the_log_knows_every_kind_of_change_and_where_it_was_read_to(database: Any) -> None:
    """Also what an erasure has taken out of a cohort; from a position, what came after it and nothing else."""
    log = SqlChangeLog(database)
    start = await log.end()
    assert (await log.since(start)).changes == []

    expected = await make_changes(database)

    stretch = await log.since(start)
    assert set(expected) <= set(stretch.changes)
    assert stretch.changes.count(expected[3]) == 3
    assert stretch.end == await log.end()
    assert (await log.since(stretch.end)).changes == []


async def test_profiles_are_read_in_stretches_that_miss_none(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and although two tables have revisions."""
    monkeypatch.setattr("burgee_server.storage.sql.changes._AT_ONCE", 2)
    project = await SqlAccess(database).create_project("p", "P", BY)
    number = (await SqlAccess(database).environment(project.key, "production")).environment_id
    for index in range(7):
        key = f"c{index}"
        await SqlProfiles(database).change(number, "company", key, PropertyChange(set={"n": index}), BY.at)
        if index % 3 == 0:
            await SqlErasures(database).begin(number, "company", key, BY)
    log, position, found = SqlChangeLog(database), Position(0, 0), list[Change]()

    while (stretch := await log.since(position)).end != position:
        found += stretch.changes
        position = stretch.end

    keys = [change.subject[1] for change in found if change.kind is Kind.PROFILE]
    assert keys == [f"c{index}" for index in range(7)]


async def test_a_connection_that_is_closed_between_two_steps_does_not_end_the_node(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop has a RuntimeError for it: it ended the task that follows, and with it the server."""
    hear, closed = RedisFeed._hear, list[RedisFeed]()

    async def closed_once(feed: RedisFeed) -> None:
        if not closed:
            closed.append(feed)
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
        await hear(feed)

    monkeypatch.setattr(RedisFeed, "_hear", closed_once)
    monkeypatch.setattr(redis_changes, "AWAY_SECONDS", 0.01)

    feed = await node()  # which listens

    assert closed == [feed]
    with pytest.raises(Unavailable), told():
        raise RuntimeError("the handler is closed")


async def test_other_nodes_hear_a_change_and_the_one_who_made_it_hears_it_once(node: Any) -> None:
    """With everything that there is to know of it."""
    one, other = await node(), await node()
    at_one, at_other = Heard(one), Heard(other)
    change = Change(Kind.COHORT, 7, ("gold", "company", "acme", "bölt"))
    last = Change(Kind.FLAGS, 7, ("beta",))

    await one.publish(change)
    await at_other.until(change)
    await other.publish(last)
    await at_one.until(last)

    assert at_one.changes == [change, last]


async def test_a_word_that_was_missed_is_noticed(node: Any, database: Any, redis_url: str, redis_prefix: str) -> None:
    """By the number of the next word, or after a second of silence: the control store knows what it was."""
    here = Heard(await node())
    expected = await make_changes(database)
    with redis.Redis.from_url(redis_url) as client:
        client.incr(f"{redis_prefix}changes")

    for change in expected:
        await here.until(change)


async def test_a_word_that_cannot_be_read_is_looked_up_and_the_next_is_heard(
    node: Any, database: Any, redis_url: str, redis_prefix: str
) -> None:
    """A newer node tells of kinds that this one does not know: it stays, and asks the control store."""
    following = await node()
    here = Heard(following)
    expected = await make_changes(database)
    with redis.Redis.from_url(redis_url) as client:
        number = client.incr(f"{redis_prefix}changes")
        client.publish(f"{redis_prefix}changed", f'{number} ["another", "a kind to come", 1, []]')

    for change in expected:
        await here.until(change)
    last = Change(Kind.FLAGS, 7, ("beta",))
    await (await node()).publish(last)
    await here.until(last)


async def test_a_change_whose_maker_ended_before_it_could_tell_is_found(
    node: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says that there was one; it is looked for now and then."""
    monkeypatch.setattr(redis_changes, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(redis_changes, "SILENCE_SECONDS", 0.05)
    here = Heard(await node())

    for change in await make_changes(database):
        await here.until(change)


async def test_while_redis_is_away_changes_come_from_the_control_store_and_afterwards_at_once_again(
    node: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Publishing fails for nobody."""
    monkeypatch.setattr(redis_changes, "AWAY_SECONDS", 0.05)
    server = RedisServer()
    try:
        one, other = await node(server.url), await node(server.url)
        heard = Heard(other)
        server.stop()
        own = Heard(one)
        expected = await make_changes(database)
        for change in expected:
            heard_before = own.changes.count(change)
            await one.publish(change)
            assert own.changes.count(change) > heard_before  # and whatever the store told it again meanwhile
        for change in expected:
            await heard.until(change)

        server.start()
        unstored = Change(Kind.FLAGS, 1, ("only told, and in no store",))
        await asyncio.wait_for(other.listening.wait(), 20)
        await one.publish(unstored)
        await heard.until(unstored)
    finally:
        server.close()


async def test_a_person_of_several_ids_has_changed_under_all_of_them(database: Any) -> None:
    """Checks ask by any: when two become one, and whenever the one changes afterwards."""
    project = await SqlAccess(database).create_project("p", "P", BY)
    number = (await SqlAccess(database).environment(project.key, "production")).environment_id
    log, profiles = SqlChangeLog(database), SqlProfiles(database)
    await profiles.change(number, "user", "ann", PropertyChange(set={"plan": "pro"}), BY.at)
    start = await log.end()
    both = {Change(Kind.PROFILE, number, ("user", key)) for key in ("ann", "anonymous")}

    await profiles.merge(number, "ann", "anonymous", BY.at)
    merged = await log.since(start)
    await profiles.change(number, "user", "anonymous", PropertyChange(set={"plan": "free"}), BY.at)
    changed = await log.since(merged.end)

    assert set(merged.changes) == set(changed.changes) == both


async def test_computed_cohorts_may_have_changed_whenever_a_word_was_missed(
    node: Any, database: Any, redis_url: str, redis_prefix: str
) -> None:
    """Their members come and go without an entry in the log; listed ones have one, and are not read anew."""
    project = await SqlAccess(database).create_project("p", "P", BY)
    number = (await SqlAccess(database).environment(project.key, "production")).environment_id
    cohorts = SqlCohorts(database)
    await cohorts.create(number, "active", "company", "", BY, Computed(InCohort("listed")))
    await cohorts.create(number, "listed", "company", "", BY)
    here = Heard(await node())
    here.changes.clear()
    with redis.Redis.from_url(redis_url) as client:
        client.incr(f"{redis_prefix}changes")

    await here.until(Change(Kind.COHORT, number, ("active", "company")))

    assert here.changes == [Change(Kind.COHORT, number, ("active", "company"))]


async def test_what_could_not_be_read_when_a_word_was_missed_is_read_soon_afterwards(
    node: Any, database: Any, redis_url: str, redis_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control store was away at that moment: the next look is not half a minute later."""
    monkeypatch.setattr(redis_changes, "AWAY_SECONDS", 0.05)
    monkeypatch.setattr(redis_changes, "SILENCE_SECONDS", 0.05)
    expected = await make_changes(database)
    number = expected[0].environment_id
    await SqlCohorts(database).create(number, "active", "company", "", BY, Computed(InCohort("gold")))
    here = Heard(await node())
    failed = [fails_once(SqlChangeLog, name, monkeypatch) for name in ("since", "unnumbered")]
    await SqlFlags(database).create(number, replace(FLAG, key="gamma"), BY)
    with redis.Redis.from_url(redis_url) as client:
        client.incr(f"{redis_prefix}changes")

    for each in failed:
        await asyncio.wait_for(each.wait(), 20)
    await here.until(Change(Kind.FLAGS, number, ("gamma",)))
    await here.until(Change(Kind.COHORT, number, ("active", "company")))


def fails_once(of: type, name: str, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let a method fail the first time; set when it has."""
    failed, method = asyncio.Event(), getattr(of, name)

    async def first(*arguments: Any) -> Any:
        if not failed.is_set():
            failed.set()
            raise Unavailable("away")
        return await method(*arguments)

    monkeypatch.setattr(of, name, first)
    return failed


async def test_a_redis_that_is_not_known_to_be_ours_hears_and_tells_nothing(
    database: Any, redis_url: str, redis_prefix: str
) -> None:
    """A change is told on its own node, and nothing is subscribed to or counted there; once it is ours, it is."""
    client, ours = connect(redis_url), [False]
    feed = await RedisFeed.open(client, SqlChangeLog(database), lambda: ours[0], redis_prefix)
    heard = Heard(feed)
    await feed.publish(Change(Kind.FLAGS, 1, ("one",)))
    assert [change.subject for change in heard.changes] == [("one",)]
    async with _followed(feed):
        await asyncio.sleep(0)
        assert await client.keys(f"{redis_prefix}*") == []
        assert await client.pubsub_numsub(f"{redis_prefix}changed") == [(f"{redis_prefix}changed".encode(), 0)]
        ours[0] = True
        await asyncio.wait_for(feed.listening.wait(), 20)
    await feed.publish(Change(Kind.FLAGS, 1, ("two",)))
    assert await client.keys(f"{redis_prefix}*") == [f"{redis_prefix}changes".encode()]
    await client.aclose()


@pytest.mark.parametrize("why", ["it was not known whose Redis is", "Redis did not answer this node"])
async def test_what_could_not_be_told_is_noticed_by_others_as_soon_as_this_node_speaks_to_redis_again(
    node: Any, database: Any, redis_url: str, redis_prefix: str, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    """Redis was there for everybody else, who would have had no reason to look: the change is counted, once."""
    client, ours = connect(redis_url), [True]
    feed = await RedisFeed.open(client, SqlChangeLog(database), lambda: ours[0], redis_prefix)
    other = Heard(await node())
    async with _followed(feed):
        await asyncio.wait_for(feed.listening.wait(), 20)
        expected, say = await make_changes(database), feed._say
        if why == "it was not known whose Redis is":
            ours[0] = False
        else:
            feed._say = silence
        for change in expected:
            await feed.publish(change)
        assert "told to other nodes when Redis is" in caplog.text
        ours[0], feed._say = True, say
        for change in expected:
            await other.until(change)
        unstored = Change(Kind.FLAGS, 1, ("only told, and in no store",))
        await feed.publish(unstored)
        await other.until(unstored)
    assert await client.get(f"{redis_prefix}changes") == b"2"
    await client.aclose()


async def silence(**_word: Any) -> None:
    """What becomes of a word when nobody answers."""
    raise redis.ConnectionError("nobody answers")
