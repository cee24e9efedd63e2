"""The most memory that each insight needs, what it wrote to the disk beside, and whether it was refused.

`python -m benchmarks.insights.memory DIRECTORY`: of a directory that has events, once each, with the limits of a server
as it starts; `--megabytes` is its `query_memory_mb`, `--only PATTERN` asks what has the pattern in its name.
"""

import argparse
import asyncio
import re
from pathlib import Path
from time import perf_counter

from benchmarks.insights.cohorts import vocabulary
from benchmarks.insights.data import fill
from benchmarks.insights.run import QUESTIONS
from burgee_server.errors import BurgeeError
from burgee_server.insights.asked import Terms
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from tests.fixtures.vocabulary import insights

_PEAK = Statement("SELECT max(peak_memory_usage) FROM system.processes WHERE query NOT LIKE '%system.processes%'")
_WRITTEN = Statement("SELECT sum(value) FROM system.events WHERE event = 'ExternalProcessingUncompressedBytesTotal'")


async def run(directory: Path, only: str, megabytes: int) -> None:
    """Ask everything once and print the table."""
    dsn = f"chdb://{directory / 'events' if (directory / 'events').exists() else directory}"
    warehouse = await ClickHouseWarehouse.open(dsn, query_memory_bytes=megabytes << 20)
    watching = await ClickHouseWarehouse.open(dsn, query_clients=1)
    span = await asyncio.to_thread(fill, dsn, 0)
    asking = insights(warehouse, SystemClock(), vocabulary(span.range))
    print(f"{span.events:,} events; {megabytes} MB, refused beyond {4 * megabytes}\n")
    print("| | s | MB at most | MB to the disk |\n|---|---:|---:|---:|")
    asked = []
    for question in QUESTIONS:
        query = question.query(span.range)
        if query in asked or not re.search(only, question.name):
            continue
        asked.append(query)
        started, before, most = perf_counter(), int((await watching.query(_WRITTEN)).rows[0][0]), 0
        answering = asyncio.create_task(asking.ask(question.plan, query, Terms(1, {"company"})))
        while not answering.done():
            await asyncio.wait([answering], timeout=0.05)
            most = max(most, int((await watching.query(_PEAK)).rows[0][0] or 0))
        error = answering.exception()
        if isinstance(error, BurgeeError):
            result = f"refused: {error}"
        elif error is not None:
            raise error
        else:
            written = int((await watching.query(_WRITTEN)).rows[0][0]) - before
            result = f"{most >> 20:,} | {written >> 20:,}"
        print(f"| {question.name.partition(' (SQL')[0]} | {perf_counter() - started:.1f} | {result} |", flush=True)
    await watching.close()
    await warehouse.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--megabytes", type=int, default=512)
    asked = parser.parse_args()
    asyncio.run(run(asked.directory, asked.only, asked.megabytes))


if __name__ == "__main__":
    main()
