"""The right to work that only one node may do at a time."""

from typing import Protocol


class Lease(Protocol):
    """At most one node has it. One that ends, however it ends, makes way for another."""

    async def take(self) -> None:
        """Return when this node has it."""

    async def lost(self) -> None:
        """Return when this node, which had it, has it no more, or cannot know."""

    async def give(self) -> None:
        """Let another node have it. Done twice, or without having it, it changes nothing."""
