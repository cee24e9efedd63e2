"""What many tests share: one data directory, since chDB opens one directory a process."""

import os
import sys
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.clickhouse",
    "tests.fixtures.postgres",
    "tests.fixtures.redis",
    "tests.fixtures.server",
    "tests.fixtures.warehouse",
]

# Hundreds of processes are started here. Where Python is told to keep no compiled files, each would compile the server.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int:
    """Two more than cores, up to four: half of the time that tests take is spent waiting for others."""
    return min(len(os.sched_getaffinity(0)) + 2, 4) if hasattr(os, "sched_getaffinity") else 4


@pytest.fixture(scope="session")
def data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the session. Each test takes an environment of its own inside it."""
    path = tmp_path_factory.mktemp("data")
    os.chdir(path)  # chDB keeps a cache in the working directory
    return path
