"""What many tests share: one data directory, since chDB opens one directory a process."""

import gc
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

_HERE = Path(__file__).parent
_ORDER = {"faults": 0, "e2e": 0, "conformance": 2}

# Hundreds of processes are started here. Where Python is told to keep no compiled files, each would compile the server.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores, up to four: some tests wait, and each process has stores and imports of its own."""
    return min(len(os.sched_getaffinity(0)) + 1, 4) if hasattr(os, "sched_getaffinity") else 4


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of processes first, the conformance cases last.

    Each process takes as many tests that stand together, and whoever is done takes of the end of what another has:
    so the many short ones are shared out, and what three nodes on all stores are started for stays in one process.
    """
    items.sort(key=lambda item: _ORDER.get(item.path.relative_to(_HERE).parts[0], 1))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: garbage is not looked for in it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the session. Each test takes an environment of its own inside it."""
    path = tmp_path_factory.mktemp("data")
    os.chdir(path)  # chDB keeps a cache in the working directory
    return path
