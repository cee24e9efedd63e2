"""Who went through a funnel, as SQL: a row for each user or group, and for each part of a breakdown that it is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from burgee.evaluation import USER
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.checks import check_funnel
from burgee_server.insights.funnel.marks import Marks, mark
from burgee_server.insights.funnel.model import Attribution, FunnelQuery, Order
from burgee_server.insights.funnel.ways import Ways, ways
from burgee_server.insights.sql.breakdown import Split, check_breakdown
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.sql.turns import TURN, of_first
from burgee_server.insights.words import Part, PartKind

_SHARE = 16
"""The share of the span, at its end, in which everybody is looked at first: one in so many."""

REACHED = "reached"
"""How many steps an actor reached."""

MOMENTS = "moments"
"""When it reached each of them, in microseconds, on the way that counts: of those that get furthest, the one that gets
there first; of several to there, the shortest."""

ENTRIES = "arrayMap((w, n, l) -> (w.1, n, l), ways, reaches, lengths) AS entries"
"""Of every way: when it began, how many steps it reached unspoiled (else 0), and how many spoiled or not."""


@dataclass(frozen=True, slots=True)
class Actors:
    """A checked funnel, and how to read who went through it."""

    query: FunnelQuery
    scope: Scope
    writer: FilterWriter
    split: Split | None
    marks: Marks
    ways: Ways
    filters: tuple[str, ...]

    def reached(self) -> str:
        """A query for `reached` of everybody who took the first step and is not excluded, of a funnel without a split.

        Whoever gets to the end with the events of a short time got there, whatever else they did. Groups have many
        events, and most that ever get to the end do so all the time: once that is known, the rest of their events need
        not be gathered and sorted (docs/decisions/0075). It goes into the statement as one list, looked up once.
        """
        query, span = self.query, self.scope.asked.span
        is_monotone = query.order is Order.ORDERED and not query.exclusions
        if query.count_by == USER or not is_monotone:
            return self.source(REACHED)
        late = span.end - (span.end - span.start) / _SHARE
        steps, key = len(query.steps), self.scope.event_key(query.count_by).text
        soon = f"SELECT actor FROM ({self.source(REACHED, since=late)}) WHERE reached = {steps}"
        done = f"arrayJoin((SELECT groupArray(ifNull(actor, '')) FROM ({soon})))"
        others = self.source(REACHED, where=[f"ifNull({key}, '') NOT IN (SELECT {done})"])
        return f"SELECT reached FROM ({others}) UNION ALL SELECT toUInt8({steps}) AS reached FROM (SELECT {done})"

    def source(self, *columns: str, since: datetime | None = None, where: Sequence[str] = ()) -> str:
        """A query for `actor` and `columns` of everybody who took the first step and is not excluded.

        Columns are REACHED, MOMENTS or ENTRIES. If the funnel is split, there is `split`, its value as text, or NULL if
        missing. `since` stands in place of the start of the span, and events must meet `where`, too.
        """
        select = ["actor", *columns, *([f"{self._value()} AS split"] if self.split else [])]
        clauses = [*self.marks.unpacked(), *self.ways.clauses, *self._judged()]
        taken = f"reached >= {self.query.attribution_step or 1}"
        actors = (
            f"WITH {', '.join(clauses)} SELECT {', '.join(select)} FROM ({self._grouped(since, where)}) WHERE {taken}"
        )
        if self.split is None or self.query.attribution is Attribution.ALL_STEPS:
            return actors
        return f"SELECT * FROM {self.split.values(self.scope, actors)}"

    def parts(self, *columns: str) -> str:
        """As source(), but with part_kind and part_value for Split.part() in place of `split`; each once in a part."""
        if self.split is None:
            return f"SELECT 0 AS part_kind, '' AS part_value, * FROM ({self.source(*columns)})"
        names = ["actor", *(column.rpartition(" ")[2] for column in columns)]
        people = f"groupArray(({', '.join(names)})) AS people"
        values = f"SELECT split, {people} FROM ({self.source(*columns)}) GROUP BY split"
        place = "row_number() OVER (PARTITION BY isNull(split) ORDER BY length(people) DESC, split) AS place"
        kind = f"multiIf(isNull(split), 1, place <= {self.scope.bind(self.split.limit, 'UInt32')}, 0, 2)"
        each = ", ".join(f"person.{number} AS {name}" for number, name in enumerate(names, 1))
        parts = (
            f"SELECT {kind} AS part_kind, if(part_kind = 0, assumeNotNull(split), '') AS part_value,"
            f" arrayJoin(people) AS person, {each} FROM (SELECT *, {place} FROM ({values}))"
        )
        if self.query.attribution is not Attribution.ALL_STEPS:
            return parts
        return self._once(f"({parts})", "part_kind, part_value, actor", columns)

    def of_part(self, part: Part | None, *columns: str) -> str:
        """As source() without `split`, of those in one part; None is everybody, each once."""
        if self.split is None:
            return self.source(*columns)
        source = f"SELECT * FROM ({self.source(*columns)})"
        if part is None:
            where = "1"
        elif part.kind is PartKind.OTHER:
            source, where = f"SELECT * FROM ({self.parts(*columns)})", "part_kind = 2"
        elif part.kind is PartKind.MISSING:
            where = "isNull(split)"
        elif part.kind is PartKind.COMBINATION:
            values = [None if each.kind is PartKind.MISSING else each.value for each in part.values]
            bound = self.scope.bind(values, "Array(Nullable(String))")
            where = f"JSONExtract(ifNull(split, '[]'), 'Array(Nullable(String))') = {bound}"
        else:
            where = f"ifNull(split = {self.scope.bind(part.value, 'String')}, 0)"
        return self._once(f"({source} WHERE {where})", "actor", columns)

    def _once(self, source: str, by: str, columns: Sequence[str]) -> str:
        """The best of what one actor has by several values."""
        best = {
            REACHED: "max(reached) AS reached",
            MOMENTS: "argMin(moments, (-toInt64(length(moments)), moments[-1], -toInt64(moments[1]))) AS moments",
            ENTRIES: "groupArrayArray(entries) AS entries",
        }
        return f"SELECT {', '.join([by, *(best[column] for column in columns)])} FROM {source} GROUP BY {by}"

    def _grouped(self, since: datetime | None, more: Sequence[str]) -> str:
        """Rows of actor, marks, and what the value of the breakdown is found with."""
        actor = self.scope.event_key(self.query.count_by)
        select = [f"{actor.text} AS actor", *self.marks.columns()]
        where = [f"NOT {actor.missing}", *self.filters, *self.marks.where(self.scope), *more]
        grouped, by = [f"{self.marks.grouped()} AS marks"], ["actor"]
        if self.split is None:
            events = self.scope.events(select, where, since=since)
        elif self.query.attribution is Attribution.ALL_STEPS:
            events = self.scope.events([*select, f"{self.split.column(self.scope)} AS split"], where)
            events = f"SELECT * FROM {self.split.values(self.scope, events)}"
            if self.query.count_by == USER and not self.scope.asked.sparing:
                return self._by_value(events)
            by.append("split")
        else:
            is_first = self.query.attribution is Attribution.FIRST_TOUCH
            order = TURN if is_first else "UUIDToNum(uuid) AS id"
            events = self.scope.events([*select, f"{self.split.column(self.scope)} AS value", order], where)
            grouped.append(self._touched(self.split))
        return f"SELECT {', '.join([*by, *grouped])} FROM ({events}) GROUP BY {', '.join(by)}"

    def _by_value(self, events: str) -> str:
        """Rows of actor, split and marks, from events with their `split`.

        Each actor's events are gathered, sorted by value and cut where another begins, since grouping by both makes a
        group of almost every event where values are many (docs/decisions/0102). All events of an actor are in one row,
        which cannot go to the disk: groups have too many, and so may users where memory is short. A value has a sign
        before it, so that the empty text can stand for a missing one.
        """
        value = "ifNull(concat('=', CAST(split AS Nullable(String))), '')"
        gathered = (
            f"SELECT actor, {self.marks.gathered()} AS found, {self.marks.gathered('value')} AS of_each"
            f" FROM (SELECT * EXCEPT (split), {value} AS value FROM ({events})) GROUP BY actor"
        )
        ordered = "arraySort((m, v) -> (v, m), found, of_each) AS every, arraySort(of_each) AS values"
        begins = "arrayMap((v, before) -> v != before, values, arrayShiftRight(values, 1))"
        cut = [f"arraySplit((each, begins) -> begins, {of}, {begins})" for of in ("every", "values")]
        kind = self.marks.kind("m")
        is_begun = self.marks.is_any_step(kind) if self.query.order is Order.UNORDERED else self.marks.is_step(kind, 1)
        runs = f"arrayFilter(run -> arrayExists(m -> {is_begun}, run.1), arrayZip({', '.join(cut)}))"
        each = f"SELECT actor, arrayJoin({runs}) AS run FROM (SELECT actor, {ordered} FROM ({gathered}))"
        split = "if(run.2[1] = '', NULL, substring(run.2[1], 2)) AS split"
        return f"SELECT actor, {split}, run.1 AS marks FROM ({each})"

    def _touched(self, split: Split) -> str:
        """Of events at one moment, the lesser uuid decides."""
        any_step = self.marks.is_any_step("kind")
        if self.query.attribution is Attribution.FIRST_TOUCH:
            first = any_step if self.query.order is Order.UNORDERED else self.marks.is_step("kind", 1)
            return f"{of_first('value', first, is_text=split.is_text)} AS touched"
        return f"groupArrayIf((at, id, kind, tuple(value)), {any_step}) AS touches"

    def _value(self) -> str:
        """The value of the breakdown, from what _grouped() has."""
        match self.query.attribution:
            case Attribution.FIRST_TOUCH:
                return "touched"
            case Attribution.ALL_STEPS:
                return "split"
            case Attribution.LAST_TOUCH:
                number: int | str = REACHED
            case Attribution.STEP:
                number = self.query.attribution_step
        is_step = self.marks.is_step("e.3", number)
        if self.query.order is Order.UNORDERED:
            is_step = self.marks.is_any_step("e.3")
        there = f"arrayFilter(e -> e.1 = moments[{number}] AND {is_step}, touches)"
        return f"arraySort(e -> (e.1, e.2), {there})[1].4.1"

    def _judged(self) -> list[str]:
        """From `ways` to the way that counts; who took as many steps as anywhere only on spoiled ways reached none."""
        lengths = f"arrayMap(w -> {self.ways.reached('w')}, ways) AS lengths"
        reaches = "lengths AS reaches"
        reached = "arrayMax(lengths) AS reached"
        if self.ways.exclusions:
            spoiled = self.ways.spoiled("w", "l")
            reaches = f"arrayMap((w, l) -> if({spoiled}, toUInt8(0), l), ways, lengths) AS reaches"
            reached = "if(arrayMax(reaches) = arrayMax(lengths), arrayMax(lengths), 0) AS reached"
        ranked = f"arrayMap(w -> ({self.ways.times('w')}, w.1), arrayFilter((w, n) -> n = reached, ways, reaches))"
        best = f"arrayReduce('min', arrayMap(w -> (w.1[reached], -toInt64(w.2), w.1), {ranked}))"
        return [lengths, reaches, reached, f"arraySlice({best}.3, 1, reached) AS moments"]


def read_actors(query: FunnelQuery, asked: Asked) -> Actors:
    """Check a funnel and begin its statement. Raises Invalid."""
    check_funnel(query, asked)
    split = check_breakdown(query.breakdown, asked)
    scope = Scope(asked)
    writer = FilterWriter(scope, asked)
    marks = mark(query, writer)
    filters = tuple(writer.where(query.filter, "filter"))
    return Actors(query, scope, writer, split, marks, ways(query, marks), filters)
