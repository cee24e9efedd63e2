"""Lists of the users or groups behind a number, page by page in the byte order of their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.words import ActorPage, Page, QueryInfo
from burgee_server.ports.warehouse import Statement


@dataclass(frozen=True, slots=True)
class ActorsPlan:
    """A checked question for a page, and its statement."""

    statements: tuple[Statement]
    limit: int

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> ActorPage:
        """At most as many as were asked for; the statement gives one more, if there is one."""
        keys = tuple(key for (key,) in rows[0])
        return ActorPage(keys[: self.limit], len(keys) > self.limit, info)


def paged(scope: Scope, page: Page, source: str, where: Sequence[str]) -> ActorsPlan:
    """Those of a source with a row an `actor`, that meet every condition."""
    after, limit = scope.bind(page.after, "String"), scope.bind(page.limit + 1, "UInt32")
    conditions = " AND ".join([*where, f"actor > {after}"])
    return ActorsPlan(
        (scope.statement(f"SELECT actor FROM {source} WHERE {conditions} ORDER BY actor LIMIT {limit}"),), page.limit
    )
