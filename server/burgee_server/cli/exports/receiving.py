"""Receives an export, and goes on where it broke off while the server was away."""

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import grpc

import burgee
from burgee.status import code_and_message, retry_after
from burgee.v1.capture_pb2 import Event
from burgee.v1.profiles_pb2 import ExportEventsRequest, ExportEventsResponse
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub

FIRST_SECONDS = 10.0
"""How long a server is tried that has not answered yet: it may not be the one that was meant."""
GIVE_UP_SECONDS = 300.0
"""How long the next message is waited for while the server is away."""
RETRY_SECONDS = 0.5

_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


class Receiving:
    """An export, of which the first message has arrived when this is made. Raises grpc.RpcError."""

    def __init__(self, client: burgee.Client, request: ExportEventsRequest) -> None:
        self._stub = client.stub(ProfileServiceStub)
        self._request = ExportEventsRequest()
        self._request.CopyFrom(request)
        self._patience = FIRST_SECONDS
        self._messages = self._receive()
        first = next(self._messages)
        self.estimated_events = first.estimated_events
        self.complete_until: datetime = first.complete_until.ToDatetime(UTC)
        """Everything that was acknowledged before this will be in it."""

    def __iter__(self) -> Iterator[Sequence[Event]]:
        """The events, each once, some at a time. Raises grpc.RpcError where trying again does not help."""
        for message in self._messages:
            if message.events:
                yield message.events

    def _receive(self) -> Iterator[ExportEventsResponse]:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                for message in self._stub.ExportEvents(self._request):
                    self._request.cursor = message.cursor
                    deadline = time.monotonic() + GIVE_UP_SECONDS
                    yield message
            except grpc.RpcError as error:
                if code_and_message(error)[0] not in _AGAIN or time.monotonic() > deadline:
                    raise
                time.sleep((retry_after(error) or RETRY_SECONDS) * random.uniform(1.0, 1.5))  # noqa: S311 - spreads load
            else:
                return
