"""The SQL of paths: each one's events in order, cut into sessions, and the part of each that was asked for."""

from dataclasses import dataclass
from datetime import timedelta

from burgee_server.insights.asked import Asked
from burgee_server.insights.paths.model import PathsQuery
from burgee_server.insights.sql.borders import MICROS
from burgee_server.insights.sql.events import between, events_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.operators import to_sql
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.words import Happening
from burgee_server.ports.warehouse import Statement

LEFT_OUT = "…"
"""The item that stands for those between, where a way from start to end is longer than the steps."""


@dataclass(frozen=True, slots=True)
class WaysWriter:
    """Writes the statement of a question.

    Its rows are (kind, step, source, target, paths, actors, ended, mean and median microseconds, how many of the kind).
    """

    query: PathsQuery
    asked: Asked
    steps: int

    def statement(self, limit: int) -> Statement:
        """The paths by step: the nodes and the edges with the greatest numbers, and the whole. Raises Invalid."""
        scope = Scope(self.asked)
        ways = self._cut(scope, _without_runs(self._asked_for(self._sessions(scope))))
        # Where only an end is given, ways are laid side by side at their ends.
        first = f"{self.steps} - length" if self.query.end_event and not self.query.start_event else "0"
        pairs = (
            f"SELECT actor, arrayJoin(arrayEnumerate(way)) AS number, {first} + number AS step, number = 1 AS begins,"
            " tupleElement(way[number], 2) AS source,"
            " if(number < length, toNullable(tupleElement(way[number + 1], 2)), NULL) AS target,"
            f" tupleElement(way[number + 1], 1) - tupleElement(way[number], 1) AS micros "
            f"FROM (SELECT actor, way, length(way) AS length FROM ({ways}))"
        )
        kind = "multiIf(grouping(step) = 1, 'path', grouping(target) = 1, 'node', 'edge')"
        counted = (
            f"SELECT {kind} AS kind, step, source, target, if(kind = 'path', countIf(begins), count()) AS paths,"
            " uniqExact(actor) AS actors, countIf(isNull(target)) AS ended, avg(micros) AS mean,"
            f" quantileExactInclusive(0.5)(micros) AS median FROM ({pairs})"
            " GROUP BY GROUPING SETS ((step, source, target), (step, source), ())"
        )
        most = f" AND paths <= {scope.bind(self.query.max_weight, 'UInt64')}" if self.query.max_weight else ""
        heavy = f"paths >= {scope.bind(self.query.min_weight, 'UInt64')}{most}"
        kept = f"kind != 'edge' OR (isNotNull(target) AND {heavy})"
        return scope.statement(
            "SELECT kind, step, source, ifNull(target, ''), paths, actors, ended, mean, median, count() OVER (PARTITION"
            f" BY kind) AS of_kind FROM (SELECT * FROM ({counted}) WHERE {kept})"
            f" ORDER BY kind, paths DESC, step, source, target LIMIT {scope.bind(limit, 'UInt32')} BY kind"
        )

    def _items(self, scope: Scope) -> str:
        """A query for the events that are part of paths: who, when, what, and whether a path may begin or end there."""
        query, writer, actor = self.query, FilterWriter(scope, self.asked), scope.event_key(self.query.count_by)
        marks = []
        if query.start_event:
            marks.append(f"{_all(query.start_event, writer, 'start_event')} AS starts")
        if query.end_event:
            marks.append(f"{_all(query.end_event, writer, 'end_event')} AS ends")
        where = [f"NOT {actor.missing}", *writer.where(query.filter, "filter")]
        if query.only:
            where.append(_any(query.only, writer, "only"))
        else:
            where += between([each for each in (query.start_event, query.end_event) if each], self.asked)
        if query.without:
            where.append(f"NOT {_any(query.without, writer, 'without')}")
        name = "event"
        if query.name_by:
            name = f"ifNull({scope.event_property(query.name_by).text}, event)"
        if query.groups:
            branches = []
            for index, group in enumerate(query.groups):
                pattern = to_sql(group.pattern)
                scope.patterns[pattern] = f"groups[{index}].pattern"
                branches.append(f"match({name}, {scope.bind(pattern, 'String')}), {scope.bind(group.label, 'String')}")
            first = ", ".join(branches)
            name = f"multiIf({first}, {name})"
        return scope.events([f"{actor.text} AS actor", f"{MICROS} AS at", f"{name} AS item", *marks], where)

    @property
    def _fields(self) -> list[str]:
        """What is gathered of each event: as little as can be, because it is sorted."""
        query = self.query
        return ["at", "item", *(["starts"] if query.start_event else []), *(["ends"] if query.end_event else [])]

    def _sessions(self, scope: Scope) -> str:
        """Each one's events in order, cut where nothing happened for longer than the gap."""
        gap = scope.bind(self.query.gap // timedelta(microseconds=1), "Int64")
        # Within a moment by what they are: the same each time, and with the least to sort.
        ordered = (
            f"SELECT actor, arraySort(groupArray(({', '.join(self._fields)}))) AS events"
            f" FROM ({self._items(scope)}) GROUP BY actor"
        )
        before = "arrayPushFront(arrayPopBack(events), events[1])"
        paused = f"tupleElement(event, 1) - tupleElement(before, 1) > {gap}"
        session = f"arrayJoin(arraySplit((event, before) -> {paused}, events, {before})) AS session"
        return f"SELECT actor, {session} FROM ({ordered})"

    def _asked_for(self, sessions: str) -> str:
        """Of each session, what lies between a start and an end, if it has them, as (microseconds, item)."""
        if self.query.start_event:
            at = f"arrayFirstIndex(event -> tupleElement(event, {self._fields.index('starts') + 1}), session)"
            sessions = f"SELECT actor, arraySlice(session, {at}) AS session FROM ({sessions}) WHERE {at} > 0"
        if self.query.end_event:
            later = "number > 1 AND " if self.query.start_event else ""  # one event is not both ends of a way
            ends = f"{later}tupleElement(event, {self._fields.index('ends') + 1})"
            until = f"arrayFirstIndex((event, number) -> {ends}, session, arrayEnumerate(session))"
            sessions = (
                "SELECT actor, arraySlice(session, 1, until) AS session"
                f" FROM (SELECT actor, session, {until} AS until FROM ({sessions})) WHERE until > 0"
            )
        item = "(tupleElement(event, 1), tupleElement(event, 2))"
        return f"SELECT actor, arrayMap(event -> {item}, session) AS way FROM ({sessions})"

    def _cut(self, scope: Scope, ways: str) -> str:
        """At most as many items as there are steps."""
        if not self.query.end_event:
            return f"SELECT actor, arraySlice(way, 1, {self.steps}) AS way FROM ({ways})"
        if not self.query.start_event:
            return f"SELECT actor, arraySlice(way, -{self.steps}) AS way FROM ({ways})"
        between = f"[(tupleElement(way[{self.steps - 1}], 1), {scope.bind(LEFT_OUT, 'String')})]"
        short = f"arrayConcat(arraySlice(way, 1, {self.steps - 2}), {between}, arraySlice(way, -1))"
        return f"SELECT actor, if(length(way) <= {self.steps}, way, {short}) AS way FROM ({ways})"


def _without_runs(ways: str) -> str:
    """What is done several times in a row is one item: the first of them."""
    differs = "number = 1 OR tupleElement(item, 2) != tupleElement(before, 2)"
    before = "arrayPushFront(arrayPopBack(way), way[1])"
    kept = f"arrayFilter((item, before, number) -> {differs}, way, {before}, arrayEnumerate(way))"
    return f"SELECT actor, {kept} AS way FROM ({ways})"


def _all(match: Happening, writer: FilterWriter, path: str) -> str:
    return f"({' AND '.join(events_of(match, writer, path))})"


def _any(matches: tuple[Happening, ...], writer: FilterWriter, path: str) -> str:
    return f"({' OR '.join(_all(match, writer, f'{path}[{index}]') for index, match in enumerate(matches))})"
