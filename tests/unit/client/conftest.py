"""A recording server, and a client of it."""

from collections.abc import Iterator

import pytest

import burgee.stream
from burgee import Client, Dropped
from tests.unit.client.fakes import Feed, Recorder, serving
from tests.unit.client.streamed import flag, snapshot


@pytest.fixture
def server() -> Iterator[Recorder]:
    """Answers everything; tests tell it to fail."""
    with serving(Recorder()) as recorder:
        yield recorder


@pytest.fixture
def dropped() -> list[Dropped]:
    """What the client's on_drop was told."""
    return []


@pytest.fixture
def client(server: Recorder, dropped: list[Dropped]) -> Iterator[Client]:
    """Talks to the recording server; sends without waiting for company, and nothing that a test did not ask for."""
    client = Client(
        server.target, "the-key", flush_interval=0.01, on_drop=dropped.append, flag_timeout=5.0, exposures=False
    )
    yield client
    client.close(0)


@pytest.fixture
def feed(server: Recorder) -> Feed:
    """What the server streams: a flag for acme, which is on the plan pro."""
    server.watch = Feed(snapshot("e.1", flag(), acme="pro"))
    return server.watch


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burgee.stream, "backoff", lambda _tries: 0.01)
