"""What ClickHouse's errors mean to those behind the port."""

import re

from clickhouse_connect.driver.exceptions import Error

from burgee_server.errors import Overloaded, TimedOut, Unavailable
from burgee_server.ports.warehouse import BadPattern, Mistaken, Refused, ShortOfMemory

# The names of errors that pass, or that somebody can mend: disk, memory, network, time. What else goes wrong with an
# insert lies in its rows: taken for trouble that passes, one bad event would hold up all that come after it.
_PASSING = frozenset(
    {
        "CANNOT_ALLOCATE_MEMORY",
        "CANNOT_CLOSE_FILE",
        "CANNOT_CREATE_FILE",
        "CANNOT_FSYNC",
        "CANNOT_OPEN_FILE",
        "CANNOT_READ_FROM_FILE_DESCRIPTOR",
        "CANNOT_SCHEDULE_TASK",
        "CANNOT_TRUNCATE_FILE",
        "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
        "ABORTED",
        "FILE_DOESNT_EXIST",
        "KEEPER_EXCEPTION",
        "MEMORY_LIMIT_EXCEEDED",
        "NETWORK_ERROR",
        "NOT_ENOUGH_SPACE",
        "QUERY_WAS_CANCELLED",
        "READONLY",
        "SOCKET_TIMEOUT",
        "STD_EXCEPTION",
        "TABLE_IS_READ_ONLY",
        "TIMEOUT_EXCEEDED",
        "TOO_MANY_PARTS",
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        "UNKNOWN_TABLE",
    }
)

_TOO_LARGE = re.compile("cannot compile re2: (.*?), error: pattern too large", re.DOTALL)

_MAX_REASON = 1_000
"""The engine quotes whole rows."""


def of_load(error: Error) -> Exception:
    """An insert that failed: Unavailable if that may pass, else Refused, because its rows are at fault."""
    if isinstance(error.__cause__, UnicodeDecodeError):  # the engine quotes a row, and the row is not UTF-8
        return Refused("NOT_UTF8", "the warehouse quotes, as what is wrong, text that is not UTF-8")
    if error.name is None or error.name in _PASSING:
        return Unavailable(f"the warehouse takes nothing now ({error.name or 'it is away'})")
    return Refused(error.name, str(error)[:_MAX_REASON])


def of_query(error: Error) -> Exception:
    """A query that failed. What only a wrong statement can cause comes back as it is: a bug of ours."""
    match error.name:
        case "TIMEOUT_EXCEEDED" | "TOO_SLOW" | "QUERY_WAS_CANCELLED":
            return TimedOut("the query took longer than it may")
        case "MEMORY_LIMIT_EXCEEDED":
            return ShortOfMemory("the query needs more memory than there is for it: ask for less", retry_after=5)
        case "TOO_MANY_ROWS_OR_BYTES":
            return Overloaded("the answer would be too large: ask for fewer parts or columns, or shorter texts", 5)
        case "CANNOT_COMPILE_REGEXP":
            too_large = _TOO_LARGE.search(str(error))
            return BadPattern(str(error), too_large[1] if too_large else "")
        case "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO":
            return Mistaken()
        case None | "CANNOT_OPEN_FILE" | "CANNOT_READ_FROM_FILE_DESCRIPTOR" | "NETWORK_ERROR" | "SOCKET_TIMEOUT":
            return Unavailable("the warehouse cannot answer now")
    return error
