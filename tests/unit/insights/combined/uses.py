"""Feature usage and paths made up by a seed, and what plain Python makes of them."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from random import Random
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

import re2

from burgee_server.insights.features import Feature, FeaturesQuery
from burgee_server.insights.paths import PathGroup, PathsQuery
from tests.fixtures.warehouse import Fact
from tests.unit.insights.combined import columns as grid
from tests.unit.insights.combined.questions import OWNERS, happening, interval, perhaps
from tests.unit.insights.combined.world import Seen, key_of
from tests.unit.insights.reference import by


def features(random: Random, base: dict) -> FeaturesQuery:  # type: ignore[type-arg]
    """Some that cover others."""
    return FeaturesQuery(
        tuple(Feature(happening(random, some=True), str(number)) for number in range(random.choice([1, 2, 4]))),
        interval=interval(random, base["range"]),
        group_type=random.choice(["", "company", "team"]),
        filter=perhaps(random),
        **base,
    )


def check_features(query: FeaturesQuery, answer: Any, seen: Seen) -> None:
    """Every number of each."""
    start, end, zone = answer.info.start, answer.info.end, ZoneInfo(query.time_zone or "UTC")
    grid.check(answer.columns, start, end, query.interval, zone)
    ever = [fact for fact in seen.facts if fact.timestamp < end and seen.passes(query.filter, fact)]
    active = [fact for fact in ever if fact.timestamp >= start and fact.event != "$feature_flag_called"]
    assert answer.active_users == len({fact.distinct_id for fact in active})
    owners = {fact.groups[query.group_type] for fact in active if query.group_type in fact.groups}
    assert answer.active_groups == len(owners)
    for feature, use in zip(query.features, answer.features, strict=True):
        done = [fact for fact in ever if seen.does(feature.use, fact)]
        times = [fact.timestamp for fact in done]
        assert (use.first_used_at, use.last_used_at) == (min(times, default=None), max(times, default=None))
        mine = [fact for fact in done if fact.timestamp >= start]
        users = by(mine, lambda fact: fact.distinct_id)
        assert (use.events, use.users) == (len(mine), len(users))
        assert use.groups == len({fact.groups[query.group_type] for fact in mine if query.group_type in fact.groups})
        days = [len({grid.day_of(fact.timestamp, zone) for fact in theirs}) for theirs in users.values()]
        if users:
            assert abs(use.events_per_user - len(mine) / len(users)) < 1e-9
            assert abs(use.days_per_user - fmean(days)) < 1e-9, (use, days)
            assert abs(use.returning_share - sum(each > 1 for each in days) / len(users)) < 1e-9
        there = [{grid.column_of(fact.timestamp, answer.columns) for fact in theirs} for theirs in users.values()]
        assert list(use.trend) == [sum(number in each for each in there) for number in range(len(answer.columns))]


def paths(random: Random, base: dict) -> PathsQuery:  # type: ignore[type-arg]
    """With patterns that overlap, and events of one moment."""
    least = random.choice([0, 0, 1, 2])
    groups = (PathGroup("^[ab]$", "ab"), PathGroup("b|x", "bx"), PathGroup("fr.*", "a"))
    return PathsQuery(
        happening(random) if random.random() < 0.5 else None,
        happening(random) if random.random() < 0.4 else None,
        only=tuple(happening(random) for _ in range(random.choice([0, 0, 1, 2]))),
        without=tuple(happening(random, some=True) for _ in range(random.choice([0, 0, 1]))),
        groups=tuple(random.sample(groups, random.choice([0, 0, 1, 2, 3]))),
        name_by=random.choice(["", "", "plan", "o`d.d"]),
        gap=timedelta(minutes=random.choice([0.001, 15, 30, 60 * 24 * 3])),
        steps=random.choice([2, 3, 5]),
        limit=1000,
        min_weight=least,
        max_weight=random.choice([0, least + 1]),
        count_by=random.choice(OWNERS),
        filter=perhaps(random),
        **base,
    )


def check_paths(query: PathsQuery, answer: Any, seen: Seen) -> None:
    """Every node and edge, how many take it, and how long."""
    start, end = answer.info.start, answer.info.end
    names_exposures = any(
        each and each.event == "$feature_flag_called" for each in (query.start_event, query.end_event)
    )
    facts = [
        fact
        for fact in seen.facts
        if start <= fact.timestamp < end
        and seen.passes(query.filter, fact)
        and key_of(fact, query.count_by) is not None
        and (
            any(seen.does(each, fact) for each in query.only)
            if query.only
            else fact.event != "$feature_flag_called" or names_exposures
        )
        and not any(seen.does(each, fact) for each in query.without)
    ]
    taken: defaultdict[tuple[int, str, str], list[tuple[str, timedelta]]] = defaultdict(list)
    reached: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    ended = Counter[tuple[int, str]]()
    whose: list[str] = []
    for actor, theirs in by(facts, lambda fact: key_of(fact, query.count_by)).items():
        for way in _ways(query, theirs, seen):
            whose.append(actor)
            offset = query.steps - len(way) if query.end_event and not query.start_event else 0
            for number, (at, item) in enumerate(way, 1):
                reached[offset + number, item].append(actor)
                if number == len(way):
                    ended[offset + number, item] += 1
                else:
                    then, target = way[number]
                    taken[offset + number, item, target].append((actor, then - at))
    assert (answer.paths, answer.actors) == (len(whose), len(set(whose)))
    assert {(node.step, node.item): (node.paths, node.actors, node.ended) for node in answer.nodes} == {
        at: (len(actors), len(set(actors)), ended[at]) for at, actors in reached.items()
    }
    kept = {
        edge: of
        for edge, of in taken.items()
        if query.min_weight <= len(of) and (not query.max_weight or len(of) <= query.max_weight)
    }
    assert {(edge.step, edge.source, edge.target): (edge.paths, edge.actors) for edge in answer.edges} == {
        edge: (len(of), len({actor for actor, _ in of})) for edge, of in kept.items()
    }
    for edge in answer.edges:
        took = [each.total_seconds() for _, each in kept[edge.step, edge.source, edge.target]]
        assert abs(edge.mean.total_seconds() - fmean(took)) < 1e-3
        assert abs(edge.median.total_seconds() - median(took)) < 1e-3


def _item(query: PathsQuery, fact: Fact) -> str:
    value = fact.properties.get(query.name_by) if query.name_by else None
    name = value if isinstance(value, str) else fact.event
    return next((group.label for group in query.groups if re2.search(group.pattern, name)), name)


def _ways(query: PathsQuery, facts: list[Fact], seen: Seen) -> list[list[tuple[datetime, str]]]:
    """Of one actor. Of events of one moment and one name, those that begin and end a path come last."""

    def mark(fact: Fact) -> tuple[datetime, bytes, bool, bool]:
        starts = query.start_event is not None and seen.does(query.start_event, fact)
        ends = query.end_event is not None and seen.does(query.end_event, fact)
        return fact.timestamp, _item(query, fact).encode(), starts, ends

    sessions: list[list[tuple[datetime, bytes, bool, bool]]] = []
    for event in sorted(map(mark, facts)):
        if not sessions or event[0] - sessions[-1][-1][0] > query.gap:
            sessions.append([])
        sessions[-1].append(event)
    found = []
    for session in sessions:
        if query.start_event is not None:
            first = next((number for number, event in enumerate(session) if event[2]), None)
            if first is None:
                continue
            session = session[first:]
        if query.end_event is not None:
            later = 1 if query.start_event is not None else 0
            last = next((number for number, event in enumerate(session) if number >= later and event[3]), None)
            if last is None:
                continue
            session = session[: last + 1]
        items = [(event[0], event[1].decode()) for event in session]
        items = [item for number, item in enumerate(items) if number == 0 or item[1] != items[number - 1][1]]
        if query.end_event is None:
            items = items[: query.steps]
        elif query.start_event is None:
            items = items[-query.steps :]
        elif len(items) > query.steps:
            items = [*items[: query.steps - 2], (items[query.steps - 2][0], "…"), items[-1]]
        found.append(items)
    return found
