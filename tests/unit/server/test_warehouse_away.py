"""What is said of a ClickHouse that cannot be reached at the start."""

import io
import logging
import threading
from concurrent.futures import Future
from unittest.mock import Mock

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from burgee_server.errors import Unavailable
from burgee_server.logs import start_logging
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clickhouse.pool import ClientPool
from tests.fixtures.serving import free_address


class FullPool:
    """Clients whose disk has no room for a statement that writes."""

    def __init__(self, *_):
        pass

    def submit(self, _work):
        failed = Future()
        failed.set_exception(DatabaseError("Code: 243. DB::Exception: somebody's row", name="NOT_ENOUGH_SPACE"))
        return failed

    def close(self):
        pass


async def test_tables_that_cannot_be_made_are_told_in_one_line(monkeypatch):
    """By what ClickHouse calls it: a start on a full disk ended with a traceback."""
    monkeypatch.setattr("burgee_server.storage.clickhouse.warehouse.ClientPool", FullPool)

    with pytest.raises(Unavailable) as full:
        await ClickHouseWarehouse.open("clickhouse://nowhere/burgee")

    assert str(full.value) == "the tables of the warehouse cannot be opened (DatabaseError NOT_ENOUGH_SPACE)"


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


def test_only_a_server_is_waited_for(monkeypatch):
    """An engine in this process has no network; told how long to wait for it, the library warns, once a client."""
    asked = []
    monkeypatch.setattr("clickhouse_connect.get_client", lambda dsn, **how: asked.append((dsn, how)) or Mock())
    for dsn in ("chdb:///nowhere", "clickhouse://nowhere/burgee"):
        ClientPool(dsn, 1, {}, silent_seconds=7).close()

    assert asked == [("chdb:///nowhere", {}), ("clickhouse://nowhere/burgee", {"send_receive_timeout": 7})]
