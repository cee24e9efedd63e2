"""The latest updates of one environment, shared by all who watch it."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from math import inf
from time import monotonic

from burgee_server.flags.contents import messages

MOST_UPDATES = 1_000
"""A watcher that is further behind is sent a snapshot."""

MOST_BYTES = 16 << 20
"""The same, for updates that are large."""


@dataclass(frozen=True, slots=True)
class _Update:
    number: int
    parts: Collection[bytes]
    size: int


class Updates:
    """A version is the number of an update, and an epoch that no others have; `snapshot` gives everything as it is."""

    def __init__(self, snapshot: Callable[[], list[bytes]]) -> None:
        self._read_snapshot = snapshot
        self._snapshot: list[bytes] = []
        self._epoch = secrets.token_hex(8)
        self._number = 0
        self._latest: deque[_Update] = deque()
        self._bytes = 0
        self._published = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether anything was published yet."""
        return self._number > 0

    def publish(self, parts: Collection[bytes]) -> None:
        """Tell everybody. An update without parts begins with what is there already."""
        self._number += 1
        update = _Update(self._number, parts, sum(map(len, parts)))
        self._latest.append(update)
        self._bytes += update.size
        while len(self._latest) > 1 and (len(self._latest) > MOST_UPDATES or self._bytes > MOST_BYTES):
            self._bytes -= self._latest.popleft().size
        self._snapshot = []
        published, self._published = self._published, asyncio.Event()
        published.set()

    async def messages(self, version: str, silence_seconds: float, seconds: float = inf) -> AsyncIterator[bytes]:
        """Serialized WatchResponses, for so many seconds: what is new since a version or a snapshot, then what changes.

        The first comes at once, and none is left half told. Nothing is kept for a watcher that reads slowly.
        """
        ends_at = monotonic() + seconds
        number = self._number_of(version)
        if number == self._number > 0:
            yield self._heartbeat()
        while not number or monotonic() < ends_at:
            published = self._published
            if number == self._number:
                try:
                    left = ends_at - monotonic() if number else silence_seconds
                    async with asyncio.timeout(min(silence_seconds, left)):
                        await published.wait()
                except TimeoutError:
                    if number:
                        yield self._heartbeat()
                continue
            if number and self._latest[0].number <= number + 1:
                update = self._latest[number + 1 - self._latest[0].number]
                number, parts = update.number, update.parts
            else:
                number, parts = self._number, self._everything()
            for message in messages(parts, self._version(number)):
                yield message

    def _number_of(self, version: str) -> int:
        """0 for a version that is not ours, or not yet."""
        epoch, _, digits = version.partition(".")
        if epoch != self._epoch or not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            return 0
        return int(digits) if int(digits) <= self._number else 0

    def _version(self, number: int) -> str:
        return f"{self._epoch}.{number}"

    def _heartbeat(self) -> bytes:
        return next(messages((), self._version(self._number)))

    def _everything(self) -> list[bytes]:
        """The snapshot: the same list for everybody who needs it at this version."""
        if not self._snapshot:
            self._snapshot = self._read_snapshot()
        return self._snapshot
