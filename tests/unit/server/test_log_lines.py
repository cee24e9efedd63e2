"""How an exception becomes lines of a log."""

import json
import logging
import sys

import pytest

from burgee_server.errors import Unavailable
from burgee_server.logs import JsonLines, TextLines


def _record(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except Exception:
        return logging.LogRecord("burgee_server", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info())


@pytest.mark.parametrize("length", [1, 2, 5])
def test_exceptions_that_caused_each_other_come_to_an_end(length: int) -> None:
    """Each is told once: a log that goes round in a circle would hold up the server for ever."""
    circle = [ValueError(str(number)) for number in range(length)]
    for number, error in enumerate(circle):
        error.__cause__ = circle[(number + 1) % length]
    told = json.loads(JsonLines().format(_record(circle[0])))["exception"]
    assert [line for line in told if not line.startswith(" ")] == ["ValueError"] * length
    assert TextLines().format(_record(circle[0])).count("ValueError") == length


def test_of_a_store_that_is_away_is_told_which_and_why_and_no_code() -> None:
    """It is tried again and again while it is away: thirty lines each time would hide what else there is to read."""
    away = Unavailable("Redis cannot be reached now")
    away.__cause__ = ConnectionRefusedError(111, "Connection refused")
    told = json.loads(JsonLines().format(_record(away)))["exception"]
    assert told == ["Unavailable: Redis cannot be reached now", "ConnectionRefusedError 111: Connection refused"]
