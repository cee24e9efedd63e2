"""The group types whose keys events keep in a column of their own, beside that of all groups."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from burgee_server.ports.warehouse import group_column, property_column
from burgee_server.storage.clickhouse.layout import Layout

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_PREFIX = "group_"


def add_group_columns(client: "Client", layout: Layout, group_types: Iterable[str]) -> frozenset[str]:
    """Give columns to those of these types that have none; all types that have one then. None is ever taken away."""
    for group_type in sorted(set(group_types) - _group_columns(client)):
        key = property_column("groups", group_type, "String")
        type_ = "LowCardinality(Nullable(String))"
        for statement in layout.add_column("events", group_column(group_type), type_, key):
            client.command(statement)
    return _group_columns(client)


def _group_columns(client: "Client") -> frozenset[str]:
    names = client.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'events'"
        f" AND startsWith(name, '{_PREFIX}')"
    ).result_rows
    return frozenset(name.removeprefix(_PREFIX) for (name,) in names)
