"""How the log is written: text or JSON lines, with the id of the request, and without anything that was in it.

The texts of exceptions never get into it: see causes.py. Nor do messages of libraries below WARNING, some of which
write down the parameters of statements.
"""

import asyncio
import json
import logging
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from burgee_server.causes import cause
from burgee_server.errors import Unavailable
from burgee_server.rpc import call

_OURS = "burgee_server"
_TOLD_BY_US = ("clickhouse_connect", "urllib3")
"""Libraries that warn of each try that fails, with addresses and statements, before we are told that all have."""


def start_logging(level: str, form: str, stream: TextIO) -> logging.Handler:
    """Write what is logged to a stream from now on, as `text` or `json`. Returns what writes."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=max(logging.getLevelName(level), logging.WARNING), handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(level)
    handler.addFilter(lambda record: not record.name.startswith(_TOLD_BY_US))
    threading.excepthook = _thread_failed
    return handler


def log_of_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for event loops: asyncio's own writes down the task, with the exception's text."""
    logging.getLogger(_OURS).error("%s", context.get("message"), exc_info=context.get("exception"))


class TextLines(logging.Formatter):
    """One line a record, with the request's id at its end; the frames of an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        request_id = call.request_id()
        of_request = f" request_id={request_id}" if request_id else ""
        at = _at(record).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        line = f"{at} {record.levelname} {record.name}: {record.getMessage()}{of_request}"
        return "\n".join([line, *(f"  {part}" for part in _told(record))])


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message; request_id where there is one; exception: its frames."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, Any] = {
            "time": _at(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := call.request_id():
            entry["request_id"] = request_id
        entry |= getattr(record, "fields", {})
        if told := list(_told(record)):
            entry["exception"] = told
        return json.dumps(entry, ensure_ascii=False)


def _at(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _told(record: logging.LogRecord) -> Iterator[str]:
    """An exception, and what caused it: kinds and frames, innermost cause last. Of a store that is away, no frames."""
    error = record.exc_info[1] if record.exc_info else None
    told: set[int] = set()
    is_away = False
    while error is not None and id(error) not in told:  # one that caused itself would have no end
        told.add(id(error))
        if isinstance(error, Unavailable):  # a store that is away: our own words, and no fault to be looked for in code
            yield f"{cause(error)}: {error}"
            is_away = True
        else:
            yield cause(error)
        for frame in () if is_away else traceback.extract_tb(error.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _thread_failed(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        name = arguments.thread.name if arguments.thread else "?"
        error = arguments.exc_value
        logging.getLogger(_OURS).error("a thread ended: %s", name, exc_info=error)
