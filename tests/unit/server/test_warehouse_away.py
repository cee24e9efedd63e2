"""What is said of a ClickHouse that cannot be reached at the start."""

import io
import logging
import threading

import pytest

from burgee_server.errors import Unavailable
from burgee_server.logs import start_logging
from burgee_server.storage.clickhouse.pool import ClientPool
from tests.fixtures.serving import free_address


def test_it_is_said_once_and_in_our_words(monkeypatch):
    """Where it should be and what the system says; no word of a library, nor of the user and the password."""
    said = io.StringIO()
    monkeypatch.setattr(logging.root, "handlers", [])  # pytest's own come back afterwards
    monkeypatch.setattr(logging.getLogger("burgee_server"), "level", logging.NOTSET)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    start_logging("INFO", "text", said)
    address = free_address()

    with pytest.raises(Unavailable) as away:
        ClientPool(f"clickhouse://me:hush@{address}/db", 1, {})

    assert str(away.value) == f"cannot reach the warehouse at {address}: Connection refused"
    assert said.getvalue() == ""
