"""What every Warehouse promises about events and profiles, on chDB."""

import uuid as uuids
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.warehouse import (
    FIRST_TIMESTAMP,
    LAST_TIMESTAMP,
    BadPattern,
    MemberRow,
    Mistaken,
    ProfileRow,
    Refused,
    Statement,
)
from burgee_server.storage.clickhouse.warehouse import ClickHouseWarehouse
from tests.contracts.stored import HOSTILE_NAMES, rows
from tests.fixtures.warehouse import Environment, Fact, batch, new_environment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def count(environment: Environment, final: bool = True) -> int:
    """How many events are there, with duplicates or without."""
    table = "events FINAL" if final else "events"
    return int((await rows(environment, f"SELECT count() FROM {table} WHERE environment_id = {{e:UInt32}}"))[0][0])


async def test_an_event_comes_back_as_it_was_captured(environment: Environment) -> None:
    """Text that looks like a date or a number, nulls, order and unicode survive to the timeline."""
    properties = {"b": None, "a": "2026-03-01", "n": 10**25, "nested": {"x.y": [1, "two", {}]}, "é": "\u2028 'quoted'"}
    fact = Fact("größe", "ann 'o\\ x", NOON + timedelta(microseconds=1), {"company": "a`b", "team": "t"}, properties)
    await environment.load(fact)
    [event] = await environment.warehouse.timeline(environment.environment_id, limit=10)
    assert (event.uuid, event.event, event.distinct_id) == (fact.uuid, fact.event, fact.distinct_id)
    assert (event.timestamp, event.groups) == (fact.timestamp, fact.groups)
    assert batch(1, fact).find(event.properties_json.encode()) > 0


async def test_a_batch_that_is_loaded_again_is_there_once(environment: Environment) -> None:
    """It leaves no second row, not even one that FINAL would hide."""
    payload = batch(environment.environment_id, *(Fact(timestamp=NOON + timedelta(days=20 * n)) for n in range(30)))
    await environment.warehouse.load(payload)
    await environment.warehouse.load(payload, again=True)
    assert await count(environment, final=False) == 30


@pytest.mark.parametrize("there", [0, 1, 15, 29])
async def test_what_an_earlier_call_left_undone_is_made_up_for(environment: Environment, there: int) -> None:
    """An insert that was cut short left some months and not others: the rest comes in, and who was seen is complete."""
    facts = [Fact(distinct_id=f"u{n:02}", timestamp=NOON + timedelta(days=20 * n)) for n in range(30)]
    if there:
        await environment.load(*facts[:there])
    await environment.warehouse.load(batch(environment.environment_id, *facts), again=True)
    seen = await environment.warehouse.seen(environment.environment_id, "user", "", 100)
    assert await count(environment, final=False) == 30
    assert [activity.key for activity in seen] == [fact.distinct_id for fact in facts]


async def test_a_batch_loaded_again_is_what_was_captured(environment: Environment) -> None:
    """The rows are those of a first call, whatever is in them."""
    fact = Fact("größe", "ann", NOON, {"company": "a`b"}, {"b": None, "a": "2026-03-01", "x.y": [1, {}]})
    await environment.warehouse.load(batch(environment.environment_id, fact), again=True)
    other = new_environment(environment.warehouse)
    await other.load(fact)
    whole = "SELECT * EXCEPT environment_id FROM events WHERE environment_id = {e:UInt32}"
    assert await rows(environment, whole) == await rows(other, whole)


async def test_an_event_that_is_loaded_is_on_the_disk(environment: Environment) -> None:
    """Its files and their directories are synced before load returns: the journal then forgets it."""
    synced = "SELECT sum(value) FROM system.events WHERE event IN ('FileSync', 'DirectorySync')"
    for again in (False, True):
        [[before]] = await rows(environment, synced)
        await environment.warehouse.load(batch(environment.environment_id, Fact()), again=again)
        [[after]] = await rows(environment, synced)
        assert after >= before + 2 * 2  # of two tables: the data, and the directory that names them


async def test_every_table_is_told_to_have_merges_on_the_disk(warehouse: ClickHouseWarehouse) -> None:
    """Before the parts that they are made of go, which chDB does not keep for long. Only the setting is looked at."""
    sql = (
        "SELECT name, create_table_query FROM system.tables"
        " WHERE database = currentDatabase() AND engine LIKE '%ingMergeTree'"
    )
    tables = (await warehouse.query(Statement(sql))).rows
    assert len(tables) == 7
    assert [name for name, query in tables if "min_rows_to_fsync_after_merge = 1" not in query] == []


async def test_a_uuid_in_two_batches_is_one_event(environment: Environment) -> None:
    """An event that was captured again, and loaded again, counts once."""
    fact = Fact()
    await environment.load(fact, Fact())
    await environment.load(fact)
    assert await count(environment) == 2


