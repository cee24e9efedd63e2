"""What the end of a process, and a fork of it, mean for clients that are open."""

import atexit
import os
import threading
from time import monotonic
from typing import Protocol

from burgee.log import logger

_AT_EXIT_SECONDS = 5.0

FORK_SECONDS = 2.0
"""How long a fork waits for calls to end. With a call on its way, gRPC may crash or hang in the child."""


class Mortal(Protocol):
    """What has to be told."""

    def _hurry(self) -> None:
        """The process ends soon: send what waits."""

    def _end(self, timeout: float) -> int:
        """The process ends: flush for so many seconds, and stop."""

    def _halt(self) -> None:
        """The process is about to fork: begin no call, and end those that nobody waits for."""

    def _is_still(self, seconds: float) -> bool:
        """Wait until no call is on its way, at most so long. Whether none is."""

    def _resume(self) -> None:
        """The process has forked: go on."""

    def _reset(self) -> None:
        """This is the child: begin anew."""


_open: set[Mortal] = set()
"""Held until closed: what a forgotten client has not sent yet, nobody else will send."""

_halted: list[Mortal] = []
"""Those that were open when the fork began: meanwhile, another thread may open or close one."""

_turn = threading.Lock()
"""Held from before a fork until after it: two threads may fork at once."""


def remember(client: Mortal) -> None:
    """From now on it is told."""
    _open.add(client)


def forget(client: Mortal) -> None:
    """It is closed."""
    _open.discard(client)


def _end_all() -> None:
    deadline = monotonic() + _AT_EXIT_SECONDS  # of all clients together
    for client in list(_open):
        client._hurry()  # so that all of them send meanwhile, and not only the one whose turn it is
    for client in list(_open):
        client._end(max(0.0, deadline - monotonic()))


def _halt_all() -> None:
    _turn.acquire()
    _halted[:] = _open
    deadline = monotonic() + FORK_SECONDS
    for client in _halted:
        client._halt()
    if not all(client._is_still(deadline - monotonic()) for client in _halted):
        logger.warning("forked in the middle of a call that took too long: the child may not be able to call")


def _resume_all() -> None:
    for client in _halted:
        client._resume()
    _halted.clear()
    _turn.release()


def _reset_all() -> None:
    global _turn
    _turn = threading.Lock()
    _halted.clear()
    for client in list(_open):  # uWSGI forks without telling anybody before
        client._reset()


atexit.register(_end_all)
os.register_at_fork(before=_halt_all, after_in_parent=_resume_all, after_in_child=_reset_all)
