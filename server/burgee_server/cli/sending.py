"""Sends batches with several on their way at once, again where that can help, and counts what became of them."""

import random
import time
from collections import deque

import grpc

import burgee
from burgee.status import code_and_message, retry_after
from burgee.v1 import capture_pb2, capture_pb2_grpc
from burgee_server.cli.lines import Fault, LineBatch

IN_FLIGHT = 3
CALL_SECONDS = 60.0
GIVE_UP_SECONDS = 60.0
"""How long a batch is tried again while the server is away or full."""

_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED)


class Sender:
    """Counts `accepted` and `duplicate` events, and `faults` by line."""

    def __init__(self, client: burgee.Client) -> None:
        self._capture = client.stub(capture_pb2_grpc.CaptureServiceStub).Capture
        self._under_way: deque[tuple[LineBatch, grpc.Future[capture_pb2.CaptureResponse]]] = deque()
        self._began = time.monotonic()
        self.accepted = 0
        self.duplicate = 0
        self.faults: list[Fault] = []

    def send(self, batch: LineBatch) -> None:
        """Send a batch; waits only for an earlier one. Raises grpc.RpcError where trying again does not help."""
        self.faults.extend(batch.faults)
        if not batch.lines:
            return
        self._under_way.append((batch, self._capture.future(batch.request, timeout=CALL_SECONDS)))
        if len(self._under_way) >= IN_FLIGHT:
            self._settle()

    def finish(self) -> None:
        """Wait for everything sent. Raises grpc.RpcError."""
        while self._under_way:
            self._settle()

    def rate(self) -> str:
        """Events a second so far, in words."""
        return f"{(self.accepted + self.duplicate) / max(time.monotonic() - self._began, 1e-3):,.0f} events/s"

    def _settle(self) -> None:
        batch, call = self._under_way.popleft()
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                response = call.result()
                break
            except grpc.RpcError as error:
                if code_and_message(error)[0] not in _AGAIN or time.monotonic() > deadline:
                    raise
                time.sleep((retry_after(error) or 0.5) * random.uniform(1.0, 1.5))  # noqa: S311 - spreads load
                call = self._capture.future(batch.request, timeout=CALL_SECONDS)
        self.accepted += response.accepted
        self.duplicate += response.duplicate
        self.faults.extend(Fault(batch.lines[bad.index], bad.field, bad.reason) for bad in response.rejected)
