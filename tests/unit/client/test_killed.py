"""kill -9 of processes that share a spool, at random moments: what was safe arrives, and as one batch only."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from burgee import Client
from burgee.v1 import capture_pb2
from tests.fixtures.spooling import kill_at_random
from tests.unit.client.fakes import Failure, Recorder, serving


@contextmanager
def moody(server: Recorder, chance: random.Random) -> Iterator[None]:
    """A server that takes every batch, and whose answers are lost as often as not, for a while all of them."""
    over = threading.Event()

    def change_moods() -> None:
        while not over.wait(chance.uniform(0.05, 0.5)):
            lost = chance.choice([1, 3, 1_000_000])
            server.failures = [Failure(grpc.StatusCode.UNAVAILABLE)] * lost

    moods = threading.Thread(target=change_moods)
    moods.start()
    try:
        yield
    finally:
        over.set()
        moods.join()
        server.failures = []


@pytest.mark.parametrize("kills", [4, pytest.param(200, marks=pytest.mark.soak)])
def test_what_was_safe_when_its_process_was_killed_arrives_in_one_batch(tmp_path: Path, kills: int) -> None:
    """Safe is what `stats` does not count as queued. A batch that comes again, from whom ever, is the same batch."""
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    with serving(Recorder()) as server:
        with moody(server, chance):
            safe = kill_at_random(server.target, "the-key", tmp_path, range(kills), chance)
        with Client(server.target, "the-key", spool=tmp_path) as last:
            assert last.flush(60), (seed, last.stats)
        assert len(safe) >= kills
        batches: dict[str, capture_pb2.CaptureRequest] = {}
        for batch in server.batches:
            assert batches.setdefault(batch.batch_id, batch) == batch, seed
        assert len(server.of(capture_pb2.CaptureRequest)) > len(batches)
        arrived = [event.uuid for batch in batches.values() for event in batch.events]
        assert len(arrived) == len(set(arrived)), seed
        assert safe <= set(arrived), (seed, len(safe - set(arrived)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
