"""What is in a journal's file, read without changing it: for whoever carries it elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from burgee_server.storage.sqlite.schema import migrate
from burgee_server.storage.sqlite.writer import connect


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that waits, or a mark (no events, and its text as the payload)."""

    seq: int
    payload: bytes
    events: int


class Remainder:
    """A journal that nobody writes meanwhile. Raises sqlite3.DatabaseError for a file that is none."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        migrate(self._connection)

    @property
    def name(self) -> str:
        """What tells this journal from every other."""
        row = self._connection.execute("SELECT journal_id FROM identity").fetchone()
        return str(row[0]) if row else ""

    def waiting(self) -> Iterator[Waiting]:
        """Everything that waits for the warehouse, in order."""
        for row in self._connection.execute("SELECT seq, payload, events FROM batches ORDER BY seq"):
            yield Waiting(*row)

    def ids(self) -> Iterator[tuple[int, str, int, float]]:
        """Environment, batch id, number of events, and when it was received, of every batch that is known."""
        yield from self._connection.execute("SELECT environment_id, batch_id, events, received_at FROM batch_ids")

    def parts(self) -> Iterator[tuple[int, bytes, int, bool, float]]:
        """Id, payload, number of events, whether it was examined, and when it was received, of what was set aside."""
        for row in self._connection.execute("SELECT part_id, payload, events, examined, received_at FROM set_aside"):
            yield (*row[:3], bool(row[3]), row[4])

    def quarantined(self) -> Iterator[tuple[int, int, bytes, str, int]]:
        """Id, environment, payload, reason, and when it came there in microseconds, of each event in quarantine."""
        yield from self._connection.execute(
            "SELECT quarantine_id, environment_id, payload, reason, quarantined_at_micros FROM quarantined"
        )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
