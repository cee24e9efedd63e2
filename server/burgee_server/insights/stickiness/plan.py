"""In how many columns everybody was active: checks, SQL, and rows to answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from burgee.evaluation.model import USER
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.shares import share
from burgee_server.insights.sql.attributes import require_group_type
from burgee_server.insights.sql.breakdown import Split, check_breakdown
from burgee_server.insights.sql.columns import position_sql
from burgee_server.insights.sql.events import events_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.limits import MAX_CELLS
from burgee_server.insights.sql.paged import ActorsPlan, paged
from burgee_server.insights.sql.positions import Positions
from burgee_server.insights.sql.ranked import of_part, ranked, require_split
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.stickiness.model import (
    Stickiness,
    StickinessActorsQuery,
    StickinessCell,
    StickinessQuery,
    StickinessRow,
)
from burgee_server.insights.words import Part, PartKind, QueryInfo
from burgee_server.ports.warehouse import Statement


@dataclass(frozen=True, slots=True)
class StickinessPlan:
    """A checked stickiness and its statement. `columns` is how many there are."""

    statements: tuple[Statement]
    split: Split | None
    columns: int

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Stickiness:
        """The rows, the one of most actors first, "other" last."""
        found: dict[Part | None, dict[int, int]] = {} if self.split else {None: {}}
        for kind, value, columns, count in rows[0]:
            found.setdefault(self.split.part(kind, value) if self.split else None, {})[columns] = count
        answer = [self._row(part, counts) for part, counts in found.items()]
        return Stickiness(tuple(sorted(answer, key=_rank)), info)

    def _row(self, part: Part | None, counts: Mapping[int, int]) -> StickinessRow:
        numbers = range(self.columns, 0, -1)
        at_least = dict(zip(numbers, accumulate(counts.get(number, 0) for number in numbers), strict=True))
        size = at_least[1]
        cells = []
        for number in reversed(numbers):
            count, more = counts.get(number, 0), at_least[number]
            cells.append(StickinessCell(number, count, share(count, size), more, share(more, size)))
        return StickinessRow(part, size, tuple(cells))


def plan_stickiness(query: StickinessQuery, asked: Asked) -> StickinessPlan:
    """Check a question and write its SQL. Raises Invalid."""
    scope = Scope(asked)
    split, columns, actors = _actors(query, asked, scope)
    cells = (split.limit + 2 if split else 1) * columns
    if cells > MAX_CELLS:
        raise Invalid.of("interval", f"parts × columns may be {MAX_CELLS:,}, these are {cells:,}: ask for fewer of one")
    sql = f"SELECT kind, value, columns, count() FROM {actors} GROUP BY kind, value, columns"
    return StickinessPlan((scope.statement(sql),), split, columns)


def plan_stickiness_actors(query: StickinessActorsQuery, asked: Asked) -> ActorsPlan:
    """Check a question and write its SQL. Raises Invalid."""
    scope = Scope(asked)
    if query.part is None and query.stickiness.breakdown is not None:
        raise Invalid.of("breakdown", "one is in several parts: say which one, or ask without a breakdown")
    split, columns, actors = _actors(query.stickiness, asked, scope, query.part)
    require_split(query.part, split)
    if not 1 <= query.columns <= columns:
        raise Invalid.of("columns", f"must be 1 to {columns}, the columns that there are")
    many = f"columns {'>=' if query.or_more else '='} {scope.bind(query.columns, 'UInt16')}"
    return paged(scope, query.page, actors, [many, of_part(scope, query.part)])


def _actors(
    query: StickinessQuery, asked: Asked, scope: Scope, part: Part | None = None
) -> tuple[Split | None, int, str]:
    """The split; how many columns there are; and a source with a row for each actor and part that it is in.

    actor; kind and value, the part; `columns`, in how many columns it was active there.
    """
    if query.count_by != USER:
        require_group_type(query.count_by, asked.terms.group_types, "count_by")
    split = check_breakdown(query.breakdown, asked)
    columns = asked.span.columns(query.interval)
    writer, actor, active = (
        FilterWriter(scope, asked),
        scope.event_key(query.count_by),
        Positions("active", len(columns)),
    )
    select = [
        f"{actor.text} AS actor",
        f"{position_sql(scope, columns)} AS position",
        *([f"{split.column(scope)} AS split"] if split else []),
    ]
    where = [f"NOT {actor.missing}", *events_of(query.event, writer, "event"), *writer.where(query.filter, "filter")]
    events = scope.events(select, where)
    if split is None:
        actors = f"SELECT actor, {active.gathered()} FROM ({events}) GROUP BY actor"
        return None, len(columns), f"(SELECT actor, 0 AS kind, '' AS value, {active.size} AS columns FROM ({actors}))"
    # Somebody with several of the values that become "other" is one there, and each column counts once.
    each = f"SELECT actor, split, {active.gathered()} FROM ({events}) GROUP BY actor, split"
    valued = f"SELECT actor, split, {active.merged('r')} FROM {split.values(scope, each)} AS r GROUP BY actor, split"
    parts = ranked(scope, split, f"({valued})", "1", part)
    merged = f"SELECT actor, kind, value, {active.merged('r')} FROM {parts} AS r GROUP BY actor, kind, value"
    return split, len(columns), f"(SELECT actor, kind, value, {active.size} AS columns FROM ({merged}))"


def _rank(row: StickinessRow) -> tuple[bool, int, str]:
    is_other = row.part is not None and row.part.kind is PartKind.OTHER
    return is_other, -row.size, str(row.part or "")
