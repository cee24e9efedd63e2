"""A process that has a warehouse open and loads one batch when it is told to: something to kill in the middle of it.

Run as a program with a directory; `load` and `again` on standard input are answered in one line each.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime

from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.warehouse import Fact, batch

FACTS = [
    Fact(
        uuid=f"00000000-0000-4000-8000-{number:012x}",
        distinct_id=f"user-{number % 3}",
        timestamp=datetime(2026, 1 + number % 3, 1, tzinfo=UTC),
        groups={"company": "acme"},
    )
    for number in range(30)
]
"""Of three months, so that one insert makes three parts of `events`, and one of `activity`."""

SEEN = 3 + 1
"""Users and companies."""


async def _main() -> None:
    warehouse = await ClickHouseWarehouse.open(f"chdb://{os.getcwd()}/events")
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            await warehouse.load(batch(1, *FACTS), again=line.strip() == "again")
            print("loaded", flush=True)
        except Exception as error:
            print(type(error).__name__, " ".join(str(error).split()), flush=True)
    await warehouse.close()


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    asyncio.run(_main())
