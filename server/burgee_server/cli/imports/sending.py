"""Sends requests with several on their way at once, again where that can help, and counts what became of them."""

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc

import burgee
from burgee.status import code_and_message, retry_after
from burgee.v1.capture_pb2 import CaptureRequest, CaptureResponse, GetBatchRequest
from burgee.v1.capture_pb2_grpc import CaptureServiceStub
from burgee_server.cli.imports.batches import Batch, Rejected, requests_of
from burgee_server.cli.imports.records import Fault, Record

IN_FLIGHT = 3
CALL_SECONDS = 60.0
FIRST_SECONDS = 10.0
"""How long a server is tried that has not answered yet: it may not be the one that was meant."""
GIVE_UP_SECONDS = 300.0
"""How long a call is tried again while the server is away or full."""
RETRY_SECONDS = 0.5

_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _UnderWay:
    request: CaptureRequest
    records: Sequence[Record]
    call: "grpc.Future[CaptureResponse]"


class Sender:
    """Counts `accepted` and `duplicate` events, and hands records that the server did not take to `reject`."""

    def __init__(self, client: burgee.Client, reject: Callable[[Rejected], None]) -> None:
        self._stub = client.stub(CaptureServiceStub)
        self._reject = reject
        self._under_way: deque[_UnderWay] = deque()
        self._patience = FIRST_SECONDS
        self.accepted = 0
        self.duplicate = 0

    def known(self, batch_id: str) -> int | None:
        """How many events the server has of a batch; None if it does not know the batch. Raises grpc.RpcError."""
        request = GetBatchRequest(batch_id=batch_id)
        try:
            return self._result(lambda: self._stub.GetBatch.future(request, timeout=CALL_SECONDS)).events
        except grpc.RpcError as error:
            if code_and_message(error)[0] is grpc.StatusCode.NOT_FOUND:
                return None
            raise

    def send(self, batch: Batch) -> None:
        """Send what is in a batch; waits only for what was sent before. Raises grpc.RpcError."""
        for request, records in requests_of(batch):
            self._under_way.append(_UnderWay(request, records, self._begin(request)))
            if len(self._under_way) >= IN_FLIGHT:
                self._settle()

    def finish(self) -> None:
        """Wait for everything sent. Raises grpc.RpcError."""
        while self._under_way:
            self._settle()

    def _begin(self, request: CaptureRequest) -> "grpc.Future[CaptureResponse]":
        return self._stub.Capture.future(request, timeout=CALL_SECONDS)

    def _settle(self) -> None:
        sent = self._under_way.popleft()
        response = self._result(lambda: self._begin(sent.request), sent.call)
        for bad in response.rejected:
            record = sent.records[bad.index]
            self._reject(Rejected(record, Fault(record.number, bad.field, bad.reason)))
        good = len(sent.records) - len(response.rejected)
        if response.duplicate and response.duplicate < good:
            self._send_again(sent.request, good, response.duplicate)
        else:
            self.accepted += response.accepted
            self.duplicate += response.duplicate

    def _send_again(self, request: CaptureRequest, good: int, there: int) -> None:
        """Send a batch under another id: the server took less of it, some time ago, than it would take now."""
        again = CaptureRequest(events=request.events, batch_id=f"{request.batch_id}:{good}")
        is_new = not self._result(lambda: self._begin(again)).duplicate
        self.accepted += good - there if is_new else 0
        self.duplicate += there if is_new else good

    def _result(self, begin: "Callable[[], grpc.Future[T]]", under_way: "grpc.Future[T] | None" = None) -> T:
        """What a call gives, that is under way or not begun; begun again where that can help. Raises grpc.RpcError."""
        deadline = time.monotonic() + self._patience
        call = under_way or begin()
        while True:
            try:
                response = call.result()
            except grpc.RpcError as error:
                code = code_and_message(error)[0]
                if code is not grpc.StatusCode.UNAVAILABLE:
                    self._patience = GIVE_UP_SECONDS  # somebody answered
                if code not in _AGAIN or time.monotonic() > deadline:
                    raise
                time.sleep((retry_after(error) or RETRY_SECONDS) * random.uniform(1.0, 1.5))  # noqa: S311 - spreads load
                call = begin()
            else:
                self._patience = GIVE_UP_SECONDS
                return response
