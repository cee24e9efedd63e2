"""A recording server, and a client of it."""

from collections.abc import Iterator

import pytest

from burgee import Client, Dropped
from tests.unit.client.fakes import Recorder, serving


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
