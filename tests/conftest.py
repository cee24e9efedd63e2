"""What many tests share: one data directory, since chDB opens one directory a process."""

import gc
import os
import shutil
import sys
import tempfile
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
_ORDER = {"faults": 0, "e2e": 1, "conformance": 3}

_MEMORY = Path("/dev/shm")
_LEAST_FREE_BYTES = 4 << 30

# What tests write is in memory where Linux has room for it there: they kill processes, and pull nobody's plug.
if (
    "TMPDIR" not in os.environ
    and _MEMORY.is_dir()
    and not os.statvfs(_MEMORY).f_flag & (os.ST_NOEXEC | os.ST_RDONLY)
    and shutil.disk_usage(_MEMORY).free >= _LEAST_FREE_BYTES
):
    tempfile.tempdir = os.environ["TMPDIR"] = str(_MEMORY)

# Hundreds of processes are started here. Where Python is told to keep no compiled files, each would compile the server.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int:
    """Two more than cores, up to four: those that start processes wait, and so do the contracts."""
    return min(len(os.sched_getaffinity(0)) + 2, 4) if hasattr(os, "sched_getaffinity") else 4


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of processes first, those that wait longest before the others, the conformance cases last.

    Each process takes as many tests that stand together, and whoever is done takes of the end of what another has:
    so the many short ones are shared out, and what three nodes on all stores are started for stays in one process.
    The contracts, for which each process would start all stores, are the first of the second one.
    """
    items.sort(key=lambda item: _ORDER.get(_folder(item), 2))
    contracts = [item for item in items if _folder(item) == "contracts"]
    others = [item for item in items if _folder(item) != "contracts"]
    first = len(items) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [*others[:first], *contracts, *others[first:]]


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(_HERE).parts[0]


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
