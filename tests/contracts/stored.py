"""What contracts of the Warehouse read with their own SQL, and names that mean something in SQL."""

from typing import Any

from burgee_server.ports.warehouse import Statement
from tests.fixtures.warehouse import Environment

HOSTILE_NAMES = [
    "plain",
    "a.b",
    "a..b.",
    ".",
    "it's",
    'say "hi"',
    "tick`tock",
    "back\\slash",
    "\\`",
    "%s %(x)s %",
    "{p:String}",
    "a.:Int64",
    "x; DROP TABLE events --",
    "/* */",
    "new\nline\ttab\0nul\r",
    "^caret",
    "list[]",
    "naïve 日本 🦄",
    " ",
    "?",
]


async def rows(environment: Environment, sql: str, **parameters: Any) -> list[list[Any]]:
    """Rows of a query with the environment bound as {e:UInt32}."""
    answer = await environment.warehouse.query(Statement(sql, {"e": environment.environment_id, **parameters}))
    return [list(row) for row in answer.rows]
