"""An insert into the warehouse that ends, or fails, at any of its steps: made again, it leaves every event there once.

The long form has strace kill the process, or fail the call, at each system call that makes, syncs or names a file of
the insert. The short form makes what two of those steps leave.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.loading import FACTS, SEEN
from tests.faults.storage import ROOT, ask
from tests.fixtures.nursery import Python
from tests.fixtures.serving import wait_for

STEPS = ("mkdir", "fdatasync", "rename")
ERRORS = ("ENOSPC", "EIO", "EROFS")
strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed: nothing to cut it short with"
)


class Loading:
    """A process that loads (loading.py); killed at the end, if it still runs."""

    def __init__(self, data: Path) -> None:
        self.process = Python(
            *("-m", "tests.faults.loading", str(data)),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def __enter__(self) -> "Loading":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def tell(self, word: str) -> str:
        """What it answers; nothing if it ended."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def check_once(data: Path) -> None:
    """Every event lies there once, and everybody was seen."""
    [[rows, different]], [[seen]] = ask(
        data,
        "SELECT count(), uniqExact(uuid) FROM events",
        "SELECT count() FROM activity FINAL",
    )
    assert (rows, different, seen) == (len(FACTS), len(FACTS), SEEN)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty warehouse, to be copied."""
    data = tmp_path_factory.mktemp("fresh")
    with Loading(data):
        return data


@pytest.fixture
def data(fresh: Path, tmp_path: Path) -> Path:
    """An empty warehouse."""
    return Path(shutil.copytree(fresh, tmp_path / "data", symlinks=True))


def parts(data: Path, prefix: str) -> list[Path]:
    """What an insert has left of a table: a directory for each month of `events`, one for `activity`."""
    return sorted(data.glob(f"events/store/*/*/{prefix}*"))


@pytest.mark.parametrize("lost", [("2026",), ("202602", "all_")], ids=["before any part", "before the last parts"])
def test_an_insert_whose_process_ended_is_made_good(data: Path, lost: tuple[str, ...]) -> None:
    """Parts that had not got their name are gone, and whatever the warehouse noted about the insert is still there."""
    with Loading(data) as loading:
        assert loading.tell("load") == "loaded"
    gone = [part for prefix in lost for part in parts(data, prefix)]
    assert gone
    for part in gone:
        shutil.rmtree(part)

    with Loading(data) as loading:
        assert loading.tell("again") == "loaded"

    check_once(data)


@pytest.mark.parametrize("left", ["", 'syntax = "proto3";\nmessage Sto'], ids=["nothing of it", "a part of it"])
def test_a_schema_of_the_format_that_a_full_disk_has_cut_off_is_not_the_fault_of_the_events(
    data: Path, left: str
) -> None:
    """Trouble that passes: the next try makes the file anew."""
    with Loading(data) as loading:
        assert loading.tell("load") == "loaded"
    [schema] = (data / "__cache__").iterdir()
    schema.write_text(left)

    with Loading(data) as loading:
        assert loading.tell("again").startswith("Unavailable")
        assert loading.tell("again") == "loaded"

    check_once(data)


@pytest.fixture
def interfere(tmp_path: Path) -> Iterator[object]:
    """Has strace do something at the n-th such call of a thread of a process, from the moment that this returns."""
    tracers = []

    def begin(loading: Loading, call: str, number: int, what: str) -> None:
        command = f"strace -f -qq -o {tmp_path}/trace -p {loading.process.pid} -e trace={call} -e inject={call}:"
        tracer = subprocess.Popen(f"{command}{what}:when={number}".split())
        tracers.append(tracer)
        wait_for(lambda: tracer.poll() is not None or is_traced(loading.process.pid))
        if tracer.poll() is not None:
            pytest.skip("strace may not attach here")

    yield begin
    for tracer in tracers:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()


def is_traced(process: int) -> bool:
    """Whether every thread of a process has somebody attached."""
    states = [task.read_text() for task in Path(f"/proc/{process}/task").glob("*/status")]
    return all("TracerPid:\t0\n" not in state for state in states)


@strace
@pytest.mark.soak
@pytest.mark.parametrize("call", STEPS)
def test_a_process_that_is_killed_at_any_step_of_an_insert_leaves_nothing_that_cannot_be_made_good(
    fresh: Path, tmp_path: Path, call: str, interfere: object
) -> None:
    """The first such call of the insert, the second, and so on until the insert gets through."""
    for number in range(1, 1_000):
        data = Path(shutil.copytree(fresh, tmp_path / "data", symlinks=True))
        with Loading(data) as loading:
            interfere(loading, call, number, "signal=KILL")
            survived = loading.tell("load") == "loaded"
        with Loading(data) as loading:
            assert loading.tell("again") == "loaded", f"killed at {call} {number}"
        check_once(data)
        shutil.rmtree(data)
        if survived:
            break
    print(f"killed at {number - 1} calls of {call}")
    assert number > 1


@strace
@pytest.mark.soak
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", STEPS)
def test_a_step_of_an_insert_that_fails_is_trouble_that_passes_and_never_the_fault_of_the_events(
    fresh: Path, tmp_path: Path, call: str, error: str, interfere: object
) -> None:
    """The loader is told to try again, and does so in the same process; nothing would go to quarantine."""
    for number in range(1, 1_000):
        data = Path(shutil.copytree(fresh, tmp_path / "data", symlinks=True))
        with Loading(data) as loading:
            interfere(loading, call, number, f"error={error}")
            answer = loading.tell("load")
            assert answer == "loaded" or not answer.startswith("Refused"), answer
            while (again := loading.tell("again")) != "loaded":
                assert not again.startswith("Refused"), again
        check_once(data)
        shutil.rmtree(data)
        if answer == "loaded":
            break
    print(f"{error} at {number - 1} calls of {call}")
