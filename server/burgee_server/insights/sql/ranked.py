"""Which values of a breakdown are shown, of actors that each have one."""

from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.sql.scope import Scope


def ranked(scope: Scope, split: Split | None, actors: str, weight: str) -> str:
    """A source like the query `actors`, which selects `split`, with the part of each as `kind` and `value`.

    The greatest sums of `weight` are shown, and of equal sums the first by name. Without a split all are one part.
    """
    if split is None:
        return f"(SELECT *, 0 AS kind, '' AS value FROM ({actors}))"
    weighed = f"SELECT *, sum({weight}) OVER (PARTITION BY split) AS total FROM {split.values(scope, actors)}"
    placed = (
        f"SELECT *, dense_rank() OVER (PARTITION BY isNull(split) ORDER BY total DESC, split) AS rank FROM ({weighed})"
    )
    kind = f"multiIf(isNull(split), 1, rank <= {scope.bind(split.limit, 'UInt32')}, 0, 2)"
    return f"(SELECT *, {kind} AS kind, if(kind = 0, assumeNotNull(split), '') AS value FROM ({placed}))"
