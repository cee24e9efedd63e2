"""How a change to flags, API keys, profiles or cohorts reaches everybody who keeps a copy."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias


class Kind(Enum):
    """What changed."""

    FLAGS = "flags"
    API_KEYS = "api_keys"
    PROFILE = "profile"
    COHORT = "cohort"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed: read it again before the next use."""

    kind: Kind
    environment_id: int
    subject: tuple[str, ...] = ()
    """The flag's key, the id of an API key that was ended, (group type, key) of the profile, or
    (cohort key, group type, members…) of the cohort, by the keys of those who came or went; none: it is gone."""


Listener: TypeAlias = Callable[[Change], None]


class ChangeFeed(Protocol):
    """Tells every listener of every change, in order, before `publish` returns to the one who made it."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every change from now on. It must be quick and must not raise."""

    async def publish(self, change: Change) -> None:
        """Tell everybody."""
