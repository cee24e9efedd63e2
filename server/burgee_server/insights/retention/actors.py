"""Who is behind a cell: who came back, who did not, and who was lost."""

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.retention.model import CellState, Outcome, RetentionActorsQuery
from burgee_server.insights.retention.plan import cell_state, check_retention
from burgee_server.insights.sql.paged import ActorsPlan, paged
from burgee_server.insights.sql.positions import bit
from burgee_server.insights.sql.ranked import of_part, require_split
from burgee_server.insights.sql.scope import Scope


def plan_retention_actors(query: RetentionActorsQuery, asked: Asked) -> ActorsPlan:
    """Check a question and write its SQL. Raises Invalid."""
    scope = Scope(asked)
    started, columns = check_retention(query.retention, asked, scope)
    require_split(query.part, started.split)
    starts = columns[: -query.retention.periods - 1]
    if query.column not in starts:
        raise Invalid.of("column", "is not where a column of starts begins")
    if query.period > query.retention.periods:
        raise Invalid.of("period", f"must be at most {query.retention.periods}, the periods that are asked for")
    number = starts.index(query.column)
    state = cell_state(query.retention, asked, columns, number, query.period)
    here, before = (
        bit("periods", period, started.number) if period > 0 else "1" for period in (query.period, query.period - 1)
    )
    outcome = {
        Outcome.RETURNED: here,
        Outcome.LEFT: f"NOT ({here})",
        Outcome.LOST: f"({before}) AND NOT ({here})",
    }[query.outcome]
    if query.outcome is Outcome.LOST and state is CellState.FUTURE:
        outcome = "0"  # Who is not there yet is not lost.
    column = f"column = {scope.bind(number, 'UInt16')}"
    return paged(scope, query.page, started.rows_of_parts(query.part), [column, of_part(scope, query.part), outcome])
