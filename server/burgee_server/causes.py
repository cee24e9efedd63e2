"""What a log may say of an exception: its kind, and never its text, which may quote what somebody has stored."""

import os
import sqlite3


def cause(error: BaseException | None) -> str:
    """The kind of an exception, and what a database or the system calls it; never a word of anybody's data.

    Messages are left out: ClickHouse quotes rows, SQLAlchemy parameters, PostgreSQL keys, Python values.
    """
    if error is None:
        return "no cause"
    kind = type(error).__name__
    origin = getattr(error, "orig", None)  # SQLAlchemy's, around the driver's
    if isinstance(origin, BaseException):
        inner = cause(origin)
        return inner if inner.startswith(kind) else f"{kind} of {inner}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{kind} {error.errno}: {error.strerror}"
    if isinstance(error, sqlite3.Error):
        return f"{kind} {getattr(error, 'sqlite_errorname', None) or 'of the driver'}"
    code = getattr(error, "sqlstate", None) or getattr(error, "name", None)  # PostgreSQL's, ClickHouse's
    return f"{kind} {code}" if isinstance(code, str) and code.replace("_", "").isalnum() and code.isupper() else kind


def of_system(error: BaseException) -> str:
    """What the system said that led to an error, such as that a connection was refused; empty if it said nothing."""
    seen: set[int] = set()
    reason: BaseException | None = error
    while reason is not None and id(reason) not in seen:
        seen.add(id(reason))
        if isinstance(reason, OSError) and reason.strerror:
            # asyncio has words of its own for what the system calls by a number; a name that is not found has none.
            return os.strerror(reason.errno) if reason.errno and reason.errno > 0 else reason.strerror
        reason = reason.__cause__ or reason.__context__
    return ""
