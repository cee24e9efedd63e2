"""What the end of a process, and a fork of it, mean for clients that are open."""

import atexit
import os
from typing import Protocol

_AT_EXIT_SECONDS = 5.0


class Mortal(Protocol):
    """What has to be told."""

    def _end(self, timeout: float) -> int:
        """The process ends."""

    def _reset(self) -> None:
        """This is a forked child."""


_open: set[Mortal] = set()
"""Held until closed: what a forgotten client has not sent yet, nobody else will send."""


def remember(client: Mortal) -> None:
    """From now on it is told."""
    _open.add(client)


def forget(client: Mortal) -> None:
    """It is closed."""
    _open.discard(client)


def _end_all() -> None:
    for client in list(_open):
        client._end(_AT_EXIT_SECONDS)


def _reset_all() -> None:
    for client in list(_open):
        client._reset()


atexit.register(_end_all)
os.register_at_fork(after_in_child=_reset_all)
