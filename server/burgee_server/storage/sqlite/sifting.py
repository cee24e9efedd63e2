"""Takes events out of what is set aside and in quarantine."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

from burgee_server.ports.quarantine import Remainder

TABLES = ("set_aside", "quarantined")

_SELECT = {
    "set_aside": "SELECT part_id, payload FROM set_aside WHERE part_id > ? ORDER BY part_id",
    "quarantined": "SELECT quarantine_id, payload FROM quarantined WHERE quarantine_id > ? ORDER BY quarantine_id",
}
_DELETE = {
    "set_aside": "DELETE FROM set_aside WHERE part_id = ?",
    "quarantined": "DELETE FROM quarantined WHERE quarantine_id = ?",
}
READ_BYTES = 1 << 20
"""How much is looked through at a time, or one row if that is more: others want to read in between."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """Rows that were looked through, up to the row `last`; 0: there was none."""

    table: str
    last: int
    left: tuple[tuple[int, Remainder], ...]
    """What is to be left of those that hold something to be taken out, by their ids."""
    freed: int
    """How many bytes that takes out."""


def sift(connection: sqlite3.Connection, table: str, after: int, leave: Callable[[bytes], Remainder | None]) -> Sifted:
    """Look through some rows with ids greater than `after`."""
    last = read = freed = 0
    left = []
    rows = connection.execute(_SELECT[table], (after,))
    for last, payload in rows:
        if (remainder := leave(payload)) is not None:
            left.append((last, remainder))
            freed += len(payload) - len(remainder.payload)
        read += len(payload)
        if read >= READ_BYTES:
            break
    rows.close()
    return Sifted(table, last, tuple(left), freed)


def replace(connection: sqlite3.Connection, sifted: Sifted) -> None:
    """Leave of rows what is to be left. A row in quarantine is one event, so that nothing or all of it is."""
    for row_id, remainder in sifted.left:
        if remainder.events:
            connection.execute(
                "UPDATE set_aside SET payload = ?, checksum = ?, events = ? WHERE part_id = ?",
                (remainder.payload, crc32(remainder.payload), remainder.events, row_id),
            )
        else:
            connection.execute(_DELETE[sifted.table], (row_id,))
