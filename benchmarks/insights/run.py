"""Asks everything and prints the table."""

import argparse
import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks.insights.cohorts import COHORTS, vocabulary
from benchmarks.insights.data import duck, fill
from benchmarks.insights.features import FEATURES
from benchmarks.insights.funnels import FUNNELS
from benchmarks.insights.paths import PATHS
from benchmarks.insights.question import Question
from benchmarks.insights.retentions import RETENTIONS
from benchmarks.insights.trends import TRENDS
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from tests.fixtures.vocabulary import insights

_OF_JSON = re.compile(r"\b(company|plan|amount|country)\b")

QUESTIONS: list[Question] = [*TRENDS, *FUNNELS, *RETENTIONS, *PATHS, *FEATURES, *COHORTS]


def fetched(table: Any, sql: str) -> Any:
    """What DuckDB answers."""
    return table.execute(sql).fetchall()


async def cost(ask: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """How many seconds one answer takes, and how many of a processor."""
    started, used = perf_counter(), process_time()
    await ask()
    return perf_counter() - started, process_time() - used


async def run(events: int, directory: Path, only: str, with_duckdb: bool, rounds: int) -> None:
    """Fill the directory if it is empty, ask everything, print the table."""
    dsn = f"chdb://{directory / 'events' if (directory / 'events').exists() else directory}"
    warehouse = await ClickHouseWarehouse.open(dsn)
    span = await asyncio.to_thread(fill, dsn, events)
    with ExitStack() as stack:
        table = None
        if with_duckdb:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="burgee-bench-")))
            table = await asyncio.to_thread(stack.enter_context, duck(dsn, scratch))
        print(f"{span.events:,} events, {span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}; medians of {rounds}\n")
        print("| | insight | CPU | SQL | CPU | ratio | DuckDB, JSON | ratio | DuckDB, columns | ratio |")
        print(f"|---{'|---:' * 9}|")
        asking = insights(warehouse, SystemClock(), vocabulary(span.range))
        for question in QUESTIONS:
            if not re.search(only, question.name):
                continue
            sql = question.clickhouse.replace("{events}", span.clickhouse)
            ways: list[Callable[[], Awaitable[Any]]] = [
                partial(asking.ask, question.plan, question.query(span.range), 1, {"company"}),
                partial(warehouse.query, Statement(sql)),
            ]
            if table is not None and question.duckdb:
                texts = [question.duckdb.replace("{events}", span.duckdb(of)) for of in ("arrived", "events")]
                # What asks for nothing out of JSON is the same of both.
                texts = texts if _OF_JSON.search(texts[0]) else texts[1:]
                ways += [partial(asyncio.to_thread, fetched, table, text) for text in texts]
            times = [[await cost(way) for way in ways] for _ in range(rounds)]
            medians = [tuple(median(each[way][of] for each in times) for of in (0, 1)) for way in range(len(ways))]
            # The ratios are of each round: both met the same neighbours.
            ratios = [median(each[0][0] / each[way][0] for each in times) for way in range(1, len(ways))]
            cells = [f"{number:.3f}" for way in medians[:2] for number in way] + [f"{ratios[0]:.2f}"]
            of_duckdb = [(f"{way[0]:.3f}", f"{of:.2f}") for way, of in zip(medians[2:], ratios[1:], strict=True)]
            of_duckdb = of_duckdb or [("–", "–")]
            cells += [cell for each in (of_duckdb[0], of_duckdb[-1]) for cell in each]
            print(f"| {question.name} | {' | '.join(cells)} |", flush=True)
    await warehouse.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=10_000_000)
    parser.add_argument("directory", nargs="?", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-duckdb", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        directory = asked.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="burgee-bench-")))
        asyncio.run(run(asked.events, directory, asked.only, not asked.without_duckdb, asked.rounds))
