"""Removes events that are older than their environment keeps them."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from burgee_server.ports.warehouse import to_micros
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.mutations import Run, delete, vacate


async def expire(keeps_from: Mapping[int, datetime], layout: Layout, run: Run) -> bool:
    """Remove events of these environments with earlier timestamps; whether there were any."""
    environments: defaultdict[datetime, list[int]] = defaultdict(list)
    for environment_id, first in keeps_from.items():
        environments[first].append(environment_id)
    for table, moment in (("activity", "last_seen_at"), ("events", "timestamp")):
        where, parameters = _before(moment, environments)
        found = await run(partial(delete, layout=layout, table=table, where=where, parameters=parameters))
    for table in ("activity", "events"):
        await vacate(run, layout, table)
    return found


def _before(moment: str, environments: Mapping[datetime, list[int]]) -> tuple[str, dict[str, Any]]:
    """A condition for as many dates as there are, and not for each environment."""
    conditions, parameters = [], dict[str, Any]()
    for number, (first, ids) in enumerate(environments.items()):
        conditions.append(
            f"(environment_id IN {{ids{number}:Array(UInt32)}}"
            f" AND {moment} < fromUnixTimestamp64Micro({{first{number}:Int64}}, 'UTC'))"
        )
        parameters |= {f"ids{number}": ids, f"first{number}": to_micros(first)}
    return " OR ".join(conditions), parameters
