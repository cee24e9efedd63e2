"""Rows of the control store as the warehouse takes them in: profiles, what they were, and whose ids are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from burgee.evaluation.model import USER
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion
from burgee_server.storage.clickhouse.nesting import flat

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def insert(client: "Client", table: str, records: Iterable[Mapping[str, Any]]) -> None:
    """Insert records; none is fine."""
    if lines := "\n".join(map(json.dumps, records)):
        client.raw_insert(table, insert_block=lines.encode(), fmt="JSONEachRow")


def profiles(rows: Sequence[ProfileRow]) -> dict[str, list[dict[str, Any]]]:
    """Records by table, in the order in which to insert them."""
    tables: dict[str, list[dict[str, Any]]] = {"persons": [], "aliases": [], "groups": []}
    for row in rows:
        record: dict[str, Any] = {"environment_id": row.environment_id, "revision": row.revision}
        if row.person:
            tables["aliases"].append(record | {"distinct_id": row.key, "person": row.person})
        record |= {"properties": flat(row.properties)}
        if row.group_type == USER:
            tables["persons"].append(record | {"distinct_id": row.key})
        else:
            tables["groups"].append(record | {"group_type": row.group_type, "group_key": row.key})
    return tables


def version(version: ProfileVersion) -> dict[str, Any]:
    """The record of what a profile was."""
    return {
        "environment_id": version.environment_id,
        "group_type": version.group_type,
        "key": version.key,
        "at": f"{version.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}",
        "properties": flat(version.properties),
        "revision": version.revision,
    }
