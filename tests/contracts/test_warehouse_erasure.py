"""What every Warehouse promises about removing persons and groups.

Over HTTP the statements are the same, on the same engine: there, two removals with texts and times of all kinds.
"""

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from burgee_server.ports.warehouse import Arrived, MemberRow, ProfileRow, Removal, Statement, to_micros
from tests.contracts.warehouses import REWRITTEN, warehouse_in
from tests.fixtures.warehouse import EMBEDDED, Environment, Fact, new_environment

warehouse = warehouse_in(REWRITTEN, "module")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


async def left(environment: Environment) -> set[tuple[str, str]]:
    """The persons and companies of the events that are there."""
    events = await environment.warehouse.timeline(environment.environment_id, limit=1_000)
    return {(event.distinct_id, event.groups.get("company", "")) for event in events}


async def profiles(environment: Environment) -> list[list[object]]:
    """Keys and revisions of persons and groups, rows that FINAL would hide included."""
    sql = (
        "SELECT distinct_id AS key, revision FROM persons WHERE environment_id = {e:UInt32} UNION ALL"
        " SELECT group_key, revision FROM groups WHERE environment_id = {e:UInt32}"
    )
    answer = await environment.warehouse.query(Statement(sql, {"e": environment.environment_id}))
    return sorted((list(row) for row in answer.rows), key=str)


def person(key: str, until: datetime = LATER, revision: int = 100) -> Removal:
    """The removal of a person with everything that came before `until`."""
    return Removal("user", key, until, revision, until)


def company(key: str, until: datetime = LATER) -> Removal:
    """The same for a company."""
    return Removal("company", key, until, 100, until)


async def test_a_person_goes_with_all_events_and_nobody_else_does(environment: Environment) -> None:
    """Over several months and batches; the same id in another environment stays."""
    other = new_environment(environment.warehouse)
    months = [NOON - timedelta(days=31 * month) for month in range(4)]
    for moment in months:
        facts = [Fact(distinct_id=name, timestamp=moment, groups={"company": "acme"}) for name in ("ann", "bob")]
        await environment.load(*facts)
        await other.load(*facts)

    await environment.warehouse.erase(environment.environment_id, [person("ann")])

    assert await left(environment) == {("bob", "acme")}
    assert await left(other) == {("ann", "acme"), ("bob", "acme")}
    assert set(await environment.warehouse.activity(environment.environment_id, "user", ["ann", "bob"])) == {"bob"}


@EMBEDDED
async def test_a_group_goes_with_every_event_that_names_it(environment: Environment) -> None:
    """Whoever did it; what the same people did for others, or for nobody, stays."""
    await environment.load(
        Fact(distinct_id="ann", groups={"company": "acme", "team": "red"}),
        Fact(distinct_id="ann", groups={"company": "globex"}),
        Fact(distinct_id="ann"),
        Fact(distinct_id="bob", groups={"company": "acme"}),
        Fact(distinct_id="eve", groups={"team": "acme"}),
    )

    await environment.warehouse.erase(environment.environment_id, [company("acme")])

    assert await left(environment) == {("ann", "globex"), ("ann", ""), ("eve", "")}
    seen = environment.warehouse.seen
    assert [each.key for each in await seen(environment.environment_id, "user", "", 10)] == ["ann", "eve"]
    assert [each.key for each in await seen(environment.environment_id, "company", "", 10)] == ["globex"]
    assert [each.key for each in await seen(environment.environment_id, "team", "", 10)] == ["acme"]


@EMBEDDED
async def test_what_came_later_stays(environment: Environment) -> None:
    """By the time of receipt, whatever the timestamp; and by the revision of the profile."""
    load = environment.warehouse.load_profiles
    mine = environment.environment_id
    await environment.load(Fact(distinct_id="ann", timestamp=NOON), Fact(distinct_id="ann", timestamp=LATER))
    await load([ProfileRow(mine, "user", "ann", {"a": 1}, 7), ProfileRow(mine, "company", "ann", {}, 8)])
    await load([ProfileRow(mine, "user", "ann", {"a": 2}, 9), ProfileRow(mine, "company", "acme", {}, 10)])

    await environment.warehouse.erase(mine, [person("ann", until=NOON, revision=7)])

    [event] = await environment.warehouse.timeline(mine, limit=10)
    assert event.timestamp == LATER
    assert await profiles(environment) == [["acme", 10], ["ann", 8], ["ann", 9]]


@EMBEDDED
async def test_first_and_last_times_of_the_others_are_as_if_it_had_never_been(environment: Environment) -> None:
    """A company's first event was ann's, its last is bob's."""
    await environment.load(Fact(distinct_id="ann", timestamp=NOON, groups={"company": "acme"}))
    await environment.load(Fact(distinct_id="bob", timestamp=LATER, groups={"company": "acme"}))
    await environment.load(Fact(distinct_id="ann", timestamp=LATER, groups={"company": "hers"}))

    await environment.warehouse.erase(environment.environment_id, [person("ann")])

    found = await environment.warehouse.activity(environment.environment_id, "company", ["acme", "hers"])
    assert {key: (each.first_seen_at, each.last_seen_at) for key, each in found.items()} == {"acme": (LATER, LATER)}


