"""Carries everything from a data directory to the stores that several nodes share. The directory stays as it is.

Every step finds what it has done before, so that one that was cut short is run again: the control store is copied in
one transaction, events some days at a time, the journal batch by batch under ids of its own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from burgee_server.errors import Damaged, Invalid
from burgee_server.settings import Settings
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clickhouse.copying import Days, copy_events
from burgee_server.storage.directory import DataDirectory
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.copying import Counted, copy_tables
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sqlite.remainder import Remainder

_NO_BOUND = 1 << 50
"""What was acknowledged is taken over, whatever `journal_max_mb` says."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What there is on either side of everything, by name."""

    counted: dict[str, Counted]

    @property
    def is_whole(self) -> bool:
        """Whether both sides have as many of each."""
        return all(count.here == count.there for count in self.counted.values())


async def move(directory: DataDirectory, settings: Settings, say: Callable[[str], None]) -> Moved:
    """Carry everything over. Raises Invalid without shared stores in the settings, Damaged if they are in use.

    Raises Unavailable, too.
    """
    if settings.redis is None or settings.database is None or settings.warehouse is None:
        raise Invalid.of("settings", "database, warehouse and redis say where to: set all three")
    if not (directory.path / "control.db").exists():
        raise Damaged(f"{directory.path} holds no installation")
    source = Database(f"sqlite+aiosqlite:///{directory.path / 'control.db'}")
    target = Database(settings.database.get_secret_value())
    try:
        await source.migrate()
        await target.migrate()
        installation = await SqlAccess(source).installation()
        say("control store: projects, keys, flags and their versions, profiles, cohorts, audit log")
        counted = dict(await copy_tables(source, target))
    finally:
        await source.close()
        await target.close()
    say("events")
    counted["events"] = await _events(directory, settings, settings.warehouse.get_secret_value(), installation, say)
    say("journal: what waits, batch ids, quarantine")
    counted |= await _journal(directory, settings.redis.get_secret_value(), installation)
    return Moved(counted)


async def _events(
    directory: DataDirectory, settings: Settings, dsn: str, installation: str, say: Callable[[str], None]
) -> Counted:
    source = f"chdb://{directory.path / 'events'}"
    for each in (source, dsn):
        warehouse = await ClickHouseWarehouse.open(
            each,
            query_clients=1,
            group_columns=settings.group_columns,
            property_columns=settings.property_columns,
        )
        try:
            if await warehouse.owner() not in (None, installation):
                raise Damaged("the warehouse has events of another installation: give it an empty database")
        finally:
            await warehouse.close()

    def copied(days: Days) -> None:
        to = f" to {days.last}" if days.last > days.first else ""
        say(f"  {days.first}{to}: {days.events:,}")

    return Counted(*await asyncio.to_thread(copy_events, source, dsn, copied))


async def _journal(directory: DataDirectory, url: str, installation: str) -> dict[str, Counted]:
    from burgee_server.storage import redis
    from burgee_server.storage.redis.adoption import Adoption

    client = redis.connect(url)
    journal, adoption = redis.RedisJournal(client, _NO_BOUND, LocalTurns()), Adoption(client)
    remainder = Remainder(directory.path / "journal.db")
    try:
        if await journal.claim(installation) != installation:
            raise Damaged("the Redis has a journal of another installation: give it another database number")
        waiting = 0
        for batch in remainder.waiting():
            known_as = f"moved/{remainder.name}/{batch.seq}"
            if batch.events:
                await journal.append(0, known_as, batch.payload, batch.events)
                waiting += batch.events
            elif await journal.append(0, known_as, b"", 0) is None:
                await journal.mark(batch.payload.decode())  # cut short before: the eraser sets a mark that is missing
        for known in remainder.ids():
            await adoption.batch_id(*known)
        parts = quarantined = 0
        for part in remainder.parts():
            await adoption.part(*part)
            parts += part[2]
        for event in remainder.quarantined():
            await adoption.event(*event)
            quarantined += 1
        backlog, held = await journal.backlog(), await journal.quarantine.held()
    finally:
        remainder.close()
        await journal.close()
    return {
        "events that wait": Counted(waiting, backlog.events),
        "events set aside": Counted(parts, held.aside),
        "events in quarantine": Counted(quarantined, held.quarantined),
    }
