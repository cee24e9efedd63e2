"""The lease of a node that is alone: whoever has the data directory's lock has all there is to have."""

import asyncio


class OwnLease:
    """Is had by whoever asks."""

    async def take(self) -> None:
        """At once."""

    async def lost(self) -> None:
        """Never."""
        await asyncio.Event().wait()

    async def give(self) -> None:
        """The process ends."""
