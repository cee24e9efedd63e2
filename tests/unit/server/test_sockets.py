"""What is done to the sockets of a process: it leaves its files alone, and bears callers that go meanwhile."""

import socket
import sqlite3
import sys
from contextlib import closing
from subprocess import run

from burgee_server.rpc import sockets
from burgee_server.rpc.sockets import say_goodbye, say_goodbye_to

READS = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT * FROM written').fetchone())"


def test_a_database_that_is_open_keeps_its_locks_and_loses_nothing_to_who_reads_it_from_outside(tmp_path):
    """All of a file's locks go when any copy of it is closed; the reader would then take the log of writes away."""
    path = tmp_path / "control.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE written (number INTEGER)")
        say_goodbye(1)
        run([sys.executable, "-c", READS, path], check=False)
        database.execute("INSERT INTO written VALUES (7)")
        read = run([sys.executable, "-c", READS, path], check=False, capture_output=True, text=True)
    assert read.stdout == "7\n", read.stderr


def test_a_caller_that_goes_while_it_is_looked_for_is_neither_told_nor_busy(monkeypatch):
    """Nor does it keep the others from being told."""
    with socket.socket() as gone:
        monkeypatch.setattr(sockets, "connections", lambda port: iter([gone]))
        assert say_goodbye_to(1, {"ipv4:127.0.0.1:1"}) == (set(), set())
