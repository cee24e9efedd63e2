"""A server that gives its companion up soon, and starts another soon: the command that follows is run as it is.

`python -m tests.faults.impatient python -m burgee_server …`, so that a test sees many companions in little time.
"""

import runpy
import sys

from burgee_server.companion import companion, process

SECONDS = 1.0
BEGIN_SECONDS = 5.0

if __name__ == "__main__":
    process.SECONDS, process.BEGIN_SECONDS = SECONDS, BEGIN_SECONDS
    companion.PAUSE_SECONDS = companion.LONGEST_PAUSE_SECONDS = 0.1
    sys.argv = sys.argv[3:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
