"""Asks everything and prints the table."""

import argparse
import asyncio
import math
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, TypeAlias

from benchmarks.insights.cohorts import COHORTS, vocabulary
from benchmarks.insights.data import Span, duck, fill
from benchmarks.insights.features import FEATURES
from benchmarks.insights.funnels import FUNNELS
from benchmarks.insights.paths import PATHS
from benchmarks.insights.question import Question
from benchmarks.insights.retentions import RETENTIONS
from benchmarks.insights.trends import TRENDS
from burgee_server.errors import BurgeeError
from burgee_server.insights.asked import Terms
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import WithoutColumns

PROPERTY_COLUMNS = ("plan", "amount", "country")
"""Those that DuckDB has in typed columns, too."""

_OF_PROPERTIES = re.compile(rf"\b({'|'.join(PROPERTY_COLUMNS)})\b")
_OF_JSON = re.compile(rf"\b({'|'.join((*PROPERTY_COLUMNS, 'company'))})\b")

REFUSED = (math.nan, math.nan)

Way: TypeAlias = Callable[[], Awaitable[Any]]

OF_DUCKDB = {"json", "typed"}
WAYS = {"insight", "sql", "columns", *OF_DUCKDB}

QUESTIONS: list[Question] = [*TRENDS, *FUNNELS, *RETENTIONS, *PATHS, *FEATURES, *COHORTS]


def chosen_ways(text: str) -> set[str]:
    """Ways of asking, by commas."""
    if not (chosen := set(text.split(","))) <= WAYS:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(sorted(chosen - WAYS))}")
    return chosen


def fetched(table: Any, sql: str) -> Any:
    """What DuckDB answers. Raises BurgeeError, as a warehouse, where it does not: of numbers with too few bits, say."""
    import duckdb

    try:
        return table.execute(sql).fetchall()
    except duckdb.Error as error:
        raise BurgeeError(str(error)) from error


async def cost(ask: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """How many seconds one answer takes, and how many of a processor; REFUSED if there is none."""
    started, used = perf_counter(), process_time()
    try:
        await ask()
    except BurgeeError:  # it needs more memory than it may take
        return REFUSED
    return perf_counter() - started, process_time() - used


@dataclass
class Table:
    """The table that is printed: each way of asking, and what it is compared with."""

    rounds: int

    def head(self, span: Span) -> None:
        """Which table of DuckDB is which, too."""
        named = ", ".join(PROPERTY_COLUMNS)
        print(
            f"{span.events:,} events, {span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}; medians of {self.rounds}, seconds"
        )
        print("ratios: of pairs: insight to SQL and to DuckDB, JSON; insight, columns, or insight to DuckDB, columns\n")
        print("insight: of events as they are kept by themselves. SQL: by hand, of the same.")
        print("DuckDB, JSON: the company and all properties are taken out of JSON, as they came.")
        print(f"insight, columns: with property_columns = {named}; none where none of them is asked about.")
        print(f"DuckDB, columns: a table with company, {named} in typed columns, chosen beforehand.\n")
        print(
            "| | insight | CPU | SQL | CPU | ratio | DuckDB, JSON | ratio | insight, columns | CPU | DuckDB, columns"
            " | CPU | ratio |"
        )
        print(f"|---{'|---:' * 12}|")

    async def row(self, name: str, ways: Mapping[str, Way]) -> None:
        """Asks in turns: of WAYS what there is."""
        times = [{way: await cost(ask) for way, ask in ways.items()} for _ in range(self.rounds)]

        def seconds(way: str) -> str:
            return f"{median(each[way][0] for each in times):.3f}" if way in ways else "–"

        def processor(way: str) -> str:
            return f"{median(each[way][1] for each in times):.3f}" if way in ways else "–"

        def ratio(way: str, to: str) -> str:
            # Of each round: both met the same neighbours.
            return f"{median(each[way][0] / each[to][0] for each in times):.2f}" if {way, to} <= ways.keys() else "–"

        typed = "columns" if "columns" in ways else "insight"
        cells = [
            name,
            *(seconds("insight"), processor("insight"), seconds("sql"), processor("sql"), ratio("insight", "sql")),
            *(seconds("json"), ratio("insight", "json")),
            *(seconds("columns"), processor("columns"), seconds("typed"), processor("typed"), ratio(typed, "typed")),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


async def run(events: int, directory: Path, asked: argparse.Namespace) -> None:
    """Fill the directory if it is empty, ask everything, print the table."""
    dsn = f"chdb://{directory / 'events' if (directory / 'events').exists() else directory}"
    warehouse = await ClickHouseWarehouse.open(
        dsn, property_columns=PROPERTY_COLUMNS, query_memory_bytes=asked.megabytes << 20
    )
    span = await asyncio.to_thread(fill, dsn, events)
    while not set(PROPERTY_COLUMNS) <= set(warehouse.property_columns):  # noqa: ASYNC110 - a mutation has no event
        await asyncio.sleep(0.1)
    plain: Any = WithoutColumns(warehouse)
    with ExitStack() as stack:
        table = None
        if OF_DUCKDB & asked.ways:
            kept = asked.duckdb or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="burgee-bench-")))
            table = await asyncio.to_thread(stack.enter_context, duck(dsn, kept))
        printed = Table(asked.rounds)
        printed.head(span)
        asking, of_columns = (insights(each, SystemClock(), vocabulary(span.range)) for each in (plain, warehouse))
        for question in QUESTIONS:
            if not re.search(asked.only, question.name):
                continue
            plan = (question.plan, question.query(span.range), Terms(1, {"company"}))
            sql = question.clickhouse.replace("{events}", span.clickhouse)
            ways: dict[str, Way] = {
                "insight": partial(asking.ask, *plan),
                "sql": partial(warehouse.query, Statement(sql)),
            }
            if _OF_PROPERTIES.search(sql):
                ways["columns"] = partial(of_columns.ask, *plan)
            if table is not None and question.duckdb:
                for way, of in (("json", "arrived"), ("typed", "events")):
                    text = question.duckdb.replace("{events}", span.duckdb(of))
                    # What asks for nothing out of JSON is the same of both.
                    if way == "typed" or _OF_JSON.search(text):
                        ways[way] = partial(asyncio.to_thread, fetched, table, text)
            await printed.row(question.name, {way: ask for way, ask in ways.items() if way in asked.ways})
    await warehouse.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=10_000_000)
    parser.add_argument("directory", nargs="?", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=512, help="query_memory_mb, of insights and of SQL by hand")
    parser.add_argument("--ways", type=chosen_ways, default=WAYS, help=f"which of {', '.join(sorted(WAYS))}, by commas")
    parser.add_argument("--duckdb", type=Path, help="a directory in which DuckDB's tables are kept for the next time")
    asked = parser.parse_args()
    with ExitStack() as stack:
        directory = asked.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="burgee-bench-")))
        asyncio.run(run(asked.events, directory, asked))
