"""The event properties whose texts and numbers are in columns of their own, beside the JSON of all of them."""

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from burgee_server.errors import BurgeeError
from burgee_server.ports.warehouse import Refused, number_column, property_column, property_number, text_column
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.mutations import Run

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = logging.getLogger(__name__)

FIRST_LOOK_SECONDS = 0.1
LAST_LOOK_SECONDS = 60.0

_TEXT, _NUMBER = "text_", "number_"
_EVERY = "uuid"
"""A column that every part has."""


class PropertyColumns:
    """Which properties have columns, and of which of them every stored event has them, so that questions read those."""

    def __init__(self, layout: Layout, there: frozenset[str], filled: frozenset[str]) -> None:
        self.filled = filled
        self._layout = layout
        self._there = there
        self._following: asyncio.Task[None] | None = None

    def follow(self, run: Run) -> None:
        """See them filled, part by part, until all are or close(); a warehouse that is away is asked again."""
        if self.filled != self._there:
            log.info("columns are being filled of the event properties: %s", _listed(self._there - self.filled))
            self._following = asyncio.create_task(self._follow(run))

    async def close(self) -> None:
        """Look no more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])

    async def _follow(self, run: Run) -> None:
        seconds = FIRST_LOOK_SECONDS
        while self.filled != self._there:
            await asyncio.sleep(seconds)
            seconds = min(2 * seconds, LAST_LOOK_SECONDS)
            try:
                now = self._there & await run(partial(_filled, layout=self._layout))
            except (BurgeeError, Refused):
                continue
            if new := now - self.filled:
                log.info("questions read columns of the event properties: %s", _listed(new))
            self.filled = now


def add_property_columns(client: "Client", layout: Layout, names: Iterable[str]) -> PropertyColumns:
    """Give columns to those of these properties that have none, and begin to fill them. None is ever taken away."""
    wanted = {_known(name) for name in names}
    before = _there(client)
    for name in sorted(wanted - before):
        text = property_column("properties", name, "String")
        number = property_number("properties", name)
        for statement in (
            *layout.add_column("events", text_column(name), "LowCardinality(Nullable(String))", text),
            *layout.add_column("events", number_column(name), "Nullable(Float64)", number, "Gorilla, LZ4"),
        ):
            client.command(statement)
    there = _there(client)
    filled = there & _filled(client, layout)  # on a cluster, the tables of rows have a column before the one over them
    for name in sorted(before - filled):  # begun by one that was cut short, perhaps
        for column in (text_column(name), number_column(name)):
            if not _is_being_filled(client, layout, column):
                client.command(layout.fill_column("events", column))
    return PropertyColumns(layout, there, filled)


def _there(client: "Client") -> frozenset[str]:
    """The properties that have both columns."""
    names = client.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'events'"
        f" AND (startsWith(name, '{_TEXT}') OR startsWith(name, '{_NUMBER}'))"
    ).result_rows
    return _in_both({name for (name,) in names})


def _filled(client: "Client", layout: Layout) -> frozenset[str]:
    """Those of whose columns every part has both, in one look at each server."""
    rows = client.query(
        f"SELECT column, count() FROM {layout.system('parts_columns')} WHERE database = currentDatabase()"
        f" AND table = {{table:String}} AND active AND (column = '{_EVERY}' OR startsWith(column, '{_TEXT}')"
        f" OR startsWith(column, '{_NUMBER}')) GROUP BY column",
        parameters={"table": layout.local("events")},
    ).result_rows
    parts = {str(column): int(count) for column, count in rows}
    if not parts:  # nothing is stored
        return _there(client)
    return _in_both({column for column, count in parts.items() if count == parts[_EVERY]})


def _is_being_filled(client: "Client", layout: Layout, column: str) -> bool:
    """Whether a mutation that is not done writes this column. ClickHouse keeps the quotes of a name that needs them."""
    rows = client.query(
        f"SELECT 1 FROM {layout.system('mutations')} WHERE database = currentDatabase() AND table = {{table:String}}"
        " AND NOT is_done AND trim(BOTH '()' FROM command) IN {commands:Array(String)} LIMIT 1",
        parameters={
            "table": layout.local("events"),
            "commands": [f"MATERIALIZE COLUMN {name}" for name in (column, column.strip("`"))],
        },
    ).result_rows
    return bool(rows)


def _in_both(columns: set[str]) -> frozenset[str]:
    """The names of properties of which there is a column of texts and one of numbers."""
    texts, numbers = ({each.removeprefix(of) for each in columns if each.startswith(of)} for of in (_TEXT, _NUMBER))
    return frozenset(map(_known, texts & numbers))


def _known(name: str) -> str:
    # The table keeps a dot like this, in the column's name and in the path.
    return name.replace("%2E", ".")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
