"""What every Warehouse keeps of the properties of events and profiles, on chDB."""

import json
from datetime import UTC, datetime
from typing import Any

from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion, property_column
from tests.contracts.stored import HOSTILE_NAMES, rows
from tests.fixtures.warehouse import Environment, Fact, batch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_no_properties_are_the_empty_object(environment: Environment) -> None:
    """An event without properties_json is an event without properties."""
    stored = StoredBatch.FromString(batch(environment.environment_id, Fact()))
    stored.events[0].properties_json = b""
    await environment.warehouse.load(stored.SerializeToString())
    assert await rows(environment, "SELECT toJSONString(properties) FROM events WHERE environment_id = {e:UInt32}") == [
        ["{}"]
    ]


async def test_a_property_of_any_name_can_be_read(environment: Environment) -> None:
    """No name breaks out of its quotes, and each reads its own value and no other."""
    await environment.load(Fact(properties={name: index for index, name in enumerate(HOSTILE_NAMES)}))
    columns = ", ".join(property_column("properties", name, "Int64") for name in HOSTILE_NAMES)
    sql = f"SELECT {columns} FROM events FINAL WHERE environment_id = {{e:UInt32}}"
    assert await rows(environment, sql) == [list(range(len(HOSTILE_NAMES)))]


async def test_text_stays_text(environment: Environment) -> None:
    """What looks like a date or a number, but was captured as text, is neither for a filter."""
    await environment.load(Fact(properties={"a": "2026-03-01", "b": "2026-03-01T12:00:00Z", "c": "5"}))
    columns = ", ".join(property_column("properties", name, "String") for name in "abc")
    sql = f"SELECT {columns} FROM events FINAL WHERE environment_id = {{e:UInt32}}"
    assert await rows(environment, sql) == [["2026-03-01", "2026-03-01T12:00:00Z", "5"]]


async def test_of_two_equal_keys_the_first_is_kept(environment: Environment) -> None:
    """Whether or not something else in the event has to be made text."""
    for text in (b'{"a": 1, "a": 2}', b'{"a": 1, "l": [[1]], "a": 2}'):
        stored = StoredBatch.FromString(batch(environment.environment_id, Fact()))
        stored.events[0].properties_json = text
        await environment.warehouse.load(stored.SerializeToString())
    sql = f"SELECT {property_column('properties', 'a', 'Int64')} FROM events WHERE environment_id = {{e:UInt32}}"
    assert await rows(environment, sql) == [[1], [1]]


async def test_more_properties_than_clickhouse_gives_columns_can_be_read(environment: Environment) -> None:
    """Beyond 1,024 names in a part, values move to shared storage and are still found."""
    # In a month of their own: merging that many columns takes ten thousand files, and other tests have events to merge.
    long_ago = datetime(2001, 5, 1, tzinfo=UTC)
    await environment.load(*(Fact(timestamp=long_ago, properties={f"p{n}": n, "common": "x"}) for n in range(1500)))
    for name in ("p3", "p777", "p1499"):
        column = property_column("properties", name, "Int64")
        sql = f"SELECT sum({column}) FROM events FINAL WHERE environment_id = {{e:UInt32}}"
        assert await rows(environment, sql) == [[int(name[1:])]]


NESTED = {
    "plain": ["x", 5, None, True],
    "cart": [{"sku": "a", "lots": [1, 2]}, "b", 7, [[8]]],
    "page": {"at": {"x": 1}},
    "deep": {"at": {"lists": [[1], [2]]}},
    "text": '[[ and ,{ in a "text"',
    "a.b": [[]],
    "great": 1 << 64,
    "none": {},
}
FLAT = {**NESTED, "cart": ['{"sku":"a","lots":[1,2]}', "b", 7, "[[8]]"], "deep": {"": True}, "a.b": ["[]"]}


