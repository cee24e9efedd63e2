"""The companion: `python -m burgee_server.companion FD VERSION`. It ends when whoever started it hangs up."""

import os
import signal
import sys
from contextlib import suppress
from importlib.metadata import version
from multiprocessing.connection import Connection

from burgee_server.companion.process import OUTDATED, Outcome

STEPS = 5
"""Of niceness: whoever answers calls goes first."""


def main() -> None:
    """Do what is asked for, one after the other.

    Not for a server of another version, as where one was installed while it runs: what they send is read by position.
    """
    if sys.argv[2] != version("burgee"):
        sys.exit(OUTDATED)
    # The signals of a terminal, or of a service, to all of its processes: a server that stops has work to do yet.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # where a system lets nobody choose
        os.nice(STEPS)
    with Connection(int(sys.argv[1])) as connection, suppress(EOFError, OSError):
        while True:
            work, arguments = connection.recv()
            try:
                outcome = Outcome(work(*arguments))
            except Exception:
                outcome = None
            connection.send(outcome)
            del work, arguments, outcome


if __name__ == "__main__":
    main()
