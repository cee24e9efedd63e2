"""A client with a spool: what it keeps when the server or the disk is away, and what the next one makes of it."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import grpc
import pytest

from burgee import Client, Dropped, Stats, keeper, outbox, progress
from burgee.counts import Counts
from burgee.desk import Desk
from burgee.parcel import pack_change
from burgee.profiles import person_change
from burgee.spool import Shelf, segment
from burgee.v1 import capture_pb2
from burgee.v1.profiles_pb2 import IdentifyGroupRequest, IdentifyPersonRequest, IdentifyPersonResponse
from burgee.waiting import Limits
from tests.unit.client.fakes import Failure, Recorder, serving, unused_target
from tests.unit.client.streamed import wait_for

AWAY = Failure(grpc.StatusCode.UNAVAILABLE)


def kept(client: Client) -> bool:
    """Nothing is in memory only."""
    return client.stats.queued == 0


@contextmanager
def away(recorder: Recorder) -> Iterator[None]:
    """A server that takes calls, and says that it cannot."""
    recorder.failures = [AWAY] * 1_000_000
    yield
    recorder.failures = []


def a_client(target: str, spool: Path, **options: Any) -> Client:
    """One that sends and keeps without waiting for company."""
    return Client(target, "the-key", spool=spool, **{"flush_interval": 0.01, **options})


def numbers(server: Recorder, kind: type) -> list[int]:
    """What was set, in the order of the calls."""
    return [int(request.change.set["number"]) for request in server.of(kind)]


def test_what_one_client_cannot_send_the_next_one_sends_as_the_same_batches(server: Recorder, tmp_path: Path) -> None:
    """The same bytes under the same batch_id, so that what had arrived after all is counted once."""
    with away(server):
        first = a_client(server.target, tmp_path)
        for number in range(10):
            first.capture(str(number), "ann", {"n": number})
            wait_for(lambda: kept(first))
        server.wait_for(lambda: len({batch.batch_id for batch in server.of(capture_pb2.CaptureRequest)}) >= 4)
        assert first.close(0) == 0
        assert first.stats == Stats(queued=0, spooled=10, sent=0, retried=first.stats.retried, dropped=0, rejected=0)
    tried = {batch.batch_id: batch for batch in server.batches}
    server.requests.clear()

    second = a_client(server.target, tmp_path)
    assert second.flush()
    sent = {batch.batch_id: batch for batch in server.batches}
    events = [event for batch in sent.values() for event in batch.events]
    assert sorted(int(event.event) for event in events) == list(range(10))
    assert {batch_id: sent.get(batch_id) for batch_id in tried} == tried
    assert second.stats == Stats(queued=0, spooled=0, sent=10, retried=second.stats.retried, dropped=0, rejected=0)
    assert second.close() == 0


def test_nothing_is_left_of_what_was_sent(server: Recorder, tmp_path: Path) -> None:
    """Not for the next client, and not on the disk."""
    with a_client(server.target, tmp_path) as first:
        first.capture("seen", "ann")
        first.identify("ann", {"plan": "pro"})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with a_client(server.target, tmp_path) as second:
        assert second.flush()
    assert len(server.requests) == 2


def test_changes_of_one_profile_arrive_in_order_across_processes(server: Recorder, tmp_path: Path) -> None:
    """What was left goes before what is new, for each person and each group."""
    with away(server):
        for begin in (0, 10):
            client = a_client(server.target, tmp_path)
            for number in range(begin, begin + 10):
                client.identify("ann", {"number": number})
                client.group("company", "acme", {"number": number})
            wait_for(lambda client=client: kept(client))
            assert client.close(0) == 0
    server.requests.clear()
    with a_client(server.target, tmp_path) as last:
        for number in range(20, 30):
            last.identify("ann", {"number": number})
            last.group("company", "acme", {"number": number})
        assert last.flush()
    # What was on its way when a client was closed may be heard of a second time, and gives the same twice in a row.
    for kind in (IdentifyPersonRequest, IdentifyGroupRequest):
        assert [number for number, _ in groupby(numbers(server, kind))] == list(range(30))


def test_the_queue_moves_into_the_spool_while_the_server_is_away(tmp_path: Path, dropped: list[Dropped]) -> None:
    """Ten times what the queue takes is kept, little of it in memory, and all of it arrives when the server is back."""
    target = unused_target()
    client = a_client(target, tmp_path, queue_size=100, on_drop=dropped.append)
    for number in range(1_000):
        client.capture(str(number), "ann")
        if number % 50 == 49:
            wait_for(lambda: kept(client))
    assert client.stats.spooled == 1_000
    with serving(Recorder(), port=int(target.rpartition(":")[2])) as server:
        assert client.flush(30)
        assert sorted(int(event.event) for event in server.events) == list(range(1_000))
    assert client.close() == 0
    assert dropped == []


def test_each_is_in_one_state_at_every_moment(server: Recorder, tmp_path: Path, dropped: list[Dropped]) -> None:
    """Whatever becomes of them: the counters add up to what was put, looked at after every call, and at the end."""
    server.failures = [AWAY, Failure(grpc.StatusCode.INVALID_ARGUMENT), AWAY] * 5
    bad = capture_pb2.RejectedEvent(index=0, field="event", reason="bad")
    server.answer = lambda request: (
        capture_pb2.CaptureResponse(rejected=[bad])
        if isinstance(request, capture_pb2.CaptureRequest)
        else IdentifyPersonResponse()
    )
    client = a_client(server.target, tmp_path, batch_size=7, queue_size=300, flush_interval=0.0, on_drop=dropped.append)
    put = 0
    for number in range(2_000):
        client.capture("" if number % 100 == 99 else "seen", "ann")
        put += 1
        if number % 10 == 0:
            client.identify(f"user-{number % 30}", {"number": number})
            put += 1
        stats = client.stats
        assert stats.queued + stats.spooled + stats.sent + stats.dropped + stats.rejected == put
    client.flush()
    stats = client.stats
    assert (stats.queued, stats.spooled) == (0, 0)
    assert stats.sent + stats.dropped + stats.rejected == put
    assert stats.dropped + stats.rejected == len(dropped)
    assert min(stats.sent, stats.dropped, stats.rejected, stats.retried) > 0
    assert client.close() == 0


def test_a_spool_that_cannot_be_written_costs_nothing_but_the_spool(
    server: Recorder, tmp_path: Path, dropped: list[Dropped], caplog: pytest.LogCaptureFixture
) -> None:
    """Events and changes go from memory, in order, as without one; the log says why."""
    (tmp_path / "file").write_text("")
    with a_client(server.target, tmp_path / "file" / "spool", on_drop=dropped.append) as client:
        for number in range(20):
            client.capture(str(number), "ann")
            client.identify("ann", {"number": number})
        assert client.flush()
    assert sorted(int(event.event) for event in server.events) == list(range(20))
    assert numbers(server, IdentifyPersonRequest) == list(range(20))
    assert dropped == []
    assert "the spool cannot be written" in caplog.text


@pytest.mark.parametrize("read_ahead", [2, 100])
@pytest.mark.parametrize("who", ["this client", "the next one"])
def test_changes_stay_in_order_when_the_disk_comes_and_goes(
    server: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str, read_ahead: int
) -> None:
    """Some are on the disk, some in memory; none overtakes another of its profile, whoever sends them in the end."""
    broken = threading.Event()
    failures: list[int] = []

    def sync(descriptor: int) -> None:
        if broken.is_set():
            failures.append(descriptor)
            raise OSError(errno.EIO, "broken")
        os.fsync(descriptor)

    monkeypatch.setattr(segment, "_sync", sync)
    monkeypatch.setattr(keeper, "_STORE_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_MOST_PARCELS", read_ahead)
    with away(server):
        client = a_client(server.target, tmp_path)
        desk = client._outbox._desk

        def five_more(begin: int) -> None:
            failures.clear()
            for number in range(begin, begin + 5):
                client.identify("ann", {"number": number})

        five_more(0)
        wait_for(lambda: client.stats.spooled == 5)
        broken.set()
        five_more(5)
        # With the first five read, these are sent from memory; else they are held until those are.
        wait_for(lambda: desk._dispatch.unkept_changes == 5 or (len(desk._collected) == 5 and len(failures) > 5))
        broken.clear()
        five_more(10)
        wait_for(lambda: desk._dispatch.unkept_changes == 10 or client.stats.spooled >= 10)
        if who == "the next one":
            assert client.close(0) == 0
            assert client.stats.spooled == 15
            client = a_client(server.target, tmp_path)
        server.requests.clear()
    assert client.flush(30)
    for number in range(15, 20):
        client.identify("ann", {"number": number})
    assert client.flush()
    sent = numbers(server, IdentifyPersonRequest)
    assert sent == sorted(sent)
    assert sorted(set(sent)) == list(range(20))
    assert client.close() == 0


def test_what_is_in_memory_in_the_end_is_written_in_the_order_in_which_it_was_put() -> None:
    """What went to the senders comes before what never did, or the next process would send it after."""
    desk = Desk(Limits(10, 10, 0.0), Counts(), has_keeper=True)
    changes = [pack_change(("user", "ann"), person_change("ann", {"number": number}, None, ())) for number in range(3)]
    for change in changes[:2]:
        desk.put_change(change)
    (first, second) = desk.collect(0).parcels
    desk.hand(first)
    desk.put_change(changes[2])
    desk.stop()
    assert desk.collect(0).parcels == [first, second, changes[2]]


def test_flush_waits_for_what_was_left_even_before_it_is_known_what_that_is(
    server: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that does nothing but flush empties the spool."""
    with away(server), a_client(server.target, tmp_path) as first:
        first.capture("seen", "ann")
        first.close(0)
    server.requests.clear()
    looks = threading.Event()
    look = Shelf.look

    def look_later(shelf: Shelf) -> None:
        looks.wait(30)
        look(shelf)

    monkeypatch.setattr(Shelf, "look", look_later)
    with a_client(server.target, tmp_path) as second:
        assert not second.flush(0.05)
        looks.set()
        assert second.flush()
        assert [event.event for event in server.events] == ["seen"]


