"""Trends made up by a seed, and what plain Python makes of them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from burgee_server.insights.trend import FormulaQuery, Measure, Series, Trend, TrendQuery
from burgee_server.insights.words import Happening, Part
from tests.fixtures.warehouse import Fact
from tests.unit.insights.combined import columns as grid
from tests.unit.insights.combined.questions import OWNERS, breakdown, happening, interval, perhaps
from tests.unit.insights.combined.world import MISSING, OTHER, Seen, key_of, placed, shown
from tests.unit.insights.reference import measured, numbers

ACTIVE = {Measure.WEEKLY_ACTIVE: 7, Measure.MONTHLY_ACTIVE: 30}
DISTINCT = {Measure.UNIQUE_USERS, Measure.UNIQUE_GROUPS}
COUNTED = {Measure.TOTAL, Measure.FIRST_TIME, *DISTINCT, *ACTIVE}
FORMULAS = {
    "A": lambda a, _: a,
    "A / B * 100": lambda a, b: a / b * 100 if b else math.nan,
    "-(A + B) * 1.5 - 2": lambda a, b: -(a + b) * 1.5 - 2,
    "B / (A - 3)": lambda a, b: b / (a - 3) if a - 3 else math.nan,
}


def made_up(random: Random, base: dict) -> TrendQuery:  # type: ignore[type-arg]
    """One to three series of any measure."""
    cumulative = random.random() < 0.25
    series = tuple(_series(random, cumulative) for _ in range(random.choice([1, 1, 2, 3])))
    return TrendQuery(
        series,
        interval=interval(random, base["range"]),
        filter=perhaps(random),
        breakdown=breakdown(random) if random.random() < 0.6 else None,
        formulas=tuple(FormulaQuery(each) for each in random.sample(sorted(FORMULAS), 2)) if len(series) > 1 else (),
        cumulative=cumulative,
        moving_average=0 if cumulative else random.choice([0, 0, 2, 5]),
        **base,
    )


def _series(random: Random, cumulative: bool) -> Series:
    measures = [Measure.TOTAL, Measure.SUM, Measure.FIRST_TIME, *DISTINCT] if cumulative else list(Measure)
    measure, what = random.choice(sorted(measures)), happening(random)
    can_share = measure in (Measure.TOTAL, Measure.SUM) and not cumulative
    group_type = random.choice(["company", "team"])
    return Series(
        what.event,
        measure,
        property="amount",
        group_type=random.choice([group_type, "user", ""]) if measure in {*ACTIVE, Measure.FIRST_TIME} else group_type,
        filter=what.filter,
        action=what.action,
        per=random.choice(["", *OWNERS]) if can_share else "",
    )


def owner_of(series: Series) -> str:
    """Who is counted; empty: nobody."""
    if series.measure is Measure.UNIQUE_USERS:
        return "user"
    if series.measure in {Measure.UNIQUE_GROUPS, Measure.FIRST_TIME, *ACTIVE}:
        return series.group_type or "user"
    return series.per


Placed = list[tuple[Fact, Part | None]]


def check(query: TrendQuery, answer: Trend, seen: Seen) -> None:
    """That every number of the answer is what plain Python makes of the events."""
    zone = ZoneInfo(query.time_zone or "UTC")
    start, end = answer.info.start, answer.info.end
    grid.check(answer.columns, start, end, query.interval, zone)
    rows: list[Placed] = []
    top: set[Part] = set()
    for number, series in enumerate(query.series):
        counted = _counted(seen, query, series, start, end)
        if query.breakdown is None:
            rows.append([(fact, None) for fact in counted])
            continue
        split = [(fact, seen.part(query.breakdown.attributes, fact)) for fact in counted]
        if number == 0:
            top = shown(_sizes(series, split, start), query.breakdown.limit)
        rows.append([(fact, placed(part, top)) for fact, part in split])
    lines = [
        _lines(series, placed_, answer.columns, start, end, zone, query.cumulative)
        for series, placed_ in zip(query.series, rows, strict=True)
    ]
    nothing = [
        0.0 if series.measure in {*COUNTED, Measure.SUM} and not series.per else math.nan for series in query.series
    ]
    if query.breakdown is None:
        for number, line in enumerate(lines):
            line.setdefault(None, ([nothing[number]] * len(answer.columns), nothing[number]))
    for formula in query.formulas:
        used = [number for number, letter in enumerate("AB") if letter in formula.expression]
        made = {}
        for part in {part for number in used for part in lines[number]}:
            empty = [([nothing[number]] * len(answer.columns), nothing[number]) for number in (0, 1)]
            (a, total_a), (b, total_b) = (lines[number].get(part, empty[number]) for number in (0, 1))
            value = FORMULAS[formula.expression]
            made[part] = ([value(x, y) for x, y in zip(a, b, strict=True)], value(total_a, total_b))
        lines.append(made)
    expected = {
        (number, part): (_averaged(values, query.moving_average), total)
        for number, line in enumerate(lines)
        for part, (values, total) in line.items()
    }
    found = {(row.series, row.part): (row.values, row.total) for row in answer.rows}
    assert len(found) == len(answer.rows)
    assert set(found) == set(expected)
    for at, (values, total) in expected.items():
        assert same([*found[at][0], found[at][1]], [*values, total]), (at, found[at], values, total)
    for number in range(len(lines)):
        totals = [row.total for row in answer.rows if row.series == number and row.part != OTHER]
        there = [total for total in totals if not math.isnan(total)]
        assert there == sorted(there, reverse=True)


def _counted(seen: Seen, query: TrendQuery, series: Series, start: datetime, end: datetime) -> list[Fact]:
    """The events that a series goes by, also those before the range that matter."""
    what = Happening(series.event, series.action, series.filter)
    found = [
        fact
        for fact in seen.facts
        if fact.timestamp < end and seen.does(what, fact) and seen.passes(query.filter, fact)
    ]
    if owner := owner_of(series):
        found = [fact for fact in found if key_of(fact, owner) is not None]
    if series.measure not in COUNTED:
        found = [fact for fact in found if numbers([fact], series.property)]
    if series.measure is Measure.FIRST_TIME:
        found.sort(key=lambda fact: (fact.timestamp, UUID(fact.uuid).int), reverse=True)
        found = list({key_of(fact, owner): fact for fact in found}.values())
    if series.measure not in ACTIVE:
        found = [fact for fact in found if fact.timestamp >= start]
    return found


def _sizes(series: Series, split: Placed, start: datetime) -> dict[Part, float]:
    within: dict[Part, list[Fact]] = {}
    for fact, part in split:
        if fact.timestamp >= start and part is not None and part != MISSING:
            within.setdefault(part, []).append(fact)
    return {part: measure(series, facts) for part, facts in within.items()}


def measure(series: Series, facts: Sequence[Fact]) -> float:
    """What a series makes of events."""
    owner = owner_of(series)
    if series.per:
        return (
            measured(facts, series.measure, series.property) / len({key_of(f, owner) for f in facts})
            if facts
            else math.nan
        )
    if owner:
        return len({key_of(fact, owner) for fact in facts})
    return measured(facts, series.measure, series.property)


def _lines(
    series: Series,
    placed_: Placed,
    columns: Sequence[datetime],
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    cumulative: bool,
) -> dict[Part | None, tuple[list[float], float]]:
    lines = {}
    for part in {part for _, part in placed_}:
        mine = [fact for fact, of in placed_ if of == part]
        values = []
        for number, column in enumerate(columns):
            until = columns[number + 1] if number + 1 < len(columns) else end
            since = column
            if days := ACTIVE.get(series.measure):
                since = (until.astimezone(zone) - timedelta(days=days)).astimezone(until.tzinfo)
            if cumulative and series.measure in DISTINCT:
                since = start
            values.append(measure(series, [fact for fact in mine if since <= fact.timestamp < until]))
        if cumulative and series.measure not in DISTINCT:
            values = list(accumulate(values))
        total = measure(series, [fact for fact in mine if fact.timestamp >= start])
        if total or any(value and not math.isnan(value) for value in values) or series.measure not in ACTIVE:
            lines[part] = (values, total)
    return lines


def _averaged(values: Sequence[float], width: int) -> list[float]:
    if width < 2:
        return list(values)
    means = []
    for number in range(1, len(values) + 1):
        there = [value for value in values[max(0, number - width) : number] if not math.isnan(value)]
        means.append(math.fsum(there) / len(there) if there else math.nan)
    return means


def same(left: Sequence[float], right: Sequence[float]) -> bool:
    """Equal up to rounding; NaN is NaN."""
    return len(left) == len(right) and all(
        (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
        for a, b in zip(left, right, strict=True)
    )


__all__ = ["check", "made_up", "replace"]
