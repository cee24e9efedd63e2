"""An export whose server goes away in the middle."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

import burgee
from burgee.v1 import profiles_pb2 as pb
from burgee.v1.capture_pb2 import Event
from burgee.v1.profiles_pb2_grpc import ProfileServiceServicer, add_ProfileServiceServicer_to_server
from burgee_server.cli.exports import receiving
from burgee_server.cli.exports.receiving import Receiving


class Exporter(ProfileServiceServicer):
    """Streams ten events, each with its number as a cursor, and breaks off after `breaks` messages, once each."""

    def __init__(self, *breaks: tuple[int, grpc.StatusCode]) -> None:
        self.breaks = list(breaks)
        self.requests: list[pb.ExportEventsRequest] = []

    def ExportEvents(self, request: Any, context: Any) -> Iterator[pb.ExportEventsResponse]:  # noqa: N802
        self.requests.append(request)
        messages, code = self.breaks.pop(0) if self.breaks else (100, None)
        begin = int(request.cursor or "0")
        answers = [pb.ExportEventsResponse(cursor=request.cursor, estimated_events=10 - begin)]
        answers += [
            pb.ExportEventsResponse(cursor=str(number), events=[Event(uuid=str(number))])
            for number in range(begin + 1, 11)
        ]
        yield from answers[:messages]
        if code:
            context.abort(code, "told to")


@contextmanager
def exporting(exporter: Exporter) -> Iterator[burgee.Client]:
    """A client of it."""
    server = grpc.server(ThreadPoolExecutor(2))
    add_ProfileServiceServicer_to_server(exporter, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with burgee.Client(f"127.0.0.1:{port}", "") as client:
            yield client
    finally:
        server.stop(None).wait()


def uuids(received: Receiving) -> list[str]:
    """Of what is received."""
    return [event.uuid for some in received for event in some]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(receiving, "RETRY_SECONDS", 0.001)


def test_an_export_goes_on_after_the_last_message_that_arrived():
    """Before the first message, in the middle and at the end; what was asked is asked again."""
    away, full = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED
    exporter = Exporter((0, full), (0, away), (4, away), (1, away), (3, away), (100, away))
    with exporting(exporter) as client:
        received = Receiving(client, pb.ExportEventsRequest(event_names=["e"]))
        assert received.estimated_events == 10
        assert uuids(received) == [str(number) for number in range(1, 11)]
    assert [request.cursor for request in exporter.requests] == ["", "", "", "3", "3", "5", "10"]
    assert all(list(request.event_names) == ["e"] for request in exporter.requests)


def test_an_error_that_does_not_pass_ends_the_export():
    """At once, also in the middle."""
    with exporting(Exporter((3, grpc.StatusCode.UNAUTHENTICATED))) as client:
        received = Receiving(client, pb.ExportEventsRequest())
        with pytest.raises(grpc.RpcError) as caught:
            uuids(received)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_server_that_stays_away_is_given_up(monkeypatch):
    """One that never answered sooner: it may be the wrong address."""
    monkeypatch.setattr(receiving, "FIRST_SECONDS", 0.0)
    exporter = Exporter(*[(0, grpc.StatusCode.UNAVAILABLE)] * 3)
    with exporting(exporter) as client, pytest.raises(grpc.RpcError):
        Receiving(client, pb.ExportEventsRequest())
    assert len(exporter.requests) == 1
