"""The SQL of one series: which events, what of them, in which column and part, and how it adds up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.sql.columns import position_sql
from burgee_server.insights.sql.events import events_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.limits import require_name
from burgee_server.insights.sql.positions import Positions
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.sql.turns import TURN, of_first
from burgee_server.insights.trend.measures import ACTIVE, DISTINCT, Counted, counted
from burgee_server.insights.trend.model import Measure, TrendQuery
from burgee_server.insights.trend.numbered import most_counted, named, numbered
from burgee_server.insights.trend.present import fits, in_cells
from burgee_server.insights.trend.windows import Windows, windows
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, Statement

_FIRST_AT = "toUnixTimestamp64Micro(first_at)"
_MOST_APART = 31
"""Of how many columns each is grouped by itself."""

THE_WHOLE = "0 AS part"


@dataclass(frozen=True, slots=True)
class SeriesWriter:
    """Writes the statement of any series of a question.

    Its rows are (kind of part, value of part, number of the column, is the total, number). A total
    is counted from the events, not added up from the columns; "other" likewise, since one user may have many values.
    """

    query: TrendQuery
    asked: Asked
    columns: Sequence[datetime]
    split: Split | None

    def statement(self, index: int) -> Statement:
        """Of the series with this number. Raises Invalid."""
        scope = Scope(self.asked)
        series = self.query.series[index]
        counts = counted(series, scope, f"series[{index}]")
        adds_up = series.measure is Measure.TOTAL and not series.per
        if self.split and self.split.is_of_groups and adds_up and index == 0:
            column = f"{position_sql(scope, self.columns)} AS column"
            return scope.statement(self._in_one_pass(scope, self.split, counts, column))
        return scope.statement(named(self._top(scope), self._by_part(scope, index, counts)))

    def _by_part(self, scope: Scope, index: int, counts: Counted) -> str:
        """A query for the numbers of each `part` and `column`, and whether it `is_total`."""
        series = self.query.series[index]
        if series.measure in ACTIVE:
            window = windows(self.asked.span, self.columns, ACTIVE[series.measure])
            cut = f"{position_sql(scope, window.segments)} AS segment"
            return self._active(scope, window, self._in_parts(scope, index, counts, [cut], window.segments[0]))
        if series.measure is Measure.FIRST_TIME:
            rows = self._in_parts(scope, index, counts, [], FIRST_TIMESTAMP)
            rows = f"SELECT part, {position_sql(scope, self.columns, _FIRST_AT)} AS column FROM ({rows})"
        else:
            column = f"{position_sql(scope, self.columns)} AS column"
            rows = self._in_parts(scope, index, counts, [column], None)
        if self.query.cumulative and series.measure in DISTINCT:  # whoever was counted before adds nothing
            rows = f"SELECT part, counted, min(column) AS column FROM ({rows}) GROUP BY part, counted"
        elif series.measure in DISTINCT:
            return self._one_by_one(rows)
        keys = "part, column WITH ROLLUP HAVING grouping(part) = 0" if self.split else "column WITH ROLLUP"
        each = self._of_part("column", "grouping(column) AS is_total", f"{counts.aggregate} AS n")
        return f"SELECT {each} FROM ({rows}) GROUP BY {keys}"

    def _in_one_pass(self, scope: Scope, split: Split, counts: Counted, column: str) -> str:
        """The statement where "other" adds up, too: which parts are shown is found in the counts themselves."""
        of_event = f"{split.column(scope)} AS split"
        if split.is_of_now:  # then values are looked up for counts, and not for events
            each = self._column_by_column(scope, split, counts)
            if each is None:
                rows = self._rows(scope, 0, counts, [column, of_event], None)
                each = f"(SELECT split, column, count() AS n FROM ({rows}) GROUP BY split, column)"
            cells = split.values(scope, each[1:-1])
            if cells != each:
                cells = f"(SELECT split, column, sum(n) AS n FROM {cells} GROUP BY split, column)"
        else:
            rows = self._rows(scope, 0, counts, [column, of_event], None)
            cells = f"(SELECT split, column, count() AS n FROM {split.values(scope, rows)} GROUP BY split, column)"
        values = f"SELECT split, sum(n) AS total, groupArray((column, n)) AS cells FROM {cells} GROUP BY split"
        place = "row_number() OVER (PARTITION BY isNull(split) ORDER BY total DESC, split) AS place"
        kind = f"multiIf(isNull(split), 1, place <= {scope.bind(split.limit, 'UInt32')}, 0, 2) AS kind"
        parts = (
            f"SELECT {kind}, (kind, if(kind = 0, assumeNotNull(split), '')) AS part, cells"
            f" FROM (SELECT split, cells, {place} FROM ({values}))"
        )
        return (
            "SELECT part.1, part.2, cell.1 AS column, grouping(column) AS is_total, sum(cell.2)"
            f" FROM ({parts}) ARRAY JOIN cells AS cell GROUP BY part, column WITH ROLLUP HAVING grouping(part) = 0"
        )

    def _column_by_column(self, scope: Scope, split: Split, counts: Counted) -> str | None:
        """A source of counts by `split` and `column`, if it is quicker to group each column by itself.

        It is where the keys of groups have a column: ClickHouse counts those by their numbers in it, which it does for
        no second key beside them (docs/decisions/0075). What has to be asked for each column again must be little.
        """
        [owner, *others] = {attribute.owner for attribute in split.attributes}
        if others or not scope.is_column(owner) or len(split.attributes) > 1:
            return None
        where = self._where(scope, 0, counts)
        if len(self.columns) > _MOST_APART or scope.leaves_out or scope.looks_up(where):
            return None
        span, ends = self.asked.span, [*self.columns[1:], self.asked.span.end]
        counted = []
        for number, (begin, end) in enumerate(zip(self.columns, ends, strict=True)):
            rows = scope.events(
                [f"{split.column(scope)} AS split"], where, since=max(begin, span.start), until=min(end, span.end)
            )
            counted.append(f"SELECT split, toUInt16({number}) AS column, count() AS n FROM ({rows}) GROUP BY split")
        return f"({' UNION ALL '.join(counted)})"

    def _in_parts(self, scope: Scope, index: int, counts: Counted, select: list[str], since: datetime | None) -> str:
        """A query for what is counted, with the part that it belongs to."""
        if self.split is None:
            return self._rows(scope, index, counts, [*select, THE_WHOLE], since)
        split = f"{self.split.column(scope)} AS split"
        return numbered(self.split.values(scope, self._rows(scope, index, counts, [*select, split], since)))

    def _top(self, scope: Scope) -> str | None:
        """A query for the values that are shown: those of which the first series has most."""
        if self.split is None:
            return None
        first = self.query.series[0]
        of_first = counted(first, scope, "series[0]")
        split = f"{self.split.column(scope)} AS split"
        candidates = self.split.values(scope, self._rows(scope, 0, of_first, [split], None))
        if first.measure in DISTINCT or first.measure in ACTIVE:
            if not self.asked.sparing:
                alone = self.split.values(scope, scope.events([split], self._where(scope, 0, of_first)))
                return most_counted(scope, self.split, alone, candidates)
            candidates = f"(SELECT split, counted FROM {candidates} GROUP BY split, counted)"
        return (
            f"SELECT split FROM {candidates} WHERE isNotNull(split) GROUP BY split"
            f" ORDER BY {of_first.aggregate} DESC, split LIMIT {scope.bind(self.split.limit, 'UInt32')}"
        )

    def _rows(self, scope: Scope, index: int, counts: Counted, select: list[str], since: datetime | None) -> str:
        """A query for the events of a series with what it counts; for first times, the first event of each."""
        series, where = self.query.series[index], self._where(scope, index, counts)
        if series.measure is not Measure.FIRST_TIME:
            return scope.events([*select, *counts.select], where, since=since)
        each, kept = ["timestamp AS at", *counts.select], [THE_WHOLE]
        if self.split:
            each += [*select, TURN]
            kept = [f"{of_first('split', is_text=self.split.is_text)} AS split"]
        events = scope.events(each, where, since=FIRST_TIMESTAMP)
        firsts = ", ".join([*kept, "min(at) AS first_at", "counted"])
        inside = "toUnixTimestamp64Micro(first_at) >= {start:Int64}"
        return f"SELECT {firsts} FROM ({events}) GROUP BY counted HAVING {inside}"

    def _where(self, scope: Scope, index: int, counts: Counted) -> list[str]:
        """The conditions of a series and of the question, and of having what is counted."""
        series, path = self.query.series[index], f"series[{index}]"
        writer = FilterWriter(scope, self.asked)
        where = [
            *events_of(series, writer, path),
            *writer.where(self.query.filter, "filter"),
            *counts.where,
        ]
        require_name(series.label, f"{path}.label")
        return where

    def _active(self, scope: Scope, window: Windows, rows: str) -> str:
        """Who was active in the days before the end of each column; the total, of the range itself, comes first.

        Each one's segments in order: the columns of each begin where those of the one before ended.
        """
        segments = Positions("segments", len(window.segments))
        first = scope.bind(list(window.first), "Array(Int64)")
        ends = scope.bind(list(window.end), "Array(Int64)")
        inside = f"numbers[-1] >= {window.segments.index(max(self.asked.span.start, window.segments[0]))}"
        before = f"arrayPushFront(arrayPopBack(arrayMap(number -> {ends}[number + 1], numbers)), 0)"
        run = f"range(greatest({first}[number + 1], before), {ends}[number + 1])"
        runs = f"arrayFlatten(arrayMap((number, before) -> {run}, numbers, {before}))"
        numbers = f"arraySort(arrayMap(segment -> toInt64(segment), {segments.listed})) AS numbers"
        at = f"arrayJoin(arrayConcat(if({inside}, [-1], []), {runs})) AS at"
        actors = f"SELECT {self._of_part(segments.gathered(of='segment'))} FROM ({rows})"
        return self._counted(at, f"SELECT {self._of_part(numbers)} FROM ({actors} GROUP BY {self._of_part('counted')})")

    def _one_by_one(self, rows: str) -> str:
        """A query for the distinct of each column, and of all, by what each of them was in.

        Groups of bits by who was there may go to the disk, and take no longer than a set of who was there for each
        column, which may not.
        """
        if self.split and not self.asked.sparing and fits(self.split, self.columns):
            return in_cells(self.split, self.columns, rows)
        columns = Positions("columns", len(self.columns))
        at = f"arrayJoin(arrayPushFront(arrayMap(column -> toInt64(column), {columns.listed}), toInt64(-1))) AS at"
        actors = f"SELECT {self._of_part(columns.gathered(of='column'))} FROM ({rows})"
        return self._counted(at, f"{actors} GROUP BY {self._of_part('counted')}")

    def _counted(self, at: str, actors: str) -> str:
        """A query that counts actors by part and `at`; at -1, all of them."""
        counts = self._of_part("greatest(at, 0) AS column", "at < 0 AS is_total", "count() AS n")
        return f"SELECT {counts} FROM (SELECT {self._of_part(at)} FROM ({actors})) GROUP BY {self._of_part('at')}"

    def _of_part(self, *what: str) -> str:
        """What to select, or to group by, of each part."""
        return ", ".join((*(["part"] if self.split else []), *what))
