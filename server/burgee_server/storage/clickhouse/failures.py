"""What ClickHouse's errors mean to those behind the port."""

from clickhouse_connect.driver.exceptions import Error

from burgee_server.errors import Overloaded, TimedOut, Unavailable
from burgee_server.ports.warehouse import BadPattern, Refused

# The names of errors that lie in the rows themselves, beside everything that begins with CANNOT_PARSE.
_BAD_DATA = frozenset(
    {
        "ARGUMENT_OUT_OF_BOUND",
        "ATTEMPT_TO_READ_AFTER_EOF",
        "CANNOT_READ_ALL_DATA",
        "DECIMAL_OVERFLOW",
        "DUPLICATED_JSON_PATHS",
        "INCORRECT_DATA",
        "PROTOBUF_BAD_CAST",
        "TOO_LARGE_STRING_SIZE",
        "UNKNOWN_PROTOBUF_FORMAT",
    }
)


def of_load(error: Error) -> Exception:
    """An insert that failed: Refused if its rows are at fault, else Unavailable."""
    name = error.name or ""
    if name.startswith("CANNOT_PARSE") or name in _BAD_DATA:
        return Refused(str(error))
    return Unavailable(str(error))


def of_query(error: Error) -> Exception:
    """A query that failed. What only a wrong statement can cause comes back as it is: a bug of ours."""
    match error.name:
        case "TIMEOUT_EXCEEDED" | "TOO_SLOW" | "QUERY_WAS_CANCELLED":
            return TimedOut("the query took longer than it may")
        case "MEMORY_LIMIT_EXCEEDED":
            return Overloaded("the query needs more memory than there is for it: ask for less", retry_after=5)
        case "CANNOT_COMPILE_REGEXP":
            return BadPattern(str(error))
        case None | "CANNOT_OPEN_FILE" | "CANNOT_READ_FROM_FILE_DESCRIPTOR" | "NETWORK_ERROR" | "SOCKET_TIMEOUT":
            return Unavailable("the warehouse cannot answer now")
    return error
