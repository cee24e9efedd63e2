"""How a change to flags, API keys, profiles or cohorts reaches everybody who keeps a copy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias


class Kind(Enum):
    """What changed."""

    FLAGS = "flags"
    API_KEYS = "api_keys"
    PROFILE = "profile"
    COHORT = "cohort"
    GROUP_TYPES = "group_types"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed: read it again before the next use."""

    kind: Kind
    environment_id: int
    subject: tuple[str, ...] = ()
    """The flag's key, the id of an API key that was ended, (group type, key) of the profile or just (group type) of one
    that was erased and whose key is forgotten, (cohort key, group type, members…) of the cohort, by the keys of those
    who came or went; none: it is gone, or it is not known who."""


Listener: TypeAlias = Callable[[Change], None]


class ChangeFeed(Protocol):
    """Tells every listener of every change, before `publish` returns to the one who made it.

    So do the listeners of other nodes hear of it, soon; whatever happens in between, after some seconds at most.
    Everybody may hear of it again, also those of the node where it was made, and among later changes.
    """

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every change from now on. It must be quick and must not raise."""

    async def publish(self, change: Change) -> None:
        """Tell everybody of a change that is in the store."""

    async def follow(self) -> None:
        """Hear what other nodes publish, until cancelled."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has read a log of changes."""

    entry: int
    revision: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Changes, in their order, and the position after them."""

    changes: Sequence[Change]
    end: Position


class ChangeLog(Protocol):
    """The changes that the control store knows of, whether or not anybody was told."""

    async def end(self) -> Position:
        """The position after all that there is."""

    async def since(self, position: Position) -> Stretch:
        """The next changes after a position, some thousand at most. A change that is seen has none before it unseen."""

    async def unnumbered(self) -> Sequence[Change]:
        """What may have changed at any time without a trace here: the members of computed cohorts."""
