"""Paths against golden cases, and against plain Python over made-up events."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import Condition, Operator
from burgee_server.errors import Invalid
from burgee_server.insights.paths import PathGroup, Paths, PathsQuery, plan_paths
from burgee_server.insights.words import Happening, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, ask
from tests.unit.insights.facts import facts
from tests.unit.insights.reference import by, once

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def paths(environment: Environment, **asked: Any) -> Paths:
    """Ask for paths of March."""
    return await ask(environment, plan_paths, PathsQuery(**({"range": MARCH} | asked)))


def way(who: str, *names: str, start: datetime = BEGIN, minutes: float = 1, **more: Any) -> list[Fact]:
    """Events one after another."""
    return [Fact(name, who, start + timedelta(minutes=minutes) * number, **more) for number, name in enumerate(names)]


def edges(answer: Paths) -> dict[tuple[int, str, str], int]:
    """How many paths take each edge."""
    return {(edge.step, edge.source, edge.target): edge.paths for edge in answer.edges}


async def test_paths_after_an_event_begin_with_it(environment: Environment) -> None:
    """What came before it is not part of them; the same several times in a row is one item; the rest is told."""
    await environment.load(
        *way("ann", "x", "home", "docs", "docs", "buy"), *way("bob", "home", "buy", "home"), *way("eve", "docs", "buy")
    )
    answer = await paths(environment, start_event=Happening("home"), steps=3)
    assert edges(answer) == {
        (1, "home", "docs"): 1,
        (1, "home", "buy"): 1,
        (2, "docs", "buy"): 1,
        (2, "buy", "home"): 1,
    }
    assert [(node.step, node.item, node.paths, node.ended) for node in answer.nodes] == [
        (1, "home", 2, 0),
        (2, "buy", 1, 0),
        (2, "docs", 1, 0),
        (3, "buy", 1, 1),
        (3, "home", 1, 1),
    ]
    assert (answer.paths, answer.actors) == (2, 2)
    took = {(edge.source, edge.target): (edge.mean, edge.median) for edge in answer.edges}
    assert took["docs", "buy"] == (timedelta(minutes=2), timedelta(minutes=2)), "from the first of the two docs"


async def test_paths_before_an_event_end_with_it_at_the_last_step(environment: Environment) -> None:
    """However long they are, so that what came right before stands side by side."""
    await environment.load(*way("ann", "a", "b", "c", "buy", "z"), *way("bob", "c", "buy"), *way("eve", "buy"))
    answer = await paths(environment, end_event=Happening("buy"), steps=3)
    assert edges(answer) == {(1, "b", "c"): 1, (2, "c", "buy"): 2}
    assert [(node.step, node.item, node.paths) for node in answer.nodes] == [(1, "b", 1), (2, "c", 2), (3, "buy", 3)]


async def test_paths_between_two_events_are_those_that_got_there(environment: Environment) -> None:
    """Those that are longer than the steps have one item in place of those left out."""
    await environment.load(
        *way("ann", "a", "b", "z"), *way("bob", "a", "b", "c", "d", "z"), *way("eve", "a", "b"), *way("joe", "z", "a")
    )
    answer = await paths(environment, start_event=Happening("a"), end_event=Happening("z"), steps=4)
    assert edges(answer) == {(1, "a", "b"): 2, (2, "b", "z"): 1, (2, "b", "…"): 1, (3, "…", "z"): 1}


async def test_a_path_ends_where_nothing_happens_for_longer_than_the_gap(environment: Environment) -> None:
    """To the microsecond; the next event begins another."""
    late = BEGIN + timedelta(minutes=30)
    await environment.load(*way("ann", "a"), *way("ann", "b", start=late))
    await environment.load(*way("bob", "a"), *way("bob", "b", start=late + timedelta(microseconds=1)))
    answer = await paths(environment)
    assert edges(answer) == {(1, "a", "b"): 1}
    assert (answer.paths, answer.actors) == (3, 2)
    assert edges(await paths(environment, gap=timedelta(hours=1))) == {(1, "a", "b"): 2}


async def test_companies_have_paths_of_all_their_people(environment: Environment) -> None:
    """In the order of time, whoever did it; events without a company are nobody's."""
    await environment.load(
        *way("ann", "a", groups={"company": "acme"}),
        *way("bob", "b", start=BEGIN + timedelta(minutes=1), groups={"company": "acme"}),
        *way("eve", "c", start=BEGIN + timedelta(minutes=2)),
    )
    assert edges(await paths(environment, count_by="company")) == {(1, "a", "b"): 1}


