"""A server over real gRPC that writes down what it is sent and answers what it is told to."""

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from burgee.v1 import (
    capture_pb2,
    capture_pb2_grpc,
    features_pb2,
    flags_pb2,
    flags_pb2_grpc,
    funnel_pb2,
    insights_pb2_grpc,
    paths_pb2,
    profiles_pb2,
    profiles_pb2_grpc,
    trend_pb2,
)


@dataclass(frozen=True)
class Failure:
    """How a call is to fail: a code, words, and the google.rpc.Status that goes with it, serialized."""

    code: grpc.StatusCode
    message: str = "told to fail"
    status: bytes = b""


@dataclass
class Recorder(
    capture_pb2_grpc.CaptureServiceServicer,
    profiles_pb2_grpc.ProfileServiceServicer,
    flags_pb2_grpc.FlagServiceServicer,
    insights_pb2_grpc.InsightServiceServicer,
):
    """`failures` are used up, one a call; then `answer` makes the response, or the default of the call's type."""

    failures: list[Failure] = field(default_factory=list)
    answer: Callable[[Any], Any] | None = None
    requests: list[Any] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    remaining: list[float] = field(default_factory=list)
    contexts: list[grpc.ServicerContext] = field(default_factory=list)
    watch: Callable[[Any], Iterator[Any]] | None = None
    hold: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def __post_init__(self) -> None:
        """Hold nobody up, unless told to."""
        self.hold.set()

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def of(self, kind: type) -> list[Any]:
        """The requests of one type, in the order in which they came."""
        return [request for request in self.requests if isinstance(request, kind)]

    @property
    def batches(self) -> list[capture_pb2.CaptureRequest]:
        """Every batch, but for when it was sent: that differs from try to try."""
        found = []
        for request in self.of(capture_pb2.CaptureRequest):
            batch = capture_pb2.CaptureRequest()
            batch.CopyFrom(request)
            batch.ClearField("sent_at_micros")
            found.append(batch)
        return found

    @property
    def events(self) -> list[capture_pb2.Event]:
        """Every event of every batch."""
        return [event for batch in self.of(capture_pb2.CaptureRequest) for event in batch.events]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds after a request; fail after ten seconds."""
        with self.came:
            assert self.came.wait_for(condition, 10)

    def _respond(self, request: Any, context: grpc.ServicerContext, default: Callable[[], Any]) -> Any:
        if not context.is_active():  # gRPC begins calls that were given up, too; Burgee's server ends them at once
            return default()
        with self.came:
            self.requests.append(request)
            self.metadata.append(dict(context.invocation_metadata()))
            self.remaining.append(context.time_remaining())
            self.contexts.append(context)
            self.came.notify_all()
        self.hold.wait(30)
        with self.came:
            failure = self.failures.pop(0) if self.failures else None
        if failure:
            if failure.status:
                context.set_trailing_metadata((("grpc-status-details-bin", failure.status),))
            context.abort(failure.code, failure.message)
        return self.answer(request) if self.answer else default()

    def Capture(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, lambda: capture_pb2.CaptureResponse(accepted=len(request.events)))

    def IdentifyPerson(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, profiles_pb2.IdentifyPersonResponse)

    def IdentifyGroup(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, profiles_pb2.IdentifyGroupResponse)

    def Evaluate(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, flags_pb2.EvaluateResponse)

    def EvaluateAll(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, flags_pb2.EvaluateAllResponse)

    def Watch(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        if self.watch is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "streams nothing")
        with self.came:
            self.requests.append(request)
            self.came.notify_all()
        return self.watch(request)

    def Explain(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, flags_pb2.ExplainResponse)

    def QueryTrend(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, trend_pb2.QueryTrendResponse)

    def QueryFeatureUsage(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, features_pb2.QueryFeatureUsageResponse)

    def QueryPaths(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, paths_pb2.QueryPathsResponse)

    def QueryFunnel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._respond(request, context, funnel_pb2.QueryFunnelResponse)


class Feed:
    """What a server streams, to be put in place of Recorder.watch: `begin` to each stream, then what is sent."""

    def __init__(self, *begin: flags_pb2.WatchResponse) -> None:
        self.begin = begin
        self._streams: list[queue.Queue[Any]] = []

    def __call__(self, _request: Any) -> Iterator[Any]:
        stream: queue.Queue[Any] = queue.Queue()
        self._streams.append(stream)
        yield from self.begin
        yield from iter(stream.get, None)

    def send(self, message: flags_pb2.WatchResponse) -> None:
        """To everybody who listens."""
        for stream in self._streams:
            stream.put(message)

    def end(self) -> None:
        """End all streams."""
        for stream in self._streams:
            stream.put(None)
        self._streams.clear()


@contextmanager
def serving(recorder: Recorder, port: int = 0) -> Iterator[Recorder]:
    """The recorder, listening on a free port, or on this one."""
    server = grpc.server(ThreadPoolExecutor(64))  # a stream takes one for as long as it lasts
    capture_pb2_grpc.add_CaptureServiceServicer_to_server(recorder, server)
    profiles_pb2_grpc.add_ProfileServiceServicer_to_server(recorder, server)
    flags_pb2_grpc.add_FlagServiceServicer_to_server(recorder, server)
    insights_pb2_grpc.add_InsightServiceServicer_to_server(recorder, server)
    recorder.port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield recorder
    finally:
        recorder.hold.set()
        if isinstance(recorder.watch, Feed):
            recorder.watch.end()
        server.stop(None).wait()


def unused_target() -> str:
    """Where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
