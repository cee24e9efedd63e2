"""Who waits when there are too few processors: ClickHouse's work in bulk, and not those who wait for an answer."""

import os
import sys
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

STEPS = 10
"""Of niceness: a tenth of the processor time of others that want it at the same time."""


def stepped_back(work: Callable[[], T]) -> T:
    """The result of work whose threads, those that it starts and leaves running, have the processor after all others.

    On Linux, where each thread has a niceness of its own and takes it from the one that starts it; elsewhere it would
    be that of the whole process. The thread that is done with the work is gone: one that waits for the processor while
    it holds Python's lock would hold up everybody.
    """
    if sys.platform != "linux":
        return work()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        os.nice(STEPS)
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = Thread(target=run, name="stepped-back")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
