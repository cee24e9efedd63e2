"""What a command prints: a table for people, or JSON or CSV for programs."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import click
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table
from rich.text import Text

from burgee_server.cli.charts import LEAST, MOST, Bar, Sparkline

T = TypeVar("T")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
as_csv = click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")


def require_one_format(as_json: bool, as_csv: bool) -> None:
    """Raise UsageError for both."""
    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")


def print_json(value: object) -> None:
    """Print one JSON document. What is not a number (NaN) becomes null."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False, indent=2))


def print_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as CSV (RFC 4180) below a line of their names. Times are ISO 8601, nothing and NaN are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _csv_cell(cell) for name, cell in row.items()} for row in rows)
    click.echo(text.getvalue(), nl=False)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table; columns of numbers are flush right, and charts have the room that the rest leaves."""
    console = Console()
    table = Table(header_style="bold")
    # As text, which may hold [brackets].
    cells = [[cell if isinstance(cell, Bar | Sparkline) else Text(cell_text(cell)) for cell in row] for row in rows]
    widths = [
        max([len(column), *(cell.cell_len for row in cells if isinstance(cell := row[index], Text))])
        for index, column in enumerate(columns)
    ]
    room = console.width - sum(widths) - 3 * len(columns) - 1
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        is_chart = any(isinstance(row[index], Bar | Sparkline) for row in cells)
        most = max(LEAST, min(MOST, widths[index] + room)) if is_chart else None
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", max_width=most)
    for row in cells:
        table.add_row(*row)
    if title:
        console.print(Text(title, style="italic"))
    console.print(table)
    if not rows:
        console.print("none")


def at_most(limit: int, found: Iterable[T]) -> tuple[list[T], str]:
    """So many of them, and what to say if there are more."""
    some = list(islice(found, limit + 1))
    return some[:limit], f"and more; --limit {10 * limit} shows more of them" if len(some) > limit else ""


def utc(moment: Timestamp) -> str:
    """A moment in UTC, to the second, as tables have it."""
    return f"{moment.ToDatetime():%Y-%m-%d %H:%M:%S}"


def cell_text(cell: Any) -> str:
    """A cell as people write it."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell.is_integer() else f"{cell:,.2f}"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, float):
        return "" if math.isnan(cell) else int(cell) if cell.is_integer() else cell
    return cell


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
