"""Patterns that are RE2 and larger than the warehouse takes: which of them it was, and asking before one is kept."""

from collections.abc import Collection, Mapping, Sequence

from burgee_server.errors import Invalid
from burgee_server.insights.sql.events import check_matcher
from burgee_server.ports.actions import Matcher
from burgee_server.ports.warehouse import BadPattern, Statement, Warehouse


def refusal(error: BadPattern, patterns: Mapping[str, str]) -> Invalid:
    """What the caller is told, from the paths of patterns; where it is none of these, it is somewhere in the filter."""
    return Invalid.of(patterns.get(error.pattern, "filter"), f"a pattern does not compile: {error}")


async def require_compiling(warehouse: Warehouse, patterns: Mapping[str, str], seconds: float | None) -> None:
    """Raise Invalid with the path of a pattern that no question could ask; and what Warehouse.query raises."""
    if not patterns:
        return
    bound = {f"p{number}": pattern for number, pattern in enumerate(patterns)}
    matches = ", ".join(f"match('', {{{name}:String}})" for name in bound)
    try:
        await warehouse.query(Statement(f"SELECT {matches}", bound), seconds)
    except BadPattern as error:
        raise refusal(error, patterns) from error


async def check_matchers(
    warehouse: Warehouse, seconds: float, matchers: Sequence[Matcher], group_types: Collection[str], path: str
) -> None:
    """Raise Invalid, with a path that begins with `path`, for what no question could ask; see Actions."""
    patterns: dict[str, str] = {}
    for index, matcher in enumerate(matchers):
        patterns |= check_matcher(matcher, group_types, f"{path}[{index}]")
    await require_compiling(warehouse, patterns, seconds)
