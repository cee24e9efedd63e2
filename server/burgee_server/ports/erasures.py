"""Where it is kept what is to be erased, until it is, and that it was."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from burgee_server.ports.access import Authorship
from burgee_server.ports.warehouse import Arrived


class ErasureState(StrEnum):
    """How far an erasure is."""

    WAITING = "waiting"
    """The profile is gone from the control store. Events that came before may be in the journal."""
    ERASING = "erasing"
    """All of them are in the warehouse, and are being removed from there."""
    DONE = "done"
    """No file of the warehouse holds them."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The removal of a person (`group_type` is "user", `key` the distinct_id) or of a group."""

    erasure_id: str
    environment_id: int
    group_type: str
    key: str
    """Empty once it is done."""
    key_sha256: str
    state: ErasureState
    revision: int
    """Of profiles: what is kept under the same key with a greater one came later, and stays."""
    requested_at: datetime
    done_at: datetime | None = None
    events: int | None = None
    """How many there were in the warehouse when all of them had arrived; None before."""
    received_until: datetime | None = None
    """What the server took until then is removed; None before. When the erasure was asked for, or, if a clock that was
    set back calls that later, when the latest of those events was taken."""


@dataclass(frozen=True, slots=True)
class Begun:
    """New erasures, and the keys of the cohorts that have lost members by them, each with the member."""

    erasures: tuple[Erasure, ...]
    """One for each id of a person; the last is that of the key that was asked for, and the last to be done."""
    cohorts: tuple[tuple[str, str], ...]


def key_digest(key: str) -> str:
    """What is kept of a key in the end: enough to say whether it was erased, for somebody who knows it."""
    return hashlib.sha256(key.encode()).hexdigest()


class ErasureStore(Protocol):
    """Keeps erasures, in the same store as profiles."""

    async def begin(self, environment_id: int, group_type: str, key: str, by: Authorship) -> Begun:
        """Remove a profile with its history, take whose it was out of cohorts, and keep a new erasure, WAITING.

        The same for every other id of the person. All in one transaction. That somebody ever was in a cohort is
        forgotten, too.
        Its audit entry names the erasure and not the key.
        """

    async def get(self, environment_id: int, erasure_id: str) -> Erasure:
        """One erasure. Raises NotFound."""

    async def page(self, environment_id: int, *, before: int | None, limit: int) -> Sequence[Erasure]:
        """Erasures of an environment, newest first, of a lower revision than `before`."""

    async def unfinished(self) -> Sequence[Erasure]:
        """The erasures of every environment that are not DONE, oldest first."""

    async def since(self, moment: datetime) -> Sequence[Erasure]:
        """The erasures of every environment that were asked for then or later, DONE ones too, oldest first."""

    async def arrived(self, found: Mapping[str, Arrived]) -> None:
        """From WAITING to ERASING: how many events, and what is removed until when, by erasure_id."""

    async def finish(self, erasure_ids: Sequence[str], at: datetime) -> None:
        """DONE: forget the keys."""
