"""What becomes of an event between capture and the server's acknowledgement."""

import threading
import time
import uuid
from typing import Any

import grpc
import pytest

from burgee import Client, Dropped
from burgee.counts import Counts
from burgee.desk import Desk
from burgee.events import encode_event
from burgee.losses import Losses
from burgee.outbox import Limits, Outbox
from burgee.parcel import Kind, pack_change
from burgee.profiles import person_change
from burgee.v1 import capture_pb2
from tests.unit.client.fakes import Failure, Recorder, serving, unused_target


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL]
)
def test_a_batch_sent_again_is_the_same_batch(client: Client, server: Recorder, code: grpc.StatusCode) -> None:
    """The same events under the same batch_id, so that the server can count them once; but for when it is sent."""
    before = time.time_ns() // 1000
    server.failures += [Failure(code), Failure(code)]
    client.capture("seen", "ann")
    assert client.flush()
    tries = server.of(capture_pb2.CaptureRequest)
    sent_at = [request.sent_at_micros for request in tries]
    assert before < sent_at[0] < sent_at[1] < sent_at[2] <= time.time_ns() // 1000
    for request in tries:
        request.ClearField("sent_at_micros")
    first, second, third = tries
    assert first.batch_id
    assert first == second == third
    assert (client.stats.sent, client.stats.retried) == (1, 2)


def test_two_batches_have_two_ids(client: Client, server: Recorder) -> None:
    """Otherwise the server would take the second for the first."""
    for _ in range(2):
        client.capture("seen", "ann")
        assert client.flush()
    first, second = server.of(capture_pb2.CaptureRequest)
    assert first.batch_id != second.batch_id


def test_a_refused_batch_is_dropped_and_told(client: Client, server: Recorder, dropped: list[Dropped]) -> None:
    """An error that will not go away is not retried; flush says that not everything got there, once."""
    server.failures.append(Failure(grpc.StatusCode.UNAUTHENTICATED, "no such key"))
    client.capture("seen", "ann", uuid=uuid.UUID(int=1))
    assert not client.flush()
    assert dropped == [Dropped("event", "seen", "UNAUTHENTICATED: no such key", str(uuid.UUID(int=1)))]
    assert (client.stats.dropped, client.stats.retried, client.stats.sent) == (1, 0, 0)
    assert client.flush()


def test_a_fault_of_the_server_does_not_hold_the_queue_up_for_ever(client: Client, server: Recorder) -> None:
    """INTERNAL is tried five times, then the batch is given up and the next one goes."""
    server.failures += [Failure(grpc.StatusCode.INTERNAL)] * 5
    client.capture("poison", "ann")
    assert not client.flush()
    client.capture("seen", "ann")
    assert client.flush()
    assert (client.stats.sent, client.stats.dropped) == (1, 1)


def test_an_event_that_the_server_rejects_is_told_and_the_others_are_sent(
    client: Client, server: Recorder, dropped: list[Dropped]
) -> None:
    """Rejections are by index; on_drop gets the event that was meant."""
    server.answer = lambda request: capture_pb2.CaptureResponse(
        accepted=len(request.events) - 1,
        rejected=[
            capture_pb2.RejectedEvent(index=index, field="groups[company]", reason="too long")
            for index, event in enumerate(request.events)
            if event.event == "bad"
        ],
    )
    server.hold.clear()
    for name in ("good", "bad", "good"):
        client.capture(name, "ann")
    server.hold.set()
    assert not client.flush()
    assert [(loss.name, loss.reason) for loss in dropped] == [("bad", "groups[company]: too long")]
    assert (client.stats.sent, client.stats.rejected, client.stats.dropped) == (2, 1, 0)


def test_a_full_queue_drops_what_comes_and_keeps_what_it_has(server: Recorder, dropped: list[Dropped]) -> None:
    """The queue never holds more than queue_size; the oldest are the ones that are kept."""
    server.hold.clear()
    client = Client(server.target, queue_size=5, on_drop=dropped.append)
    for number in range(8):
        client.capture(f"event-{number}", "ann")
    assert [loss.name for loss in dropped] == ["event-5", "event-6", "event-7"]
    assert {loss.reason for loss in dropped} == {"the queue is full"}
    assert client.stats.queued == 5
    server.hold.set()
    assert not client.flush()
    assert [event.event for event in server.events] == [f"event-{number}" for number in range(5)]
    assert client.close() == 0


def test_no_batch_has_more_events_than_batch_size(server: Recorder) -> None:
    """A backlog goes out in batches of at most batch_size, and all of it goes out."""
    with Client(server.target, batch_size=100, flush_interval=60) as client:
        for number in range(950):
            client.capture(str(number), "ann")
        assert client.flush()
    batches = server.of(capture_pb2.CaptureRequest)
    assert max(len(batch.events) for batch in batches) <= 100
    assert sorted(int(event.event) for event in server.events) == list(range(950))


def test_no_batch_is_too_large_for_the_server(server: Recorder) -> None:
    """Large events make batches of about a megabyte, however few events that is."""
    with Client(server.target, flush_interval=60) as client:
        for number in range(50):
            client.capture(str(number), "ann", {"text": "x" * 60_000})
        assert client.flush()
    assert max(batch.ByteSize() for batch in server.of(capture_pb2.CaptureRequest)) < 1_200_000
    assert len(server.events) == 50


def test_events_captured_while_the_server_is_away_arrive_when_it_is_back() -> None:
    """An outage delays events; it does not lose them while the queue has room."""
    target = unused_target()
    with Client(target) as client:
        client.capture("seen", "ann")
        assert not client.flush(0.2)
        assert client.stats.queued == 1
        with serving(Recorder(), port=int(target.rpartition(":")[2])) as server:
            assert client.flush(30)
            assert [event.event for event in server.events] == ["seen"]


