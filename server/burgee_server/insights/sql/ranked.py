"""Which values of a breakdown are shown, and the rows of each part."""

from burgee_server.errors import Invalid
from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.words import Part, PartKind


def ranked(scope: Scope, split: Split | None, source: str, weight: str, asked: Part | None = None) -> str:
    """A source like `source`, which has `split`, with the part of each row as `kind` and `value`.

    The greatest sums of `weight` are shown, and of equal sums the first by name; and the part that is asked for, if it
    is a value, however small. Without a split all are one part.
    """
    if split is None:
        return f"(SELECT *, 0 AS kind, '' AS value FROM {source})"
    weighed = f"SELECT *, sum({weight}) OVER (PARTITION BY split) AS total FROM {source}"
    place = "dense_rank() OVER (PARTITION BY isNull(split) ORDER BY total DESC, split)"
    shown = f"place <= {scope.bind(split.limit, 'UInt32')}"
    if asked is not None and asked.kind in {PartKind.VALUE, PartKind.COMBINATION}:
        shown = f"({shown} OR {_is_value(scope, asked, 'assumeNotNull(split)')})"
    kind = f"multiIf(isNull(split), 1, {shown}, 0, 2)"
    parts = f"SELECT *, {kind} AS kind, if(kind = 0, assumeNotNull(split), '') AS value"
    return f"({parts} FROM (SELECT *, {place} AS place FROM ({weighed})))"


def of_part(scope: Scope, part: Part | None) -> str:
    """SQL over ranked() for those of one part; None: of every part."""
    if part is None:
        return "1"
    match part.kind:
        case PartKind.MISSING:
            return "kind = 1"
        case PartKind.OTHER:
            return "kind = 2"
        case PartKind.VALUE | PartKind.COMBINATION:
            return f"(kind = 0 AND {_is_value(scope, part, 'value')})"


def _is_value(scope: Scope, part: Part, sql: str) -> str:
    if part.kind is PartKind.VALUE:
        return f"{sql} = {scope.bind(part.value, 'String')}"
    values = [None if each.kind is PartKind.MISSING else each.value for each in part.values]
    return f"JSONExtract({sql}, 'Array(Nullable(String))') = {scope.bind(values, 'Array(Nullable(String))')}"


def require_split(part: Part | None, split: Split | None) -> None:
    """Raise Invalid for a part of what is not split."""
    if part is not None and split is None:
        raise Invalid.of("part", "there is no breakdown to have parts")
