"""A server over real gRPC that keeps batches as the real one does, and fails when it is told to."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from burgee.v1 import capture_pb2 as pb
from burgee.v1.capture_pb2_grpc import CaptureServiceServicer, add_CaptureServiceServicer_to_server


@dataclass
class Keeper(CaptureServiceServicer):
    """`failures` are used up, one a call; `refuse` says what is wrong with an event."""

    failures: list[grpc.StatusCode] = field(default_factory=list)
    refuse: Callable[[pb.Event], str] = lambda _event: ""
    batches: dict[str, int] = field(default_factory=dict)
    """Accepted events by batch_id."""
    kept: list[pb.Event] = field(default_factory=list)
    """One that came under two batch_ids is here twice."""
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    port: int = 0

    def Capture(self, request: pb.CaptureRequest, context: Any) -> pb.CaptureResponse:  # noqa: N802
        self.sent.append(request.batch_id)
        self._fail(context)
        reasons = [self.refuse(event) for event in request.events]
        response = pb.CaptureResponse(
            rejected=[pb.RejectedEvent(index=i, field="event", reason=r) for i, r in enumerate(reasons) if r]
        )
        if (known := self.batches.get(request.batch_id)) is not None:
            response.duplicate = known
            return response
        good = [event for event, reason in zip(request.events, reasons, strict=True) if not reason]
        if good:
            self.batches[request.batch_id] = response.accepted = len(good)
        self.kept += good
        return response

    def GetBatch(self, request: pb.GetBatchRequest, context: Any) -> pb.GetBatchResponse:  # noqa: N802
        self.asked.append(request.batch_id)
        self._fail(context)
        if request.batch_id not in self.batches:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such batch")
        return pb.GetBatchResponse(events=self.batches[request.batch_id])

    def _fail(self, context: Any) -> None:
        if self.failures:
            context.abort(self.failures.pop(0), "told to fail")


@contextmanager
def keeping(keeper: Keeper) -> Iterator[Keeper]:
    """The keeper, listening on a free port."""
    server = grpc.server(ThreadPoolExecutor(4))
    add_CaptureServiceServicer_to_server(keeper, server)
    keeper.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield keeper
    finally:
        server.stop(None).wait()