@EMBEDDED
async def test_removing_again_and_removing_nobody_changes_nothing(environment: Environment) -> None:
    """So that one that was cut short can simply be repeated."""
    await environment.load(Fact(distinct_id="ann"), Fact(distinct_id="bob", groups={"company": "acme"}))
    removals = [person("ann"), person("ann", revision=101), company("nobody")]

    for _ in range(2):
        await environment.warehouse.erase(environment.environment_id, removals)

    assert await left(environment) == {("bob", "acme")}


async def test_many_of_several_types_go_at_once_each_up_to_its_own_time(environment: Environment) -> None:
    """Hostile types and keys among them."""
    type_, key = "com'pany `x` \\ {p:String}", "a'c\\m\"e -- 日本"
    await environment.load(
        Fact(distinct_id="ann", timestamp=NOON),
        Fact(distinct_id="bob", timestamp=NOON),
        Fact(distinct_id="bob", timestamp=LATER),
        Fact(distinct_id="eve", timestamp=LATER, groups={type_: key}),
        Fact(distinct_id="zoe", timestamp=LATER, groups={type_: "another"}),
        Fact(distinct_id=key, timestamp=LATER),
    )
    removals = [person("ann"), person("bob", until=NOON), Removal(type_, key, LATER, 1, LATER), person(key)]

    await environment.warehouse.erase(environment.environment_id, removals)

    assert await left(environment) == {("bob", ""), ("zoe", "")}


@EMBEDDED
async def test_no_file_holds_them_afterwards(environment: Environment, data_path: Path) -> None:
    """Not in parts that ClickHouse keeps for a while, not in the text of the mutation."""
    names = [f"somebody-{number}-to-forget" for number in range(3)]
    facts = [Fact(distinct_id=name, timestamp=NOON + timedelta(minutes=n)) for n, name in enumerate(names * 3)]
    for fact in facts:
        await environment.load(fact)
    row = ProfileRow(environment.environment_id, "user", names[0], {"email": "it's me"}, 3)
    await environment.warehouse.load_profiles([row])

    def holding() -> list[Path]:
        # Not rglob: that fails where a merge removes a folder that it has yet to look into.
        files = [Path(folder, name) for folder, _, found in os.walk(data_path / "events") for name in found]
        return [path for path in files if any(name in read(path) for name in names)]

    def read(path: Path) -> str:
        with suppress(FileNotFoundError):  # a merge or a clean-up was faster
            return path.read_text("latin-1")
        return ""

    # Compression finds nothing to gain in a block of one row, so that text can be found in the files.
    assert holding()

    await environment.warehouse.erase(environment.environment_id, [person(name) for name in names])

    assert holding() == []


async def test_arrived_counts_each_event_once_and_knows_the_latest_receipt(environment: Environment) -> None:
    """Of persons and of groups; who is not there is not in the answer."""
    twice = Fact(distinct_id="ann", groups={"company": "acme"})
    await environment.load(twice, Fact(distinct_id="ann", timestamp=LATER))
    await environment.load(twice)
    arrived = environment.warehouse.arrived

    assert await arrived(environment.environment_id, "user", ["ann", "bob"]) == {"ann": Arrived(2, LATER)}
    assert await arrived(environment.environment_id, "company", ["acme"]) == {"acme": Arrived(1, NOON)}


@EMBEDDED
async def test_what_is_loaded_meanwhile_is_kept(environment: Environment) -> None:
    """A new life, and the lives of others, while the old one is being removed."""
    await environment.load(*(Fact(distinct_id="ann", groups={"company": "acme"}) for _ in range(500)))
    erasing = asyncio.create_task(environment.warehouse.erase(environment.environment_id, [person("ann", until=NOON)]))
    loaded = 0
    while not erasing.done() or not loaded:
        await environment.load(Fact(distinct_id="ann", timestamp=LATER), Fact(distinct_id="bob", timestamp=LATER))
        loaded += 2
        await asyncio.wait([erasing], timeout=0.05)  # loading without a pause would keep the removal from ending
    await erasing
    events = await environment.warehouse.timeline(environment.environment_id, limit=1_000)
    assert [event.timestamp for event in events] == [LATER] * loaded
    found = await environment.warehouse.activity(environment.environment_id, "user", ["ann", "bob"])
    assert {each.first_seen_at for each in found.values()} == {LATER}


@EMBEDDED
async def test_members_of_lists_go_with_whom_they_name(environment: Environment) -> None:
    """Of that type; who came into a cohort after the request stays, and so do others."""
    warehouse, whose = environment.warehouse, environment.environment_id
    before, after = to_micros(NOON), to_micros(LATER) + 1
    for cohort_id, group_type, moment in ((1, "user", before), (2, "company", before), (3, "user", after)):
        rows = [MemberRow("ann", False, moment), MemberRow("bob", False, moment)]
        await warehouse.load_members(whose, group_type, cohort_id, rows)
    await warehouse.erase(whose, [person("ann")])

    sql = "SELECT cohort_id, key FROM cohort_members WHERE environment_id = {e:UInt32} ORDER BY cohort_id, key"
    rows = (await warehouse.query(Statement(sql, {"e": whose}))).rows
    assert [tuple(row) for row in rows] == [(1, "bob"), (2, "ann"), (2, "bob"), (3, "ann"), (3, "bob")]