BEYOND_DOUBLE = b'{"a": ' + b"9" * 400 + b".5}"
AT_FAULT = [
    ("uuid", b"no uuid"),
    ("uuid", b"\xff\xfe"),
    ("properties_json", b'{"a": '),
    ("properties_json", b"[1]"),
    ("properties_json", b'{"a": "\xff"}'),
    ("properties_json", b'{"a": ' + "é".encode() * 10_000),  # its error is cut off in the middle of a character
    ("properties_json", BEYOND_DOUBLE),
]


def spoilt(environment: Environment, field: str, value: bytes) -> bytes:
    """Three events, of which the second is at fault."""
    stored = StoredBatch.FromString(batch(environment.environment_id, Fact(), Fact(), Fact()))
    setattr(stored.events[1], field, value)
    return stored.SerializeToString()


@pytest.mark.parametrize(("field", "value"), AT_FAULT)
async def test_a_batch_with_a_bad_event_is_refused_whole(environment: Environment, field: str, value: bytes) -> None:
    """The error says that trying again cannot help, in a word without the data, too; nothing of the batch is kept."""
    with pytest.raises(Refused) as refusal:
        await environment.warehouse.load(spoilt(environment, field, value))
    assert refusal.value.kind.replace("_", "").isalnum()
    assert await count(environment, final=False) == 0


@pytest.mark.parametrize(("field", "value"), AT_FAULT)
async def test_the_event_at_fault_is_named_by_index_and_field(
    environment: Environment, field: str, value: bytes
) -> None:
    """For everything that load is known to refuse, without loading anything."""
    [(index, reason)] = (await environment.warehouse.faults(spoilt(environment, field, value))).items()
    assert index == 1
    assert reason.startswith(f"{field}: ")
    assert await count(environment, final=False) == 0


async def test_no_fault_is_found_where_there_is_none(environment: Environment) -> None:
    """Whatever text the events hold, and at the bounds of time."""
    names = {name: name for name in HOSTILE_NAMES}
    facts = [Fact(name, name, properties=names, groups={"company": name}) for name in HOSTILE_NAMES]
    facts += [Fact(timestamp=FIRST_TIMESTAMP), Fact(timestamp=LAST_TIMESTAMP - timedelta(microseconds=1))]
    payload = batch(environment.environment_id, *facts)

    assert await environment.warehouse.faults(payload) == {}
    await environment.warehouse.load(payload)


async def test_many_faults_among_many_events_are_all_named(environment: Environment) -> None:
    """Each by its own place."""
    stored = StoredBatch.FromString(batch(environment.environment_id, *(Fact() for _ in range(2_000))))
    for event in stored.events[::7]:
        event.properties_json = b"["
    faults = await environment.warehouse.faults(stored.SerializeToString())
    assert sorted(faults) == list(range(0, 2_000, 7))


async def test_a_batch_may_span_decades_and_end_at_the_bounds(environment: Environment) -> None:
    """An import of many months loads in one insert, the first and the last timestamp included."""
    moments = [FIRST_TIMESTAMP, LAST_TIMESTAMP - timedelta(microseconds=1)]
    moments += [NOON - timedelta(days=31 * months) for months in range(120)]
    await environment.load(*(Fact(timestamp=moment) for moment in moments))
    found = await environment.warehouse.timeline(environment.environment_id, limit=1000)
    assert [event.timestamp for event in found] == sorted(moments, reverse=True)


async def test_the_greatest_revision_of_a_profile_wins(environment: Environment) -> None:
    """Whatever order revisions arrive in, and in one call or several."""
    mine = environment.environment_id
    load = environment.warehouse.load_profiles
    await load([ProfileRow(mine, "user", "ann", {"plan": "pro", "at": "2026-01-01"}, 7)])
    await load(
        [ProfileRow(mine, "user", "ann", {"plan": "old"}, 6), ProfileRow(mine, "company", "acme", {"a.b": 1}, 8)]
    )
    await load([ProfileRow(mine + 1_000_000, "user", "ann", {"plan": "not mine"}, 9)])
    persons = "SELECT distinct_id, toJSONString(properties) FROM persons FINAL WHERE environment_id = {e:UInt32}"
    groups = (
        "SELECT group_type, group_key, toJSONString(properties) FROM groups FINAL WHERE environment_id = {e:UInt32}"
    )
    assert await rows(environment, persons) == [["ann", '{"at":"2026-01-01","plan":"pro"}']]
    assert await rows(environment, groups) == [["company", "acme", '{"a.b":1}']]


async def test_activity_is_the_first_and_last_event_of_each_key(environment: Environment) -> None:
    """By type and key, over several batches; a key that nobody used is absent."""
    late, early = NOON + timedelta(days=40), NOON - timedelta(days=40)
    await environment.load(Fact(timestamp=NOON, groups={"company": "acme"}), Fact(distinct_id="bob", timestamp=late))
    await environment.load(Fact(timestamp=early, groups={"company": "acme"}))
    activity = environment.warehouse.activity
    [company] = (await activity(environment.environment_id, "company", ["acme", "nobody"])).values()
    assert (company.key, company.first_seen_at, company.last_seen_at) == ("acme", early, NOON)
    assert set(await activity(environment.environment_id, "user", ["ann", "bob", "acme"])) == {"ann", "bob"}
    assert await activity(environment.environment_id + 1_000_000, "company", ["acme"]) == {}


