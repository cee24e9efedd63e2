"""Copies of everything that a server keeps, made while it runs."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that is whole, and on the disk."""

    path: str
    """Where it is: a data directory like the one that it was made of."""
    bytes: int
    """How much it holds. What the server still has in the same files takes no room twice."""


class Backups(Protocol):
    """Makes backups. Calls are answered and events are acknowledged meanwhile."""

    async def make(self, name: str) -> Backup:
        """Everything as of one moment: what was acknowledged before is in it.

        Raises Invalid for a name that cannot be one, AlreadyExists, Unavailable if it cannot be written, and
        Unsupported where stores are kept elsewhere.
        """
