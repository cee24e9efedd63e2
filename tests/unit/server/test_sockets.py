"""What is done to the sockets of a process leaves its files alone."""

import sqlite3
import sys
from contextlib import closing
from subprocess import run

from burgee_server.rpc.sockets import say_goodbye

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
