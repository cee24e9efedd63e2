"""Processes that tests ask the nursery for."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fixtures.nursery import Python, run_python

PID = "import os; print(os.getpid())"


def test_threads_that_ask_at_the_same_time_have_each_their_own_process():
    """And not that of another one, which they would end and wait for."""

    def bear(_number):
        with Python("-c", PID, stdout=subprocess.PIPE, text=True) as process:
            return process.pid, int(process.communicate(timeout=60)[0])

    with ThreadPoolExecutor(8) as threads:
        for pid, said in threads.map(bear, range(24)):
            assert pid == said


@pytest.mark.parametrize("option", [{"start_new_session": True}, {"pass_fds": [0]}, {"user": 0}, {"preexec_fn": print}])
def test_what_a_process_of_the_nursery_cannot_have_is_refused(option):
    """It would be left out without a word."""
    with pytest.raises(AssertionError, match="take subprocess"):
        run_python("-c", PID, **option)
