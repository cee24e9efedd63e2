"""What the tests of cases share: the time of a case, and a test of many."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

import burgee.flags
from burgee_server.storage.clock import SystemClock
from tests.conformance.cases import Case


@dataclass
class Now:
    """The time, for whoever evaluates."""

    seconds: float = 0.0


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    """Both evaluate at this time."""
    now = Now()
    monkeypatch.setattr(burgee.flags, "time", lambda: now.seconds)
    monkeypatch.setattr(SystemClock, "unix_seconds", lambda _clock: now.seconds)
    return now


@pytest.fixture
def each(subtests: pytest.Subtests) -> Callable[[Iterable[Case], Callable[[Case], None]], None]:
    """Checks each of these cases, whatever becomes of those before it. One that fails does so by its name.

    A test for each would take five times the processor time: there are some thousand of them.
    """

    def check_each(cases: Iterable[Case], check: Callable[[Case], None]) -> None:
        for case in cases:
            try:
                check(case)
            except Exception:
                with subtests.test(case.name):
                    raise

    return check_each
