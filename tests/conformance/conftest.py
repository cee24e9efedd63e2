"""The time of a case, for whoever evaluates it."""

from dataclasses import dataclass

import pytest

import burgee.flags
from burgee_server.storage.clock import SystemClock


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