async def test_seen_pages_through_keys_in_byte_order(environment: Environment) -> None:
    """Every key once, also where several batches name it, and none of another type."""
    names = ["Zoe", "ann", "bob", "élan", "日本"]
    for _ in range(2):
        await environment.load(*(Fact(distinct_id=name, groups={"company": "acme"}) for name in reversed(names)))
    found: list[str] = []
    while page := await environment.warehouse.seen(environment.environment_id, "user", found[-1] if found else "", 2):
        found += [activity.key for activity in page]
    assert found == names


async def test_a_timeline_pages_newest_first_without_a_gap(environment: Environment) -> None:
    """Pages of two, over ties in time, a gap of years and every filter, give each event once."""
    moments = [NOON, NOON, NOON, NOON - timedelta(hours=1), NOON - timedelta(days=3), NOON - timedelta(days=2000)]
    facts = [
        Fact(
            event=f"e{index % 3}",
            distinct_id=f"u{index % 2}",
            groups={"com'pany": f"c{index % 2}"},
            timestamp=moment,
        )
        for index, moment in enumerate(moments * 2)
    ]
    await environment.load(*facts)
    questions: list[tuple[dict[str, Any], list[Fact]]] = [
        ({}, facts),
        ({"distinct_ids": ["u1"]}, [fact for fact in facts if fact.distinct_id == "u1"]),
        ({"group_type": "com'pany", "group_key": "c0"}, [fact for fact in facts if fact.distinct_id == "u0"]),
        ({"event_names": ["e0", "e2"]}, [fact for fact in facts if fact.event != "e1"]),
        ({"distinct_ids": ["nobody"]}, []),
    ]
    for arguments, expected in questions:
        before, found = None, []
        while page := await environment.warehouse.timeline(
            environment.environment_id, before=before, limit=2, **arguments
        ):
            found += page
            before = (page[-1].timestamp, page[-1].uuid)
        assert sorted(event.uuid for event in found) == sorted(fact.uuid for fact in expected)
        assert [event.timestamp for event in found] == sorted((fact.timestamp for fact in expected), reverse=True)


async def test_a_query_reports_the_rows_that_it_read(environment: Environment) -> None:
    """Rows of storage, not rows of the answer."""
    await environment.load(*(replace(Fact(), uuid=str(uuids.uuid4())) for _ in range(50)))
    answer = await environment.warehouse.query(
        Statement("SELECT uniq(uuid) FROM events WHERE environment_id = {e:UInt32}", {"e": environment.environment_id})
    )
    assert answer.rows_read >= 50
    assert len(answer.rows) == 1


async def test_a_pattern_that_is_none_is_told_apart(environment: Environment) -> None:
    """A caller's mistake is not an internal error; one that is too large is told, with all that is in it."""
    for pattern, told in (("(", ""), ("\\pL{500}", "\\pL{500}"), ("a'\n\\pL{500}", "a'\n\\pL{500}")):
        with pytest.raises(BadPattern) as error:
            await rows(environment, "SELECT match(toString(number), {p:String}) FROM numbers(3)", p=pattern)
        assert error.value.pattern == told


async def test_a_statement_that_guessed_wrong_says_so(environment: Environment) -> None:
    """With Mistaken, and the next one is answered."""
    with pytest.raises(Mistaken):
        await environment.warehouse.query(Statement("SELECT sum(throwIf(number = 70000)) FROM numbers(100000)"))
    assert (await environment.warehouse.query(Statement("SELECT 1"))).rows == [[1]]


async def test_members_of_a_cohort_are_as_they_were_told_last(environment: Environment) -> None:
    """Whatever the order in which it was told; each cohort by itself."""
    warehouse, whose = environment.warehouse, environment.environment_id
    assert await warehouse.members_revision(whose, 1) == 0
    await warehouse.load_members(whose, "user", 1, [MemberRow("ann", True, 5), MemberRow('bob\n"', False, 6)])
    await warehouse.load_members(whose, "user", 1, [MemberRow("ann", False, 4), MemberRow('bob\n"', False, 6)])
    await warehouse.load_members(whose, "user", 2, [MemberRow("ann", False, 9)])

    sql = (
        "SELECT cohort_id, key FROM cohort_members FINAL WHERE environment_id = {e:UInt32} AND NOT removed"
        " ORDER BY cohort_id, key"
    )
    rows = (await environment.warehouse.query(Statement(sql, {"e": whose}))).rows
    assert [tuple(row) for row in rows] == [(1, 'bob\n"'), (2, "ann")]
    assert [await warehouse.members_revision(whose, cohort_id) for cohort_id in (1, 2)] == [6, 9]
