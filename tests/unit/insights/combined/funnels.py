"""Funnels made up by a seed, with every question about them, and what plain Python makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from statistics import fmean, median
from typing import Any

from burgee.evaluation import Filter
from burgee_server.insights.funnel import (
    Attribution,
    Exclusion,
    Funnel,
    FunnelActorsQuery,
    FunnelComparisonQuery,
    FunnelCorrelationQuery,
    FunnelOverTimeQuery,
    FunnelQuery,
    FunnelTimesQuery,
    Order,
    Outcome,
    Side,
    Step,
)
from burgee_server.insights.words import Happening, Part
from tests.fixtures.warehouse import Fact
from tests.unit.insights.combined import columns as grid
from tests.unit.insights.combined.questions import OWNERS, breakdown, filter_, happening, interval, perhaps
from tests.unit.insights.combined.world import OTHER, Seen, key_of, placed, shown
from tests.unit.insights.funnel.test_about import binned
from tests.unit.insights.funnel.ways import Asked, Excluded, by_uuid, counts, is_spoiled, ways
from tests.unit.insights.reference import by


def made_up(random: Random, base: dict) -> FunnelQuery:  # type: ignore[type-arg]
    """In every order, with exclusions, and split by any attribution."""
    order = random.choice(list(Order))
    count = random.choice([2, 2, 2, 3, 3, 3, 4, 20])
    if order is Order.UNORDERED:  # only five may be alike
        count = min(count, 4)
    steps = [happening(random) for _ in range(count)]
    excluded = [] if order is Order.STRICT else [happening(random) for _ in range(random.choice([0, 0, 1, 2]))]
    bounds = []
    for _ in excluded:
        first = 1 if order is Order.UNORDERED else random.randint(1, count - 1)
        bounds.append((first, random.randint(first + 1, count)))
    split = breakdown(random) if random.random() < 0.6 else None
    attributions = [each for each in Attribution if each is not Attribution.STEP or order is not Order.UNORDERED]
    attribution = random.choice(attributions) if split else Attribution.FIRST_TOUCH
    return FunnelQuery(
        tuple(Step(each.event, each.filter, action=each.action) for each in steps),
        window=timedelta(minutes=random.choice([15, 30, 60, 24 * 60, 60 * 24 * 80])),
        count_by=random.choice(OWNERS),
        filter=perhaps(random),
        breakdown=split,
        order=order,
        exclusions=tuple(
            Exclusion(each.event, each.filter, *bound, action=each.action)
            for each, bound in zip(excluded, bounds, strict=True)
        ),
        attribution=attribution,
        attribution_step=random.randint(1, count) if attribution is Attribution.STEP else 0,
        **base,
    )


def times(random: Random, base: dict) -> FunnelTimesQuery:  # type: ignore[type-arg]
    """From one step to another, in bins."""
    funnel = made_up(random, base)
    first = random.randint(1, len(funnel.steps) - 1)
    return FunnelTimesQuery(funnel, first, random.randint(first + 1, len(funnel.steps)), random.choice([1, 2, 3, 7]))


def over_time(random: Random, base: dict) -> FunnelOverTimeQuery:  # type: ignore[type-arg]
    """In columns."""
    return FunnelOverTimeQuery(made_up(random, base), interval(random, base["range"]))


def actors(random: Random, base: dict) -> FunnelActorsQuery:  # type: ignore[type-arg]
    """Who reached a step, or was lost there; of a part, too, but that depends on what there is."""
    funnel, outcome = made_up(random, base), random.choice(list(Outcome))
    part = OTHER if funnel.breakdown and random.random() < 0.5 else None
    return FunnelActorsQuery(funnel, random.randint(2, len(funnel.steps)), outcome, part)


def comparison(random: Random, base: dict) -> FunnelComparisonQuery:  # type: ignore[type-arg]
    """Of two filters."""
    return FunnelComparisonQuery(made_up(random, base), Side(filter_(random)), Side(filter_(random)))


def correlation(random: Random, base: dict) -> FunnelCorrelationQuery:  # type: ignore[type-arg]
    """Of events."""
    funnel = replace(made_up(random, base), breakdown=None, attribution=Attribution.FIRST_TOUCH, attribution_step=0)
    return FunnelCorrelationQuery(funnel, least=0, limit=100)


@dataclass(frozen=True)
class Gone:
    """A funnel that plain Python goes through."""

    query: FunnelQuery
    seen: Seen
    start: datetime
    end: datetime
    side: Filter | None = None
    """Which of its events, besides its own filter."""

    @property
    def asked(self) -> Asked:
        """The same, as tests of single events."""

        def test(match: Any) -> Any:
            return lambda fact: self.seen.does(Happening(match.event, match.action, match.filter), fact)

        return Asked(
            [test(step) for step in self.query.steps],
            self.query.window,
            self.query.order,
            [
                Excluded(test(each), each.from_step or 1, each.to_step or len(self.query.steps))
                for each in self.query.exclusions
            ],
        )

    @property
    def facts(self) -> list[Fact]:
        """The events inside the range that pass the filter, and that are anything that anybody does, or named."""
        named = [*self.query.steps, *self.query.exclusions]
        names_exposures = any(each.event == "$feature_flag_called" for each in named)
        return [
            fact
            for fact in self.seen.facts
            if self.start <= fact.timestamp < self.end
            and self.seen.passes(self.query.filter, fact)
            and self.seen.passes(self.side, fact)
            and (fact.event != "$feature_flag_called" or names_exposures)
        ]

    def actors(self) -> dict[str, list[Fact]]:
        """The events of each who is counted."""
        facts = [fact for fact in self.facts if key_of(fact, self.query.count_by) is not None]
        return by(facts, lambda fact: key_of(fact, self.query.count_by))

    def entries(self) -> list[tuple[str, Part | None, list[datetime], list[Fact]]]:
        """Whoever is in it, in each part before any becomes "other": when they reached what, and their events there."""
        found = []
        for actor, theirs in self.actors().items():
            if self.query.breakdown is not None and self.query.attribution is Attribution.ALL_STEPS:
                split = by(theirs, lambda fact: self.seen.part(self.query.breakdown.attributes, fact))
                for part, facts in split.items():
                    if moments := counts(facts, self.asked):
                        found.append((actor, part, moments, facts))
                continue
            moments = counts(theirs, self.asked)
            if len(moments) >= max(self.query.attribution_step, 1):
                found.append((actor, self._part(theirs, moments), moments, theirs))
        return found

    def _part(self, theirs: Sequence[Fact], moments: Sequence[datetime]) -> Part | None:
        if self.query.breakdown is None:
            return None
        query = self.query
        is_first = query.attribution is Attribution.FIRST_TOUCH
        number = query.attribution_step or (1 if is_first else len(moments))
        is_any = query.order is Order.UNORDERED
        touched = [f for f in theirs if (self.asked.matched(f) if is_any else self.asked.steps[number - 1](f))]
        if not is_first:
            touched = [fact for fact in touched if fact.timestamp == moments[number - 1]]
        return self.seen.part(query.breakdown.attributes, min(touched, key=by_uuid))

    def parts(self) -> dict[Part | None, dict[str, list[list[datetime]]]]:
        """Who is in each part that is shown, by the ways that they have there."""
        entries = self.entries()
        if self.query.breakdown is None:
            return {None: {actor: [moments] for actor, _, moments, _ in entries}}
        sizes: dict[Part, float] = {}
        for _, part, _, _ in entries:
            sizes[part] = sizes.get(part, 0) + 1
        top = shown(sizes, self.query.breakdown.limit)
        found: dict[Part | None, dict[str, list[list[datetime]]]] = {}
        for actor, part, moments, _ in entries:
            found.setdefault(placed(part, top), {}).setdefault(actor, []).append(moments)
        return found


def best(moments: Sequence[Sequence[datetime]]) -> Sequence[datetime]:
    """The way that counts of several: the furthest, the first there, the shortest."""
    return min(moments, key=lambda way: (-len(way), way[-1], way[-1] - way[0]))


def _gone(query: FunnelQuery, answer: Any, seen: Seen) -> Gone:
    return Gone(query, seen, answer.info.start, answer.info.end)


def check(query: FunnelQuery, answer: Funnel, seen: Seen) -> None:
    """How many reached each step."""
    steps = range(1, len(query.steps) + 1)
    expected = {
        part: [sum(len(best(each)) >= step for each in people.values()) for step in steps]
        for part, people in _gone(query, answer, seen).parts().items()
    }
    assert {row.part: [step.count for step in row.steps] for row in answer.rows} == expected


def check_times(query: FunnelTimesQuery, answer: Any, seen: Seen) -> None:
    """How long it took."""
    expected = _gone(query.funnel, answer, seen).parts()
    expected = {part: people for part, people in expected.items() if people}
    assert {row.part for row in answer.rows} == set(expected)
    for row in answer.rows:
        moments = [best(each) for each in expected[row.part].values()]
        took = [
            (way[query.to_step - 1] - way[query.from_step - 1]).total_seconds()
            for way in moments
            if len(way) >= query.to_step
        ]
        assert row.whole.count == len(took)
        if took:
            assert abs(row.whole.average - fmean(took)) < 1e-5, (row.whole, took)
            assert abs(row.whole.median - median(took)) < 1e-5, (row.whole, took)
        assert [bin_.count for bin_ in row.bins] == binned(took, query.bins)
        for step, time in enumerate(row.steps, 1):
            legs = [(way[step] - way[step - 1]).total_seconds() for way in moments if len(way) > step]
            assert time.count == len(legs)
            assert not legs or abs(time.median - median(legs)) < 1e-5


def check_over_time(query: FunnelOverTimeQuery, answer: Any, seen: Seen) -> None:
    """Who began in which column: of those who are in the funnel, the best way that began there, unless spoiled."""
    gone = _gone(query.funnel, answer, seen)
    sizes: dict[Any, float] = {}
    entries = gone.entries()
    for _, part, _, _ in entries:
        sizes[part] = sizes.get(part, 0) + 1
    top = shown(sizes, query.funnel.breakdown.limit) if query.funnel.breakdown else set()
    began: dict[Any, dict[tuple[str, int], list[tuple[int, int]]]] = {}
    for actor, part, _, facts in entries:
        of = None if part is None else placed(part, top)
        for way in ways(facts, gone.asked):
            column = grid.column_of(way[0], answer.columns)
            clean = 0 if is_spoiled(way, facts, gone.asked) else len(way)
            began.setdefault(of, {}).setdefault((actor, column), []).append((clean, len(way)))
    steps = len(query.funnel.steps)
    expected = {} if query.funnel.breakdown else {None: [[0] * steps for _ in answer.columns]}
    for part, of_columns in began.items():
        lines = [[0] * steps for _ in answer.columns]
        for (_, column), found in of_columns.items():
            clean, most = max(each[0] for each in found), max(each[1] for each in found)
            for step in range(clean if clean == most else 0):
                lines[column][step] += 1
        if part is None or any(map(any, lines)):
            expected[part] = lines
    assert {row.part: [list(each) for each in row.counts] for row in answer.rows} == expected


def check_actors(query: FunnelActorsQuery, answer: Any, seen: Seen) -> None:
    """Who they are, and when they reached what."""
    parts = _gone(query.funnel, answer, seen).parts()
    people: dict[str, list[Any]] = {}
    for part, of in parts.items():
        if query.part in (None, part):
            for actor, moments in of.items():
                people.setdefault(actor, []).extend(moments)
    reached = {actor: list(best(moments)) for actor, moments in people.items()}
    if query.outcome is Outcome.REACHED:
        wanted = {actor: moments for actor, moments in reached.items() if len(moments) >= query.step}
    else:
        wanted = {actor: moments for actor, moments in reached.items() if len(moments) == query.step - 1}
    assert {actor.key: list(actor.moments) for actor in answer.actors} == wanted
    assert [actor.key.encode() for actor in answer.actors] == sorted(actor.encode() for actor in wanted)


def check_comparison(query: FunnelComparisonQuery, answer: Any, seen: Seen) -> None:
    """Of each side, how many reached each step."""
    for side, found in ((query.first, answer.first), (query.second, answer.second)):
        people: dict[str, list[Any]] = {}
        for actor, _, moments, _ in replace(_gone(query.funnel, answer, seen), side=side.filter).entries():
            people.setdefault(actor, []).append(moments)
        lengths = [len(best(each)) for each in people.values()]
        steps = range(1, len(query.funnel.steps) + 1)
        assert [step.count for step in found.steps] == [sum(each >= step for each in lengths) for step in steps]


def check_correlation(query: FunnelCorrelationQuery, answer: Any, seen: Seen) -> None:
    """Who did what else."""
    gone = _gone(query.funnel, answer, seen)
    entries, steps = gone.entries(), len(query.funnel.steps)
    converted = sum(len(moments) == steps for _, _, moments, _ in entries)
    assert (answer.converted, answer.dropped) == (converted, len(entries) - converted)
    done: dict[str, list[int]] = {}
    for _, _, moments, facts in entries:
        is_converted = len(moments) == steps
        until = moments[-1] if is_converted else moments[0] + query.funnel.window
        for event in {
            fact.event
            for fact in facts
            if moments[0] <= fact.timestamp <= until
            and not gone.asked.matched(fact)
            and not any(each.test(fact) for each in gone.asked.excluded)
        }:
            done.setdefault(event, [0, 0])[not is_converted] += 1
    assert {each.event: [each.converted, each.dropped] for each in answer.correlates} == done
