"""The change feed of a single process."""

import asyncio

from burgee_server.ports.changes import Change, Listener


class LocalFeed:
    """Calls its listeners in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every change from now on."""
        self._listeners.append(listener)

    async def publish(self, change: Change) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(change)

    async def follow(self) -> None:
        """There are no others."""
        await asyncio.Event().wait()
