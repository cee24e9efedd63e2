"""The Journal port on a journal that may be away, and come back as another one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from burgee_server.errors import Damaged, Unavailable, Unsupported
from burgee_server.ports.journal import Backlog, Journal, Range

_RETRY_SECONDS = 5.0


class ClaimedJournal:
    """Of `journal`, nothing is asked after it was away until it has been claimed anew: it may have come back as that of
    other people, whose numbers of environments mean something else, or set up so that it loses what it is given.

    Whatever is asked then raises Unavailable while it is away, Damaged if it is of another installation, and
    Unsupported if it would lose what it is given.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._installation: str | None = None
        self._claimed = True

    async def claim(self, installation: str) -> str:
        """See the port."""
        self._installation = installation
        self._claimed = False
        owner = await self._journal.claim(installation)
        self._claimed = owner == installation
        return owner

    def is_claimed(self) -> bool:
        """Whether others may speak to it, too: not after it was away, until it has been claimed."""
        return self._claimed

    async def append(self, environment_id: int, batch_id: str, payload: bytes, events: int) -> int | None:
        """See the port. A journal that must not have it is away to a caller, who is to keep the batch: Unavailable."""
        try:
            async with self._ours() as journal:
                return await journal.append(environment_id, batch_id, payload, events)
        except (Damaged, Unsupported) as error:
            raise Unavailable(
                "events cannot be taken in: Redis is back, and must not have them", _RETRY_SECONDS
            ) from error

    async def batch(self, environment_id: int, batch_id: str) -> int | None:
        """See the port."""
        async with self._ours() as journal:
            return await journal.batch(environment_id, batch_id)

    async def mark(self, text: str) -> None:
        """See the port."""
        async with self._ours() as journal:
            await journal.mark(text)

    async def next_range(self, max_events: int) -> Range | None:
        """See the port."""
        async with self._ours() as journal:
            return await journal.next_range(max_events)

    async def commit(self, done: Range) -> None:
        """See the port."""
        async with self._ours() as journal:
            await journal.commit(done)

    async def set_aside(self, refused: Range) -> None:
        """See the port."""
        async with self._ours() as journal:
            await journal.set_aside(refused)

    async def wait(self, seconds: float) -> None:
        """See the port."""
        async with self._ours() as journal:
            await journal.wait(seconds)

    async def complete_until(self) -> float:
        """See the port. While it is away, what it knows from before."""
        with suppress(Unavailable):
            async with self._ours():
                pass
        return await self._journal.complete_until()

    async def backlog(self) -> Backlog:
        """See the port."""
        async with self._ours() as journal:
            return await journal.backlog()

    async def close(self) -> None:
        """See the port."""
        await self._journal.close()

    @asynccontextmanager
    async def _ours(self) -> AsyncIterator[Journal]:
        """The journal, claimed. It is noticed if it is away."""
        if not self._claimed and (ours := self._installation) is not None and (owner := await self.claim(ours)) != ours:
            raise Damaged(
                f"this node (of {ours}) and the Redis that is back (of {owner}) are of different installations:"
                " give each its own"
            )
        try:
            yield self._journal
        except Unavailable:
            self._claimed = False
            raise
