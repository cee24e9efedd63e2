"""Who waits when there are too few processors: merges, inserts that may, and not those who wait for an answer.

On Linux, where each thread has a niceness of its own; elsewhere there is only that of the whole process.
"""

import contextlib
import os
import sys
import threading
from pathlib import Path

MERGES = 10
"""Steps of niceness: a tenth of the processor time of others that want it at the same time."""

PATIENT = 5
"""A third of it. Not less: such a thread lets others wait too, while it has Python's lock or one of chDB's."""

_THREADS = "MergeMutate"
"""What the threads call themselves in which chDB merges and mutates, as long as it has any table."""


def merges_step_back() -> None:
    """From now on the merges and mutations of a chDB in this process have the processor after its other threads."""
    for thread in merging_threads() if sys.platform == "linux" else ():
        _lower(thread, MERGES)


def step_back() -> None:
    """From now on this thread has the processor after others. There is no way back without a privilege."""
    if sys.platform == "linux":
        _lower(threading.get_native_id(), PATIENT)


def merging_threads() -> list[int]:
    """The threads of this process that merge and mutate."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            if (thread / "comm").read_text().strip() == _THREADS:
                found.append(int(thread.name))
    return found


def _lower(thread: int, steps: int) -> None:
    with contextlib.suppress(OSError):  # it has ended, or this is a system that lets nobody choose
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, 0) + steps)