def test_close_tells_how_many_were_not_acknowledged(dropped: list[Dropped]) -> None:
    """Each of them is told to on_drop as well, and nothing is counted twice."""
    client = Client(unused_target(), on_drop=dropped.append)
    client.capture("seen", "ann")
    client.capture("seen", "bob")
    client.identify("ann", {"plan": "pro"})
    assert client.close(0.2) == 3
    assert sorted(loss.kind for loss in dropped) == ["event", "event", "person"]
    assert (client.stats.queued, client.stats.dropped, client.stats.sent) == (0, 3, 0)
    assert client.close() == 0


def test_close_sends_what_waits(server: Recorder) -> None:
    """Leaving the context manager is enough; the interval need not pass."""
    with Client(server.target, flush_interval=3_600) as client:
        client.capture("seen", "ann")
    assert len(server.events) == 1
    assert client.stats.sent == 1


def test_a_closed_client_takes_nothing_and_does_not_raise(server: Recorder, dropped: list[Dropped]) -> None:
    """A service that shuts down may still capture; it is told that it was too late."""
    client = Client(server.target, on_drop=dropped.append)
    assert client.close() == 0
    client.capture("late", "ann")
    client.identify("ann", {"plan": "pro"})
    assert [(loss.name, loss.reason) for loss in dropped] == [
        ("late", "the client is closed"),
        ("ann", "the client is closed"),
    ]
    assert client.is_enabled("new-reports", "ann", default=True)


def test_an_on_drop_that_raises_changes_nothing(server: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """The caller's mistake is logged, and not for each of many losses; capture does not raise and delivery goes on."""

    def broken(loss: Dropped) -> None:
        raise RuntimeError("broken callback")

    with Client(server.target, on_drop=broken) as client:
        for _ in range(100):
            client.capture("", "ann")
        client.capture("seen", "ann")
    assert [event.event for event in server.events] == ["seen"]
    assert "broken callback" in caplog.text
    assert sum("on_drop raised" in record.message for record in caplog.records) < 10


def test_an_answer_that_comes_after_close_gave_up_changes_nothing() -> None:
    """The event was told to be lost; it is not counted as sent as well."""

    class Slow:
        asked, answer = threading.Event(), threading.Event()

        def stub(self, kind: object) -> "Slow":
            return self

        @property
        def of(self) -> dict[Kind, Any]:
            return {Kind.EVENTS: self.call}

        def call(self, request: bytes, timeout: float) -> capture_pb2.CaptureResponse:
            self.asked.set()
            self.answer.wait(30)
            return capture_pb2.CaptureResponse(accepted=1)

    connection: Any = Slow()
    losses = Losses(None)
    outbox = Outbox(connection, losses, Limits(10, 1, 0.0))
    outbox.put_event(encode_event("seen", "ann", None, {}, None, None))
    assert connection.asked.wait(30)
    assert outbox.close(0) == 1
    connection.answer.set()
    for thread in outbox._threads:
        thread.join(30)
    stats = losses.counts.stats
    assert (stats.queued, stats.sent, stats.dropped) == (0, 0, 1)


def test_what_a_server_rejects_beyond_the_batch_is_ignored(client: Client, server: Recorder) -> None:
    """A server that answers nonsense does not stop delivery."""
    server.answer = lambda request: capture_pb2.CaptureResponse(
        rejected=[capture_pb2.RejectedEvent(index=99, field="event", reason="nonsense")]
    )
    client.capture("seen", "ann")
    assert client.flush()
    client.capture("seen", "ann")
    assert client.flush()
    assert client.stats.sent == 2


def test_events_do_not_wait_for_a_profile_change_that_hangs(client: Client, server: Recorder) -> None:
    """While a change is on its way, another thread sends the events."""
    server.hold.clear()
    client.capture("seen", "ann")
    client.identify("ann", {"plan": "pro"})
    server.wait_for(lambda: len(server.requests) == 2)
    server.hold.set()
    assert client.flush()


def test_a_thread_that_takes_work_wakes_another_for_what_is_left() -> None:
    """It may have been the one that watched the clock for the events; without a word to another they would be stuck."""
    desk = Desk(Limits(10, 10, 3_600.0), Counts(), has_keeper=False)
    desk.put_event(encode_event("seen", "ann", None, {}, None, None))
    desk.put_change(pack_change(("user", "ann"), person_change("ann", {"plan": "pro"}, None, ())))
    waiting, woken = threading.Event(), threading.Event()

    def watch() -> None:
        with desk._to_send:
            waiting.set()
            if desk._to_send.wait(30):
                woken.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert waiting.wait(30)
    desk.take()
    assert woken.wait(5)
    watcher.join()


def test_threads_that_could_not_start_are_started_with_the_next_event(
    server: Recorder, dropped: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has too many for a moment loses what it captures in that moment, is told, and goes on."""
    start = threading.Thread.start
    tried: list[threading.Thread] = []

    def start_if_possible(thread: threading.Thread) -> None:
        tried.append(thread)
        if len(tried) == 3:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_if_possible)
    with Client(server.target, on_drop=dropped.append) as client:
        client.capture("lost", "ann")
        client.capture("seen", "ann")
        assert not client.flush()
        assert len(client._outbox._threads) == 4
    assert [(loss.name, loss.reason) for loss in dropped] == [("lost", "RuntimeError: can't start new thread")]
    assert [event.event for event in server.events] == ["seen"]


def test_a_finalizer_may_capture(client: Client, server: Recorder) -> None:
    """The garbage collector may run one inside capture, in the same thread: that must not be a deadlock."""
    with client._outbox._desk._lock:
        client.capture("seen", "ann")
    assert client.flush()
    assert len(server.events) == 1
