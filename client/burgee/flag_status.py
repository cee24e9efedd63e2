"""How up to date the flags in memory are."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FlagState(StrEnum):
    """Where checks are answered from; the names are OpenFeature's."""

    NOT_READY = "NOT_READY"
    """Nothing is known yet: each check is a call, or the default."""
    READY = "READY"
    """Memory is what the server has, or each check is a call because local evaluation is off."""
    STALE = "STALE"
    """The stream of changes is down: memory is what was last known, or what the bootstrap file says."""


@dataclass(frozen=True, slots=True)
class FlagStatus:
    """What Client.flag_status says."""

    state: FlagState
    flags: int
    """How many flags are in memory."""
    version: str
    """That of the snapshot in memory, as Watch counts them; empty for none, and for a bootstrap file."""
    unreadable: Mapping[str, str]
    """What is wrong with the flags that this client cannot read or evaluate, by key: the server is asked for them."""
    trouble: str
    """Why the stream is not up, as far as it is known; empty while it is."""
