"""Which things are looked at, by the settings in force."""

import os
import time
from collections.abc import Iterator

from burgee_server.doctor import place
from burgee_server.doctor.certificate import certificate
from burgee_server.findings import Finding, State, warning
from burgee_server.settings import MEGABYTE, Settings
from burgee_server.storage.clickhouse.checks import check_warehouse
from burgee_server.storage.directory import HELD_FILE, KEY_FILE
from burgee_server.storage.sql.checks import check_database
from burgee_server.storage.sqlite.checks import check_file, check_held, check_journal, read_only


def examine(settings: Settings, *, alone: bool = True) -> Iterator[Finding]:
    """Look at everything, one by one. Blocks, for seconds if the files are large.

    `alone`: no other process has the data directory, so that the embedded warehouse may be opened.
    """
    data = settings.data.resolve()
    yield from place.environment()
    yield from place.directory(data)
    yield place.room(data, settings.journal_max_mb)
    yield place.open_files()
    yield place.processes()
    yield place.clock()
    if settings.tls is not None:
        yield certificate(*settings.tls)
    here = place.may_open(data)
    control = data / "control.db"
    if here:
        yield from place.key_file(data / KEY_FILE)
    if settings.database is not None:
        yield from check_database(settings.database.get_secret_value())
    elif here and control.exists():
        file = check_file("control store", control)
        yield file
        if file.state is not State.WRONG:
            yield from check_database(f"sqlite:///{read_only(control)}&uri=true")
    limit = settings.journal_max_mb * MEGABYTE
    if settings.redis is not None:
        from burgee_server.storage.redis.checks import check_redis  # its driver is there with the extra `scaled`

        yield from check_redis(settings.redis.get_secret_value(), limit)
    elif here:
        yield from check_journal(data / "journal.db", limit, time.time())
    for held in (data / HELD_FILE, *sorted(data.glob(f"process-*/{HELD_FILE}"))) if here else ():
        if held.exists():
            yield check_held(held, time.time())
    if settings.warehouse is not None:
        yield from check_warehouse(settings.warehouse.get_secret_value())
    elif here and not alone and not os.access(data, os.W_OK):
        yield warning("warehouse", "not looked at: to look is to write beside it", "see the directory")
    elif here and not alone:
        yield warning("warehouse", "not looked at: another process has it open", "ask that process, with an API key")
    elif here and (data / "events").exists():
        yield from check_warehouse(f"chdb://{data / 'events'}")
