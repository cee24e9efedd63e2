"""Retentions, lifecycles and stickiness made up by a seed, and what plain Python makes of them."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from burgee_server.insights.lifecycle import LifecycleQuery, Stage
from burgee_server.insights.retention import CellState, RetentionQuery, Returns, Starts, Window
from burgee_server.insights.stickiness import StickinessQuery
from burgee_server.insights.words import Interval, Part
from tests.fixtures.warehouse import Fact
from tests.unit.insights.combined import columns as grid
from tests.unit.insights.combined.questions import OWNERS, breakdown, happening, interval, perhaps
from tests.unit.insights.combined.world import MISSING, Seen, key_of, placed, shown
from tests.unit.insights.reference import by
from tests.unit.insights.returning import WIDTHS, periods

ROLLING = (Interval.HOUR, Interval.DAY, Interval.WEEK)


def retention(random: Random, base: dict) -> RetentionQuery:  # type: ignore[type-arg]
    """Of every kind of start, window and return."""
    window = random.choice(list(Window))
    return RetentionQuery(
        happening(random),
        happening(random),
        interval=interval(random, base["range"], ROLLING if window is Window.ROLLING else tuple(Interval)),
        periods=random.choice([1, 2, 5, 70, 150]),
        starts=random.choice(list(Starts)),
        window=window,
        returns=random.choice(list(Returns)),
        count_by=random.choice(OWNERS),
        filter=perhaps(random),
        breakdown=breakdown(random) if random.random() < 0.5 else None,
        **base,
    )


def lifecycle(random: Random, base: dict) -> LifecycleQuery:  # type: ignore[type-arg]
    """Of every kind of event."""
    return LifecycleQuery(
        happening(random),
        interval=interval(random, base["range"]),
        count_by=random.choice(OWNERS),
        filter=perhaps(random),
        **base,
    )


def stickiness(random: Random, base: dict) -> StickinessQuery:  # type: ignore[type-arg]
    """Split or not."""
    return StickinessQuery(
        happening(random),
        interval=interval(random, base["range"]),
        count_by=random.choice(OWNERS),
        filter=perhaps(random),
        breakdown=breakdown(random) if random.random() < 0.6 else None,
        **base,
    )


def _theirs(query: Any, seen: Seen) -> dict[str, list[Fact]]:
    facts = [f for f in seen.facts if seen.passes(query.filter, f) and key_of(f, query.count_by) is not None]
    return by(facts, lambda fact: key_of(fact, query.count_by))


def check_retention(query: RetentionQuery, answer: Any, seen: Seen) -> None:
    """Every cell: who is there, who was lost, and what of it is over."""
    start, end, now = answer.info.start, answer.info.end, seen.world.now
    zone = ZoneInfo(query.time_zone or "UTC")
    for table in answer.tables:
        grid.check([row.column for row in table.rows], start, end, query.interval, zone)
    columns = _on(start, end, query.interval, zone, query.periods + 1)
    starts = len(columns) - query.periods - 1
    assert all(row.column == columns[number] for table in answer.tables for number, row in enumerate(table.rows))
    found: list[tuple[Part | None, str, dict[int, set[int]]]] = []
    for actor, facts in _theirs(query, seen).items():
        began = sorted(
            (fact for fact in facts if fact.timestamp < end and seen.does(query.start_event, fact)),
            key=lambda fact: (fact.timestamp, UUID(fact.uuid).int),
        )
        began = began[:1] if query.starts is Starts.FIRST_TIME else [f for f in began if f.timestamp >= start]
        if not began or began[0].timestamp < start:
            continue
        back = [fact.timestamp for fact in facts if seen.does(query.return_event, fact) and fact.timestamp >= start]
        part = seen.part(query.breakdown.attributes, began[0]) if query.breakdown else None
        rows: dict[int, frozenset[int]] = {}
        for fact in began:
            column = grid.column_of(fact.timestamp, columns)
            if column not in rows:
                rows[column] = periods(fact.timestamp, back, query, columns)
        found.append((part, actor, rows))
    sizes: dict[Part, float] = {}
    for part, _, rows in found:
        sizes[part] = sizes.get(part, 0) + len(rows)  # type: ignore[index]
    top = shown(sizes, query.breakdown.limit) if query.breakdown else set()
    tables: dict[Part | None, list[dict[int, frozenset[int]]]] = {} if query.breakdown else {None: []}
    for part, _, rows in found:
        tables.setdefault(None if part is None else placed(part, top), []).append(rows)
    assert {table.part for table in answer.tables} == set(tables)
    for table in answer.tables:
        for number, row in enumerate(table.rows):
            there = [rows[number] for rows in tables[table.part] if number in rows]
            assert row.size == len(there)
            for period, cell in enumerate(row.cells):
                assert cell.count == sum(period in each for each in there), (number, period)
                state = _state(query, columns, number, period, start, end, now)
                assert cell.state is state
                lost = sum(period - 1 in each and period not in each for each in there) if period else 0
                assert cell.lost == (0 if state is CellState.FUTURE else lost)
        for period, mean in enumerate(table.averages):
            whole = [row for row in table.rows if row.cells[period].state is CellState.COMPLETE]
            assert mean.size == sum(row.size for row in whole)
            assert mean.count == sum(row.cells[period].count for row in whole)
    assert starts >= 1


def _state(
    query: RetentionQuery,
    columns: list[datetime],
    number: int,
    period: int,
    start: datetime,
    end: datetime,
    now: datetime,
) -> CellState:
    begin, until = columns[number + period], columns[number + period + 1]
    if query.window is Window.ROLLING:
        width = WIDTHS[query.interval.value]
        begin = max(columns[number], start) + width * period
        until = min(columns[number + 1], end) + width * (period + 1)
    return CellState.COMPLETE if until <= now else CellState.PARTIAL if begin < now else CellState.FUTURE


def _on(start: datetime, end: datetime, interval: Interval, zone: ZoneInfo, more: int) -> list[datetime]:
    """The columns of a span and so many more, found along the clock."""
    quarter = timedelta(minutes=15)
    moment = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
    while not grid.begins(moment, interval, zone):
        moment -= quarter
    columns = [moment]
    while len(columns) <= more or columns[-more - 1] < end or columns[-more] < end:
        moment += quarter
        if interval not in (Interval.HOUR, Interval.DAY):
            while moment.astimezone(zone).day not in _days(interval, moment, zone):
                moment += timedelta(hours=6)
        if grid.begins(moment, interval, zone):
            columns.append(moment)
        if sum(each >= end for each in columns) > more:
            break
    while sum(each >= end for each in columns) > more:
        columns.pop()
    return columns


def _days(interval: Interval, moment: datetime, zone: ZoneInfo) -> set[int]:
    """Days of the month on which a column may begin, or the day before."""
    if interval is Interval.WEEK:
        local = moment.astimezone(zone)
        return {local.day} if local.weekday() in (6, 0) else set()
    return {1, 28, 29, 30, 31}


def check_lifecycle(query: LifecycleQuery, answer: Any, seen: Seen) -> None:
    """Every column, from all that ever was."""
    start, end = answer.info.start, answer.info.end
    zone = ZoneInfo(query.time_zone or "UTC")
    shown_ = [each.column for each in answer.columns]
    grid.check(shown_, start, end, query.interval, zone)
    columns = _on(start, end, query.interval, zone, 1)
    before = columns[0] - timedelta(minutes=15)
    while not grid.begins(before, query.interval, zone):
        before -= timedelta(minutes=15)
    columns = [before, *columns]
    assert columns[1:-1] == shown_
    stages = stages_of(query, seen, columns, end)
    for number, column in enumerate(answer.columns, 1):
        counts = {stage: len(stages[number, stage]) for stage in Stage}
        assert (column.new, column.returning) == (counts[Stage.NEW], counts[Stage.RETURNING]), column
        assert (column.resurrecting, -column.dormant) == (counts[Stage.RESURRECTING], counts[Stage.DORMANT]), column
        assert column.complete == (columns[number + 1] <= min(seen.world.now, end))


def stages_of(
    query: LifecycleQuery, seen: Seen, columns: list[datetime], end: datetime
) -> dict[tuple[int, Stage], set[str]]:
    """Who is at which stage; the first column is the one before those that are shown."""
    stages: dict[tuple[int, Stage], set[str]] = {
        (number, stage): set() for number in range(len(columns)) for stage in Stage
    }
    for actor, facts in _theirs(query, seen).items():
        done = [fact.timestamp for fact in facts if fact.timestamp < end and seen.does(query.event, fact)]
        there = {grid.column_of(each, columns) for each in done}
        for number in range(1, len(columns) - 1):
            if number in there:
                earlier = any(each < number for each in there)
                stage = Stage.RETURNING if number - 1 in there else Stage.RESURRECTING if earlier else Stage.NEW
                stages[number, stage].add(actor)
            elif number - 1 in there:
                stages[number, Stage.DORMANT].add(actor)
    return stages


def check_stickiness(query: StickinessQuery, answer: Any, seen: Seen) -> None:
    """In how many columns each was active, in each part."""
    start, end = answer.info.start, answer.info.end
    zone = ZoneInfo(query.time_zone or "UTC")
    columns = _on(start, end, query.interval, zone, 0)
    active: dict[Part | None, dict[str, set[int]]] = {} if query.breakdown else {None: {}}
    for actor, facts in _theirs(query, seen).items():
        for fact in facts:
            if start <= fact.timestamp < end and seen.does(query.event, fact):
                part = seen.part(query.breakdown.attributes, fact) if query.breakdown else None
                active.setdefault(part, {}).setdefault(actor, set()).add(grid.column_of(fact.timestamp, columns))
    top: set[Part] = set()
    if query.breakdown:
        sizes = {part: len(people) for part, people in active.items() if part not in (None, MISSING)}
        top = shown(sizes, query.breakdown.limit)  # type: ignore[arg-type]
    merged: dict[Part | None, dict[str, set[int]]] = {}
    for part, people in active.items():
        of = merged.setdefault(None if part is None else placed(part, top), {})
        for actor, there in people.items():
            of.setdefault(actor, set()).update(there)
    assert {row.part for row in answer.rows} == set(merged)
    for row in answer.rows:
        numbers = [len(there) for there in merged[row.part].values()]
        assert row.size == len(numbers)
        assert [cell.columns for cell in row.cells] == list(range(1, len(columns) + 1))
        assert [cell.count for cell in row.cells] == [numbers.count(cell.columns) for cell in row.cells]
        assert [cell.at_least for cell in row.cells] == [sum(n >= cell.columns for n in numbers) for cell in row.cells]
