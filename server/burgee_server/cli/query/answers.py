"""How the answer to a saved insight is shown, of whatever kind it is."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import click

import burgee
from burgee_server.cli.charts import Bar, Sparkline
from burgee_server.cli.output import print_table
from burgee_server.cli.query.compared import heads_before, rows_before, since_text, totals_before
from burgee_server.cli.query.options import document_of, part_text, print_tables, zone_of

_SHARES = ("conversion", "share", "rate", "churn")


def print_answer(saved: burgee.SavedAnswer) -> None:
    """As a table, and that of the span to compare with below it."""
    zone = zone_of(saved.asked.get("time_zone", ""))
    of = f" of {saved.group_type} {saved.group_key}" if saved.group_key else ""
    click.echo(f"{saved.name}{of}")
    print_tables(saved.answer, partial(_print, zone=zone), with_rows_read=not of)


def answer_document(saved: burgee.SavedAnswer) -> dict[str, Any]:
    """As JSON has it: which insight, its rows, what it cost, and what was asked."""
    document: dict[str, Any] = {
        name: getattr(saved, name)
        for name in ("key", "name", "description", "version", "kind", "group_type", "group_key")
    }
    return document | document_of(saved.answer, _rows_document) | {"asked": saved.asked}


def _print(answer: Any, zone: ZoneInfo) -> None:
    if isinstance(answer, burgee.Trend) and len(answer.rows) > 1:
        _print_lines(answer, zone)
    else:
        _print_rows(answer, zone)


def _print_lines(trend: burgee.Trend, zone: ZoneInfo) -> None:
    """A line of the trend a line, beside its total in the span to compare with."""
    span = " to ".join(_moment(column, zone) for column in (trend.columns[0], trend.columns[-1]))
    lines = [
        [row.label, part_text(row.part), Sparkline(row.values), row.values[-1], row.total, *before]
        for row, before in zip(trend.rows, totals_before(trend), strict=True)
    ]
    print_table(["label", "part", span, "last", "total", *heads_before(trend)], lines)


def _print_rows(answer: Any, zone: ZoneInfo) -> None:
    """A row of the answer a line; columns without anything in them are left out."""
    rows = answer.to_rows()
    columns = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    names_before, before = rows_before(answer)
    lines = [
        [
            *(_cell(name, row[name], zone) for name in columns),
            *(_cell(name, value, zone) for name, value in zip(names_before, values, strict=True)),
        ]
        for row, values in zip(rows, before, strict=True)
    ]
    columns += [f"{name} before" for name in names_before]
    if isinstance(answer, burgee.Trend):
        columns.append("")
        most = max((row["value"] for row in rows), default=0)
        lines = [[*line, Bar(row["value"], most)] for line, row in zip(lines, rows, strict=True)]
        lines += _totals(answer, columns)
    print_table([name.replace("_", " ") for name in columns], lines)


def _totals(trend: burgee.Trend, columns: Sequence[str]) -> list[list[Any]]:
    """The total of the one line of a trend, and that of the span to compare with, if there is one."""
    if trend.previous is None or not trend.rows or not trend.previous.rows:
        return []
    now, before = trend.rows[0].total, trend.previous.rows[0].total
    last = {"total": (now, ""), "before": (before, since_text(now, before))}
    return [
        [{"label": name, "value": value, "": change}.get(column) for column in columns]
        for name, (value, change) in last.items()
    ]


def _cell(name: str, value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return _moment(value, zone)
    return f"{value:.1%}" if isinstance(value, float) and any(word in name for word in _SHARES) else value


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    """On the clocks of the zone, as short as can be."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d}" if local.hour == local.minute == local.second == 0 else f"{local:%Y-%m-%d %H:%M:%S}"


def _rows_document(answer: Any) -> dict[str, Any]:
    rows = [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
        for row in answer.to_rows()
    ]
    return {"rows": rows}
