"""A disk that is full, and a warehouse that cannot be written: honest answers, nothing lost, and on by itself.

The server runs on a small file system of its own (mounts.py), under the load of clients that try again.
"""

import random
import signal
import time
from collections.abc import Iterator

import grpc
import pytest

import burgee
from burgee.v1 import flags_pb2, profiles_pb2
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.faults.mounts import SmallDisk
from tests.faults.senders import EVENT, Senders
from tests.faults.storage import check_stored
from tests.fixtures.serving import Serving, free_address, wait_for

SECRET = "the-operator-key-of-the-faults"
STEP = 30
"""Batches that are a sign of life."""


class Scene:
    """A server on a small disk, its senders, and what is asked of both."""

    def __init__(self, disk: SmallDisk, **settings: str) -> None:
        self.disk = disk
        self.data = disk.path / "data"
        self._listen = free_address()
        self._settings = {"BURGEE_BOOTSTRAP_KEY": SECRET, **settings}
        self.server = self.start().ready()
        self.senders = Senders(self._listen, SECRET)
        self.senders.start()
        self.go_on()

    def start(self) -> Serving:
        """The server, from now on."""
        self.server = Serving(self.data, listen=self._listen, within=self.disk.within, **self._settings)
        return self.server

    def go_on(self) -> None:
        """Wait until batches are acknowledged again, by the same process."""
        before = self.senders.batches
        wait_for(lambda: self.senders.batches >= before + STEP, 60)
        assert self.server.process.poll() is None

    def refused(self) -> None:
        """Wait until every sender is turned away, again and again, and check how it is told."""
        first = len(self.senders.failures)
        wait_for(lambda: len(self.senders.failures) >= first + 3 * STEP, 60)
        told = self.senders.failures[first:]
        assert {failure.code for failure in told} == {grpc.StatusCode.RESOURCE_EXHAUSTED}, told
        assert all(failure.says_when for failure in told)

    def end(self) -> None:
        """Have everything acknowledged and loaded; then all of it is there, and only once."""
        self.senders.finish()
        with burgee.Client(self._listen, SECRET) as client:
            now = time.time()
            wait_for(lambda: client.trend(EVENT).info.complete_until.timestamp() >= now, 120)
            [row] = client.trend(EVENT, start="2026-01-01", end="2026-04-01", interval="month").rows
            assert sum(row.values) == self.senders.events
        code, errors = self.server.stop()
        assert (code, "are set aside" in errors) == (0, False), errors  # the events were never at fault
        check_stored(self.data, self.senders, self.disk.within)
        print(f"{self.senders.events:,} events, {len(self.senders.failures):,} calls made again")

    def channel(self) -> grpc.Channel:
        """To the server, for other calls."""
        return grpc.insecure_channel(self._listen)


@pytest.fixture
def scene(small_disk: SmallDisk) -> Iterator[Scene]:
    """A server on a small disk, under load."""
    scene = Scene(small_disk, BURGEE_JOURNAL_MAX_MB="5")
    yield scene
    scene.server.close()


def test_a_full_disk_is_said_to_every_caller_and_everything_goes_on_when_there_is_room(scene: Scene) -> None:
    """Events RESOURCE_EXHAUSTED, profiles UNAVAILABLE, both with RetryInfo; flags are answered; without a restart."""
    scene.disk.fill()
    scene.refused()
    with scene.channel() as channel:
        metadata = (("authorization", f"Bearer {SECRET}"),)

        def change_profiles() -> None:
            for number in range(1_000):
                change = profiles_pb2.IdentifyPersonRequest(distinct_id=f"ann-{number}")
                change.change.set["plan"] = "x" * 60_000
                ProfileServiceStub(channel).IdentifyPerson(change, metadata=metadata, timeout=20)

        with pytest.raises(grpc.RpcError) as refused:
            change_profiles()
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "grpc-status-details-bin" in dict(refused.value.trailing_metadata())
        FlagServiceStub(channel).EvaluateAll(flags_pb2.EvaluateAllRequest(), metadata=metadata, timeout=20)
    scene.disk.empty()
    scene.go_on()
    scene.end()


@pytest.mark.parametrize("seconds", [0.0, pytest.param(120.0, marks=pytest.mark.soak)], ids=["short", "long"])
def test_a_warehouse_that_cannot_be_written_fills_the_journal_and_then_everything_goes_on(
    scene: Scene, seconds: float
) -> None:
    """Acknowledged while there is room for it, refused with RetryInfo beyond, and nothing goes to quarantine."""
    before = scene.senders.batches
    scene.disk.make_read_only(scene.data / "events")
    scene.refused()
    assert scene.senders.batches > before
    time.sleep(seconds)  # how long it lasts is the test
    scene.disk.make_writable(scene.data / "events")
    scene.go_on()
    scene.end()


@pytest.mark.soak
def test_a_disk_that_fills_again_and_again_with_kills_in_between_loses_nothing(
    scene: Scene, chance: random.Random
) -> None:
    """To the last byte or with too little left for the warehouse only; killed and started on the full disk, too."""
    for _ in range(20):
        scene.disk.fill(leave=chance.choice((0, 0, chance.randrange(2 << 20))))
        if chance.random() < 0.5:
            scene.server.stop(signal.SIGKILL)
            scene.start().ready()
        time.sleep(chance.uniform(0, 3))  # the moment is the test
        scene.disk.empty()
        scene.go_on()
    scene.end()