async def test_items_are_named_by_a_property_and_grouped_by_patterns(environment: Environment) -> None:
    """The first pattern that matches; an event without the property keeps its own name."""
    pages = ["/docs/1", "/docs/2", "/buy"]
    made = [replace(fact, properties={"path": page}) for fact, page in zip(way("ann", *"vvv"), pages, strict=True)]
    await environment.load(*made, *way("ann", "signed_up", start=BEGIN + timedelta(minutes=3)))
    groups = (PathGroup("^/docs/2", "second"), PathGroup("^/docs", "docs"))
    answer = await paths(environment, name_by="path", groups=groups)
    assert list(edges(answer)) == [(1, "docs", "second"), (2, "second", "/buy"), (3, "/buy", "signed_up")]


async def test_events_can_be_chosen_and_left_out(environment: Environment) -> None:
    """By name and filter; what is left out does not part its neighbours."""
    await environment.load(*way("ann", "a", "noise", "b", "c", "d"))
    chosen = (Happening("a"), Happening("b"), Happening("c"), Happening("noise"))
    answer = await paths(environment, only=chosen, without=(Happening("noise"),))
    assert edges(answer) == {(1, "a", "b"): 1, (2, "b", "c"): 1}
    never = Condition("event.x", Operator.IS_SET)
    assert (
        edges(await paths(environment, only=chosen, without=(Happening("noise", filter=never),)))[1, "a", "noise"] == 1
    )


async def test_what_is_beyond_the_limits_is_counted(environment: Environment) -> None:
    """The greatest are shown, by how many paths take them; weights leave out edges, never nodes."""
    for number, target in enumerate("bcd", 1):
        for person in range(number):
            await environment.load(*way(f"{target}{person}", "a", target))
    answer = await paths(environment, limit=2)
    assert edges(answer) == {(1, "a", "d"): 3, (1, "a", "c"): 2}
    assert (answer.edges_left_out, answer.nodes_left_out) == (1, 2)
    answer = await paths(environment, min_weight=2, max_weight=2)
    assert (edges(answer), answer.edges_left_out, len(answer.nodes)) == ({(1, "a", "c"): 2}, 0, 4)


async def test_without_events_there_are_no_paths(environment: Environment) -> None:
    """And it is an answer."""
    answer = await paths(environment, start_event=Happening("a"))
    assert (answer.paths, answer.actors, answer.nodes, answer.edges) == (0, 0, (), ())


BAD: list[tuple[dict[str, Any], str]] = [
    ({"steps": 1}, "steps"),
    ({"steps": 21}, "steps"),
    ({"limit": 1001}, "limit"),
    ({"gap": timedelta(0)}, "gap"),
    ({"min_weight": 3, "max_weight": 2}, "max_weight"),
    ({"count_by": "planet"}, "count_by"),
    ({"name_by": "x" * 201}, "name_by"),
    ({"groups": (PathGroup("(", "x"),)}, "groups[0].pattern"),
    ({"groups": (PathGroup("x", ""),)}, "groups[0].label"),
    ({"groups": (PathGroup("x", "y"),) * 51}, "groups"),
    ({"start_event": Happening("x" * 201)}, "start_event.event"),
    ({"end_event": Happening(action="nothing")}, "end_event.action"),
    ({"only": (Happening(), Happening("x" * 201))}, "only[1].event"),
    ({"without": (Happening(filter=Condition("planet.x", Operator.IS_SET)),)}, "without[0].filter.condition.attribute"),
    ({"range": TimeRange("x")}, "range.start"),
]