def test_what_the_spool_has_no_room_for_waits_in_memory_and_is_dropped_by_close(
    tmp_path: Path, dropped: list[Dropped], caplog: pytest.LogCaptureFixture
) -> None:
    """The bound is on bytes; close says how many are lost, and how many stay."""
    client = a_client(unused_target(), tmp_path, spool_bytes=16 << 20, batch_size=10, on_drop=dropped.append)
    for _ in range(400):
        client.capture("seen", "ann", {"text": "x" * 60_000})
    wait_for(lambda: client.stats.spooled > 250)
    lost = client.close(0.1)
    stats = client.stats
    assert lost == len(dropped) == stats.dropped > 0
    assert stats.spooled + lost == 400
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.events")) <= 16 << 20
    assert f"closed with 400 events and profile changes not sent: {lost} are lost, {stats.spooled} stay" in caplog.text


def test_what_ended_processes_left_is_found_later_too(
    server: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that lives on takes over what another left that was alive when it started."""
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.02)
    with away(server):
        other = a_client(server.target, tmp_path)
        other.capture("left", "ann")
        wait_for(lambda: kept(other))
        client = a_client(server.target, tmp_path)
        client.capture("ours", "ann")
        wait_for(lambda: kept(client))
        assert client.stats.spooled == 1
        other.close(0)
        wait_for(lambda: client.stats.spooled == 2)
    assert client.flush(30)
    assert {event.event for event in server.events} == {"left", "ours"}
    assert client.close() == 0


def test_a_client_with_another_key_does_not_send_what_was_captured_for_this_one(
    server: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be somebody else's environment. But it says that there is something."""
    with away(server):
        first = a_client(server.target, tmp_path)
        first.capture("seen", "ann")
        first.close(0)
    server.requests.clear()
    with Client(server.target, "another-key", spool=tmp_path) as second:
        assert second.flush()
    assert server.requests == []
    assert "bytes wait for a client with another API key" in caplog.text
    with a_client(server.target, tmp_path) as third:
        assert third.flush()
    assert [event.event for event in server.events] == ["seen"]


def test_a_file_that_goes_bad_under_a_client_is_told(
    tmp_path: Path, dropped: list[Dropped], caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be read any more is counted as dropped, told one by one, and holds nothing else up."""
    target = unused_target()
    client = a_client(target, tmp_path, batch_size=1, on_drop=dropped.append)
    for number in range(400):  # more than are read ahead
        client.capture(str(number), "ann")
    wait_for(lambda: kept(client))
    (file,) = tmp_path.rglob("*.events")
    size = file.stat().st_size
    with file.open("r+b") as damaged:
        damaged.seek(size * 9 // 10)
        damaged.write(b"\0" * 8)
    with serving(Recorder(), port=int(target.rpartition(":")[2])) as server:
        assert not client.flush(30)
        assert len(server.events) == client.stats.sent
    stats = client.stats
    assert 300 < stats.sent < 400
    assert stats.sent + stats.dropped == 400
    assert len(dropped) == stats.dropped
    assert "cannot be read" in dropped[0].reason
    assert client.flush()
    assert client.close() == 0


def test_a_disk_that_hangs_holds_up_neither_capture_nor_close(
    server: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropped: list[Dropped]
) -> None:
    """Capture goes on until the queue is full; close ends in time, and says what it could not save."""
    hangs, go_on = threading.Event(), threading.Event()

    def sync(_descriptor: int) -> None:
        hangs.set()
        go_on.wait(30)

    monkeypatch.setattr(segment, "_sync", sync)
    monkeypatch.setattr(outbox, "_LAST_WRITE_SECONDS", 0.1)
    client = a_client(server.target, tmp_path, queue_size=10, on_drop=dropped.append)
    client.capture("seen", "ann")
    assert hangs.wait(10)
    for _ in range(20):
        client.capture("seen", "ann")
    assert {loss.reason for loss in dropped} == {"the queue is full"}
    assert client.close(0.1) == 10
    go_on.set()
    for thread in client._outbox._threads:
        thread.join(30)
    assert client.stats == Stats(queued=0, spooled=0, sent=0, retried=0, dropped=21, rejected=0)
    assert len(dropped) == 21


def test_a_client_that_is_not_used_leaves_the_spool_alone(server: Recorder, tmp_path: Path) -> None:
    """It starts no thread and takes nothing, so that a service may fork first."""
    before = threading.active_count()
    with a_client(server.target, tmp_path / "spool"):
        assert threading.active_count() == before
    assert not (tmp_path / "spool").exists()


def test_a_spool_too_small_for_a_few_batches_is_refused(tmp_path: Path) -> None:
    """It would be full before it is used."""
    with pytest.raises(ValueError, match="spool_bytes"):
        Client(spool=tmp_path, spool_bytes=1_000)
