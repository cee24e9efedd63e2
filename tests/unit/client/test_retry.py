"""How long the client waits, and what it reads from a server that asks it to."""

import threading

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from burgee import Client
from burgee.channel import Connection
from burgee.delivery import deliver
from burgee.events import encode_event
from burgee.parcel import pack_events
from burgee.retry import pause
from burgee.status import retry_after, violations
from burgee.target import Target
from burgee.v1 import capture_pb2, capture_pb2_grpc
from tests.unit.client.fakes import Failure, Recorder


def _error(client: Client, server: Recorder, status: bytes) -> grpc.RpcError:
    server.failures.append(Failure(grpc.StatusCode.UNAVAILABLE, status=status))
    with pytest.raises(grpc.RpcError) as caught:
        client.stub(capture_pb2_grpc.CaptureServiceStub).Capture(capture_pb2.CaptureRequest())
    return caught.value


def test_the_pause_that_a_server_asks_for_is_read(client: Client, server: Recorder) -> None:
    """google.rpc.RetryInfo, without the googleapis package."""
    status = status_pb2.Status(code=14, message="later")
    status.details.add().Pack(error_details_pb2.BadRequest())
    status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000)))
    assert retry_after(_error(client, server, status.SerializeToString())) == 2.5
    assert retry_after(_error(client, server, b"")) is None


def test_a_batch_is_sent_again_after_as_long_as_the_server_asks(server: Recorder) -> None:
    """Not sooner, and not at the same moment as everybody else; each time it is told why."""
    status = status_pb2.Status(code=8, message="full")
    status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000)))
    server.failures += [Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", status.SerializeToString())] * 20
    pauses: list[float] = []
    reasons: list[str] = []

    class Clock(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return False

    connection = Connection(Target(server.target, None), "")
    parcel = pack_events([encode_event("seen", "ann", None, {}, None, None)])
    answer = deliver(connection, parcel, Clock(), reasons.append)
    connection.close()
    assert answer == capture_pb2.CaptureResponse(accepted=1)
    assert reasons == ["RESOURCE_EXHAUSTED: full"] * 20
    assert 2.5 <= min(pauses) < max(pauses) <= 2.5 * 1.25
    assert len({batch.batch_id for batch in server.of(capture_pb2.CaptureRequest)}) == 1


@given(status=st.binary())
def test_details_that_are_not_details_are_ignored(status: bytes) -> None:
    """Whatever bytes a proxy puts there, reading them does not raise."""

    class Odd(grpc.RpcError, grpc.Call):  # type: ignore[misc]
        def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
            return (("grpc-status-details-bin", status),)

    Odd.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
    assert retry_after(Odd()) is None or isinstance(retry_after(Odd()), float)
    assert all(len(violation) == 2 for violation in violations(Odd()))


@given(tries=st.integers(1, 10_000), asked=st.floats(0, 1e9))
def test_the_client_waits_at_least_as_long_as_it_was_asked_up_to_a_minute(tries: int, asked: float) -> None:
    """And never longer than 75 seconds, whatever a server asks."""
    seconds = pause(grpc.StatusCode.RESOURCE_EXHAUSTED, tries, asked)
    assert seconds is not None
    assert min(asked, 60.0) <= seconds <= 75.0


@given(tries=st.integers(1, 10_000))
def test_pauses_grow_and_end_at_ten_seconds(tries: int) -> None:
    """Doubling from a tenth of a second, with jitter down to one half."""
    seconds = pause(grpc.StatusCode.UNAVAILABLE, tries, None)
    assert seconds is not None
    whole = min(10.0, 0.1 * 2.0 ** min(tries - 1, 10))
    assert whole / 2 <= seconds <= whole


@pytest.mark.parametrize("code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED])
def test_what_trying_again_cannot_mend_is_not_tried_again(code: grpc.StatusCode) -> None:
    """Even if a server asks for it."""
    assert pause(code, 1, 1.0) is None
