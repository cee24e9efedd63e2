"""Clients that send batches, each again and again until it is acknowledged, and remember what was."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import NAMESPACE_OID, uuid5

import grpc

import burgee
from burgee.v1 import capture_pb2
from burgee.v1.capture_pb2_grpc import CaptureServiceStub

EVENT = "sent"
SIZE = 40
NOTE = "x" * 900
"""In each event of every other batch: which is large enough for the companion then, and has another way in."""
MONTHS = (1_767_225_600, 1_769_904_000, 1_772_323_200)
"""The first of three months of 2026, in Unix seconds: one insert makes three parts, and can be cut short in between."""

PAUSE_SECONDS = 0.05
CALL_SECONDS = 20.0
WORTH_ANOTHER_TRY = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}

Kind = Literal["batch_id", "batch_id and uuid", "uuid"]
KINDS: Sequence[Kind] = ("batch_id", "batch_id and uuid", "uuid")
"""By what the server can know that a batch is sent again. Events without a uuid are told apart by nothing else."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed: its status, what it said, and whether it said when to come back."""

    code: grpc.StatusCode
    message: str
    says_when: bool


class Senders:
    """One thread for each kind, on its own channel, with a rest between batches. Sender n is the person `sender-n`, or
    `name-n`."""

    def __init__(self, target: str, key: str, rest_seconds: float = 0.0, name: str = "sender") -> None:
        self._rest_seconds = rest_seconds
        self._target = target
        self._metadata = (("authorization", f"Bearer {key}"),)
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(kind, f"{name}-{number}"), name=f"{name}-{number}", daemon=True)
            for number, kind in enumerate(KINDS)
        ]
        self.acknowledged: dict[str, int] = {}
        """How many batches of each sender: numbers 0 to that, without it."""
        self.failures: list[Failure] = []
        self.surprises: list[str] = []
        """What should not have been answered. The sender stops at once."""

    @property
    def batches(self) -> int:
        """How many batches are acknowledged."""
        return sum(self.acknowledged.values())

    @property
    def events(self) -> int:
        """How many events are acknowledged."""
        return self.batches * SIZE

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Send what has been begun, until it is acknowledged, and end. Fails if there was a surprise."""
        self._ending.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), f"{thread.name} cannot get rid of its batch: {self.failures[-1:]}"
        assert self.surprises == [], self.surprises

    def _send(self, kind: Kind, name: str) -> None:
        options = [
            ("grpc.max_reconnect_backoff_ms", 200),
            ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.default_authority", "nodes"),
        ]
        with grpc.insecure_channel(self._target, options=options) as channel:
            capture = CaptureServiceStub(channel).Capture
            self.acknowledged[name] = 0
            while not self._ending.is_set() and self._send_one(capture, batch(kind, name, self.acknowledged[name])):
                self.acknowledged[name] += 1
                self._ending.wait(self._rest_seconds)

    def _send_one(self, capture: "grpc.UnaryUnaryMultiCallable", request: capture_pb2.CaptureRequest) -> bool:
        while True:
            try:
                answer = capture(request, metadata=self._metadata, timeout=CALL_SECONDS)
            except grpc.RpcError as error:
                trailers = dict(error.trailing_metadata() or ())
                failure = Failure(error.code(), error.details(), "grpc-status-details-bin" in trailers)
                self.failures.append(failure)
                if failure.code not in WORTH_ANOTHER_TRY:
                    self.surprises.append(str(failure))
                    return False
                self._ending.wait(PAUSE_SECONDS)
            else:
                if answer.rejected or answer.accepted + answer.duplicate != len(request.events):
                    self.surprises.append(str(answer))
                    return False
                return True


def all_is_loaded(client: burgee.Client) -> bool:
    """Whether everything that has been acknowledged by now is in an answer."""
    now = time.time()
    return client.trend(EVENT).info.complete_until.timestamp() >= now


def batch(kind: Kind, name: str, number: int) -> capture_pb2.CaptureRequest:
    """A sender's batch: what is in it says whose it is, which, and which of its events is where."""
    request = capture_pb2.CaptureRequest(batch_id="" if kind == "uuid" else f"{name}-{number}")
    note = NOTE if number % 2 else ""
    for index in range(SIZE):
        request.events.add(
            uuid="" if kind == "batch_id" else str(uuid5(NAMESPACE_OID, f"{name} {number} {index}")),
            event=EVENT,
            distinct_id=name,
            groups={"company": f"company-{number % 10}"},
            properties_json=f'{{"batch": {number}, "index": {index}, "note": "{note}"}}',
            timestamp_micros=(MONTHS[index % len(MONTHS)] + number % 86_400) * 1_000_000,
        )
    return request