async def test_what_is_in_lists_is_kept_to_be_asked_about_as_text(environment: Environment) -> None:
    """Of events however they are loaded, and of profiles; and what was captured stays what it was."""
    mine, warehouse = environment.environment_id, environment.warehouse
    spaced = StoredBatch.FromString(batch(mine, Fact(event="spaced")))
    spaced.events[0].properties_json = json.dumps(NESTED, indent=1).encode()
    for payload, again in (
        (batch(mine, Fact(event="once", properties=NESTED)), False),
        (spaced.SerializeToString(), True),
    ):
        await warehouse.load(payload, again=again)
    stored = "SELECT properties_json, toJSONString(properties) FROM events WHERE environment_id = {e:UInt32}"
    await warehouse.load_profiles(
        [ProfileRow(mine, "user", "ann", NESTED, 1), ProfileRow(mine, "team", "a", NESTED, 2)]
    )
    await warehouse.load_profile_versions([ProfileVersion(mine, "user", "ann", NOON, NESTED, 1)])
    found = [(json.loads(text), json.loads(kept)) for text, kept in await rows(environment, stored)]
    expected = {**FLAT, "great": str(1 << 64)}
    del expected["none"]
    assert found == [(NESTED, expected)] * 2
    for table in ("persons", "groups", "profile_versions"):
        [[kept]] = await rows(
            environment, f"SELECT toJSONString(properties) FROM {table} WHERE environment_id = {{e:UInt32}}"
        )
        assert {**json.loads(kept), "cart": None} == {**expected, "cart": None}
        assert [json.loads(kept)["cart"][at] for at in (1, 2, 3)] == ["b", 7, "[[8]]"]
        assert json.loads(json.loads(kept)["cart"][0]) == NESTED["cart"][0]


async def test_a_list_of_objects_is_few_columns(environment: Environment) -> None:
    """Of whatever shapes its objects are: each column of a part stays in memory as long as the part."""
    long_ago = datetime(2001, 6, 1, tzinfo=UTC)
    shapes = [[{f"key{shape}{key}": key for key in range(50)}, [[shape]]] for shape in range(20)]
    await environment.load(*(Fact(timestamp=long_ago, properties={"cart": shape}) for shape in shapes))
    sql = (
        "SELECT max(length(substreams)) FROM system.parts_columns WHERE database = currentDatabase()"
        " AND table = 'events' AND column = 'properties' AND partition = '200106'"
    )
    [[columns]] = await rows(environment, sql)
    assert columns < 200


NUMBERS = [
    *(0, 1, -1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**20, -(10**20), 10**25),
    *(0.0, 1.0, 0.1, 1e-7, 2.0**53, 1e18, 2.0**63, 1e19, -1e19, -(2.0**63), 2.0**64, 1e20, -1e20, 1e21, 1e300),
]


async def test_numbers_are_the_same_with_a_nested_list_beside_them(environment: Environment) -> None:
    """In a property and in a list: doubles are numbers, and integers beyond 64 bits text, of whatever size they are."""
    facts: dict[str, Any] = {f"n{index}": value for index, value in enumerate(NUMBERS)}
    facts |= {f"l{index}": [value, "x"] for index, value in enumerate(NUMBERS)}
    facts["doubles"] = [1e20, 1.5]
    facts["texts"] = ['a "[1,', f",{10**22},3", "\\", 'x\\"', f"[-{10**20}]", "{:}", "\n", "é", 1e20]
    facts["all"] = NUMBERS
    await environment.load(Fact(event="a", properties=facts), Fact(event="b", properties=facts | {"beside": [[1]]}))
    sql = "SELECT toJSONString(properties) FROM events WHERE environment_id = {e:UInt32} ORDER BY event"
    alone, beside = [json.loads(kept) for (kept,) in await rows(environment, sql)]
    assert beside.pop("beside") == ["[1]"]
    assert beside == alone
    known = [str(n) if isinstance(n, int) and not -(2**63) <= n < 2**64 else float(n) for n in NUMBERS]
    assert [n if isinstance(n, str) else float(n) for n in alone["all"]] == known
    assert alone["doubles"] == [1e20, 1.5]


async def test_true_in_a_list_is_true_whatever_is_beside_it(environment: Environment) -> None:
    """And no text, and no number."""
    facts = {"text": [True, "true"], "number": [1, False], "object": [True, {"a": 1}], "all": [True, None, 1.5, "x"]}
    await environment.load(Fact(properties=facts))
    sql = "SELECT toJSONString(properties) FROM events WHERE environment_id = {e:UInt32}"
    [[kept]] = await rows(environment, sql)
    assert kept == json.dumps(facts | {"object": [True, '{"a":1}']}, separators=(",", ":"), sort_keys=True)
