"""What is in a data directory, read without the server: rows as they lie there, and not as queries show them.

Run as a program, since one process can open one warehouse.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from burgee_server.storage.clickhouse.pool import ClientPool
from burgee_server.storage.clickhouse.settings import JSON_SETTINGS
from tests.faults.senders import KINDS, SIZE, Senders
from tests.fixtures.nursery import ROOT, run_python

NO_MERGES = (
    "ALTER TABLE events MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1,"
    " max_bytes_to_merge_at_min_space_in_pool = 1, min_age_to_force_merge_seconds = 0"
)
"""A merge makes one of two equal rows, and so would hide that there were two."""

ROWS = """SELECT distinct_id, properties.batch.:Int64 AS batch, groupArray(properties.index.:Int64) AS indexes
FROM events WHERE event = 'sent' GROUP BY distinct_id, batch
"""
"""For each sender and batch, which of its events lie there."""


def ask(data: Path, *statements: str, within: Sequence[str] = (), seconds: float = 120) -> list[list[list[Any]]]:
    """The rows of each statement in the warehouse of a data directory that no server has open."""
    command = ("-m", "tests.faults.storage", str(data), *statements)
    if within:
        path = {"PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
        options = {"capture_output": True, "text": True, "check": False, "timeout": seconds}
        done = subprocess.run([*within, sys.executable, *command], env={**os.environ, **path}, **options)
    else:
        done = run_python(*command, cwd=ROOT, text=True, timeout=seconds)
    assert done.returncode == 0, done.stderr
    answers: list[list[list[Any]]] = json.loads(done.stdout)
    return answers


def check_stored(data: Path, senders: Senders, within: Sequence[str] = ()) -> None:
    """Every acknowledged event is there, as often as it may lie there, and a query counts it once."""
    rows, [[counted]] = ask(data, ROWS, "SELECT count() FROM events FINAL WHERE event = 'sent'", within=within)
    stored = {(name, number): Counter(indexes) for name, number, indexes in rows}
    expected = {(name, number) for name, batches in senders.acknowledged.items() for number in range(batches)}
    assert stored.keys() == expected, f"lost {sorted(expected - stored.keys())}, more {stored.keys() - expected}"
    kinds = {f"sender-{number}": kind for number, kind in enumerate(KINDS)}
    whole = Counter(range(SIZE))
    for (name, number), indexes in stored.items():
        # Without a batch_id, a batch that is sent again is taken again: its events are the same for queries only.
        exact = indexes if kinds[name] != "uuid" else Counter(indexes.keys())
        assert exact == whole, f"{name} batch {number}: {indexes - whole} more, {whole - indexes} less"
    assert counted == senders.events


def _main(data: Path, statements: Sequence[str]) -> None:
    os.chdir(data)
    pool = ClientPool(f"chdb://{data / 'events'}", 1, JSON_SETTINGS)
    answers = []
    for statement in statements:
        if statement.startswith("SELECT"):
            rows = pool.submit(lambda client, asked=statement: client.query(asked).result_rows).result()
            answers.append([list(row) for row in rows])
        else:
            pool.submit(lambda client, told=statement: client.command(told)).result()
            answers.append([])
    print(json.dumps(answers))
    pool.close()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2:])
