"""Hands out every event of a selection, from anywhere in it, to a few callers at a time."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from burgee_server.errors import Overloaded
from burgee_server.exports.parts import Part, parts_of
from burgee_server.ports.selection import EventKey, EventPage, Selection
from burgee_server.ports.warehouse import Warehouse

MAX_EXPORTS = 4
"""Each holds two pages in memory, of about 8 MB."""
RETRY_SECONDS = 10.0


class Exports:
    """Exports take turns, page by page: none waits for another to end, and all together take one client's time."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._running = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Inside, an export may run. Raises Overloaded while MAX_EXPORTS do."""
        if self._running == MAX_EXPORTS:
            raise Overloaded(f"{MAX_EXPORTS} exports are running, which is as many as may run at a time", RETRY_SECONDS)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    async def count(self, selection: Selection, after: EventKey | None) -> int:
        """How many events parts() will hand out, about."""
        return await self._warehouse.count(selection, after)

    async def parts(self, selection: Selection, after: EventKey | None) -> AsyncGenerator[Part]:
        """The events after a key, or all. One page is read while the one before is handed out."""
        async with aclosing(self._pages(selection, after)) as pages:
            async for page in pages:
                for part in await asyncio.to_thread(list, parts_of(page)):
                    yield part

    async def _pages(self, selection: Selection, after: EventKey | None) -> AsyncGenerator[EventPage]:
        reading = asyncio.create_task(self._warehouse.page(selection, after))
        try:
            while page := await reading:
                reading = asyncio.create_task(self._warehouse.page(selection, page.last))
                yield page
        finally:
            reading.cancel()
