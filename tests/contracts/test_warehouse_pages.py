"""What every Warehouse promises about pages of a selection, on chDB."""

import json
import uuid as uuids
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from burgee.v1.capture_pb2 import CaptureRequest, Event
from burgee_server.ports.selection import EventKey, Selection
from burgee_server.ports.warehouse import to_micros
from burgee_server.storage.clickhouse import export
from tests.fixtures.warehouse import Environment, Fact

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def pages(environment: Environment, after: EventKey | None = None, **asked: Any) -> list[list[Event]]:
    """Every page of a selection, from a key on."""
    selection = Selection(environment.environment_id, **asked)
    found = []
    while page := await environment.warehouse.page(selection, after):
        found.append(list(CaptureRequest.FromString(page.payload).events))
        after = page.last
    return found


async def uuids_of(environment: Environment, **asked: Any) -> list[str]:
    """The uuids of a selection."""
    return [event.uuid for page in await pages(environment, **asked) for event in page]


def in_order(facts: list[Fact]) -> list[Fact]:
    """As pages have them; ClickHouse compares the halves of a uuid, low before high."""
    return sorted(facts, key=lambda fact: (fact.timestamp.date(), fact.event, _halves(fact.uuid)))


def _halves(uuid: str) -> tuple[int, int]:
    high, low = divmod(uuids.UUID(uuid).int, 1 << 64)
    return low, high


async def test_a_page_has_events_as_they_were_captured(environment: Environment) -> None:
    """Every field of burgee.v1.Event, hostile text and an empty one too."""
    facts = [
        Fact(
            properties={"a.b": None, "n": 10**30, "t": "2026-01-01", "🦄": [1, {"x": "'\\\n"}]}, groups={"it's": "\\`"}
        ),
        Fact(groups={}, timestamp=NOON + timedelta(microseconds=1)),
        Fact(event="naïve 日本", distinct_id="o'neil", groups={"company": "acme", "team": "a.b"}),
    ]
    await environment.load(*facts)

    [found] = await pages(environment)

    assert {event.uuid: event for event in found} == {
        fact.uuid: Event(
            uuid=fact.uuid,
            event=fact.event,
            distinct_id=fact.distinct_id,
            groups=fact.groups,
            properties_json=json.dumps(fact.properties, ensure_ascii=False),
            timestamp_micros=to_micros(fact.timestamp),
        )
        for fact in facts
    }


async def test_pages_have_each_event_once_in_order_of_day_name_and_uuid(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of three, over versions in several inserts, days and names; begun anywhere they go on from there."""
    monkeypatch.setattr(export, "PAGE_EVENTS", 3)
    facts = [
        Fact(event=f"e{number % 3}", timestamp=NOON + timedelta(days=number % 5 * 20, minutes=number % 2))
        for number in range(20)
    ]
    await environment.load(*facts[:12])
    await environment.load(*facts[6:])
    await environment.load(*facts[3:9])

    found = await pages(environment)

    expected = [fact.uuid for fact in in_order(facts)]
    assert [event.uuid for page in found for event in page] == expected
    assert max(map(len, found)) <= 3
    seventh = in_order(facts)[6]
    key = EventKey(seventh.timestamp.date(), seventh.event, seventh.uuid)
    assert [event.uuid for page in await pages(environment, key) for event in page] == expected[7:]


async def test_a_page_is_bounded_by_bytes_and_has_at_least_one_event(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large properties make small pages; one that is greater than a page is a page."""
    monkeypatch.setattr(export, "PAGE_BYTES", 5_000)
    sizes = [10, 10, 2_000, 2_000, 2_000, 20_000, 10]
    await environment.load(*(Fact(properties={"text": "x" * size}) for size in sizes))

    found = await pages(environment)

    assert sum(map(len, found)) == len(sizes)
    assert all(len(page) == 1 or sum(event.ByteSize() for event in page) <= 5_000 for page in found)


async def test_a_selection_is_by_time_name_person_and_group(environment: Environment) -> None:
    """Each by itself and all together; of time the beginning is in and the end is not."""
    facts = [
        Fact(
            event=f"e{number % 3}",
            distinct_id=f"u{number % 2}",
            groups={"com'pany": f"c{number % 4}"} if number % 5 else {},
            timestamp=NOON + timedelta(hours=number),
        )
        for number in range(60)
    ]
    await environment.load(*facts)
    start, end = facts[10].timestamp, facts[40].timestamp
    questions: list[tuple[dict[str, Any], Any]] = [
        ({"start": start}, lambda fact: fact.timestamp >= start),
        ({"end": end}, lambda fact: fact.timestamp < end),
        ({"event_names": ["e0", "e2"]}, lambda fact: fact.event != "e1"),
        ({"distinct_ids": ["u1"]}, lambda fact: fact.distinct_id == "u1"),
        ({"group_type": "com'pany", "group_key": "c3"}, lambda fact: fact.groups.get("com'pany") == "c3"),
        (
            {"start": start, "end": end, "event_names": ["e1"], "distinct_ids": ["u0"], "group_type": "com'pany",
             "group_key": "c2"},
            lambda fact: start <= fact.timestamp < end and (fact.event, fact.distinct_id) == ("e1", "u0")
            and fact.groups.get("com'pany") == "c2",
        ),
        ({"distinct_ids": ["nobody"]}, lambda _fact: False),
    ]  # fmt: skip
    for asked, chosen in questions:
        expected = [fact.uuid for fact in in_order(facts) if chosen(fact)]
        assert await uuids_of(environment, **asked) == expected, asked
        assert await environment.warehouse.count(Selection(environment.environment_id, **asked), None) == len(expected)


async def test_an_event_is_selected_by_what_its_last_version_says(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that came again for another company is no longer that of the first; pages go on behind it."""
    monkeypatch.setattr(export, "PAGE_EVENTS", 2)
    facts = [Fact(groups={"company": "acme"}) for _ in range(6)]
    moved = [replace(fact, groups={"company": "globex"}) for fact in in_order(facts)[:4]]
    await environment.load(*facts)
    await environment.load(*moved)

    async def of(company: str) -> list[str]:
        return await uuids_of(environment, group_type="company", group_key=company)

    assert await of("globex") == [fact.uuid for fact in moved]
    assert await of("acme") == [fact.uuid for fact in in_order(facts)[4:]]


async def test_pages_have_nothing_of_another_environment(environment: Environment) -> None:
    """Whatever is asked."""
    await environment.load(Fact(groups={"company": "acme"}))
    elsewhere = Environment(environment.warehouse, environment.environment_id + 500_000)
    assert await pages(elsewhere) == []
    assert await pages(elsewhere, group_type="company", group_key="acme") == []
    assert await elsewhere.warehouse.count(Selection(elsewhere.environment_id), None) == 0