@pytest.mark.parametrize(("asked", "field"), BAD)
async def test_what_cannot_be_asked_is_refused_by_its_field(
    warehouse: ClickHouseWarehouse, asked: dict[str, Any], field: str
) -> None:
    """Before anything is asked of the warehouse."""
    with pytest.raises(Invalid) as error:
        await paths(new_environment(warehouse), **asked)
    assert error.value.violations[0].field == field


def ways(made: list[Fact], start: str, end: str, gap: timedelta, steps: int) -> list[list[tuple[datetime, str]]]:
    """The paths of one actor, in plain Python."""
    ordered = sorted(made, key=lambda fact: (fact.timestamp, fact.event))
    sessions: list[list[Fact]] = []
    for fact in ordered:
        if not sessions or fact.timestamp - sessions[-1][-1].timestamp > gap:
            sessions.append([])
        sessions[-1].append(fact)
    found = []
    for session in sessions:
        names = [fact.event for fact in session]
        first = names.index(start) if start in names else 0
        if start and start not in names:
            continue
        if end:
            after = first + 1 if start else 0
            if end not in names[after:]:
                continue
            session = session[first : names.index(end, after) + 1]
        else:
            session = session[first:]
        items = [(fact.timestamp, fact.event) for fact in session]
        items = [item for number, item in enumerate(items) if number == 0 or item[1] != items[number - 1][1]]
        if not end:
            items = items[:steps]
        elif not start:
            items = items[-steps:]
        elif len(items) > steps:
            items = [*items[: steps - 2], (items[steps - 2][0], "…"), items[-1]]
        found.append(items)
    return found


@examples(8)
@given(
    made=facts(),
    start=st.sampled_from(["", "a"]),
    end=st.sampled_from(["", "a", "b"]),
    gap=st.sampled_from([timedelta(microseconds=1), timedelta(minutes=30), timedelta(days=40)]),
    steps=st.sampled_from([2, 3, 5]),
    count_by=st.sampled_from(["user", "company"]),
)
async def test_paths_are_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse, made: list[Fact], start: str, end: str, gap: timedelta, steps: int, count_by: str
) -> None:
    """Over ties in time, duplicates, every combination of start and end, by user and by company."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    answer = await paths(
        environment,
        start_event=Happening(start) if start else None,
        end_event=Happening(end) if end else None,
        gap=gap,
        steps=steps,
        count_by=count_by,
        limit=1000,
    )
    span = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    inside = [fact for fact in once(made) if span[0] <= fact.timestamp < span[1]]
    key = (lambda fact: fact.distinct_id) if count_by == "user" else (lambda fact: fact.groups.get("company", ""))
    taken: defaultdict[tuple[int, str, str], list[timedelta]] = defaultdict(list)
    reached, ended, everything = Counter[tuple[int, str]](), Counter[tuple[int, str]](), 0
    for actor, events in by(inside, key).items():
        for items in ways(events, start, end, gap, steps) if actor else []:
            everything += 1
            offset = steps - len(items) if end and not start else 0
            for number, (at, item) in enumerate(items, 1):
                reached[offset + number, item] += 1
                if number == len(items):
                    ended[offset + number, item] += 1
                else:
                    then, target = items[number]
                    taken[offset + number, item, target].append(then - at)
    assert answer.paths == everything
    assert {(node.step, node.item): (node.paths, node.ended) for node in answer.nodes} == {
        at: (count, ended[at]) for at, count in reached.items()
    }
    assert edges(answer) == {edge: len(times) for edge, times in taken.items()}
    for edge in answer.edges:
        times = taken[edge.step, edge.source, edge.target]
        assert abs(edge.mean - sum(times, timedelta()) / len(times)) <= timedelta(milliseconds=1)
        assert abs(edge.median - median(times)) <= timedelta(milliseconds=1)
