"""Who waits when there are too few processors: merges, and not those who wait for an answer or for their events."""

import contextlib
import os
import sys
from pathlib import Path

STEPS = 10
"""Of niceness: a tenth of the processor time of others that want it at the same time."""

_THREADS = "MergeMutate"
"""What the threads call themselves in which chDB merges and mutates, as long as it has any table."""


def merges_step_back() -> None:
    """From now on the merges and mutations of a chDB in this process have the processor after all of its other threads.

    On Linux, where each thread has a niceness of its own; elsewhere there is only that of the whole process.
    """
    if sys.platform == "linux":
        for thread in merging_threads():
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, 0) + STEPS)


def merging_threads() -> list[int]:
    """The threads of this process that merge and mutate."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            if (thread / "comm").read_text().strip() == _THREADS:
                found.append(int(thread.name))
    return found
