"""The work behind the calls that one node at a time does: loading, isolating, copying, erasing, forgetting.

All of it is one process's at a time, and so each part can rely on what the others have in memory.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol

from burgee_server.ending import end
from burgee_server.ports.lease import Lease

log = logging.getLogger(__name__)


class Finishing(Protocol):
    """Work that can be told to finish what there is."""

    async def run(self) -> None:
        """Work until stopped."""

    def stop(self) -> None:
        """Let `run` finish what there is to do now, and return."""


class Work:
    """Done while this node has the lease. Without it, every part is given up at once, and can be: anywhere."""

    def __init__(
        self, lease: Lease, finishing: Sequence[Finishing], endless: Sequence[Callable[[], Coroutine[Any, Any, None]]]
    ) -> None:
        self._lease = lease
        self._finishing = finishing
        self._endless = endless
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until stopped. Raises what a part raised that ended by itself."""
        while not self._stopping.is_set():
            if await self._taken():
                await self._hold()

    def stop(self) -> None:
        """Let `run` load what waits, if it is this node that loads, and return."""
        self._stopping.set()

    async def _taken(self) -> bool:
        """Wait for the lease, or for the end; whether this node has the lease."""
        taking, stopping = asyncio.create_task(self._lease.take()), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            _raise_failures((taking,))  # or this node would load without the lease
            return taking.done()
        finally:
            await end(taking, stopping)

    async def _hold(self) -> None:
        lost, stopping = asyncio.create_task(self._lease.lost()), asyncio.create_task(self._stopping.wait())
        finishing = [asyncio.create_task(each.run()) for each in self._finishing]
        endless = [asyncio.create_task(each()) for each in self._endless]
        try:
            await asyncio.wait({lost, stopping, *finishing, *endless}, return_when=asyncio.FIRST_COMPLETED)
            _raise_failures((*finishing, *endless))
            if lost.done():
                log.warning("this node has lost the lease: another one loads now, or none can")
                return
            await end(*endless)
            for each in self._finishing:
                each.stop()
            finished = asyncio.create_task(_all(finishing))
            await asyncio.wait({lost, finished}, return_when=asyncio.FIRST_COMPLETED)
            _raise_failures((finished,))
        finally:
            await end(lost, stopping, *finishing, *endless)
            await self._lease.give()


async def _all(parts: Iterable["asyncio.Task[None]"]) -> None:
    await asyncio.gather(*parts)


def _raise_failures(ended: Iterable["asyncio.Future[Any]"]) -> None:
    for each in ended:
        if each.done():
            each.result()
