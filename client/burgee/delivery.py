"""One call, made until it is answered."""

import threading
from collections.abc import Callable
from time import time_ns
from typing import Any

import grpc

from burgee.channel import Connection
from burgee.parcel import Kind, Parcel
from burgee.retry import pause
from burgee.status import code_and_message, retry_after
from burgee.v1 import capture_pb2, profiles_pb2

_CALL_SECONDS = 30.0
_CAPTURE = capture_pb2.DESCRIPTOR.services_by_name["CaptureService"].full_name
_PROFILES = profiles_pb2.DESCRIPTOR.services_by_name["ProfileService"].full_name


class Refused(Exception):
    """Making the call again cannot help. The message says why."""


def deliver(
    connection: Connection, parcel: Parcel, stopped: threading.Event, on_retry: Callable[[str], None]
) -> capture_pb2.CaptureResponse | bytes | None:
    """The answer to a parcel, after as many tries as it takes; that to a change is not read.

    `on_retry` is told why a call is made again. None: stopped first. Raises Refused.
    """
    tries = 0
    while True:
        try:
            answer: capture_pb2.CaptureResponse | bytes = connection.stub(_Calls).of[parcel.kind](
                parcel.request, timeout=_CALL_SECONDS
            )
            return answer
        except grpc.RpcError as error:
            code, message = code_and_message(error)
            asked = retry_after(error)
        except Exception as error:
            if stopped.is_set():  # the channel was closed under the call
                return None
            raise Refused(f"{type(error).__name__}: {error}") from error
        tries += 1
        seconds = pause(code, tries, asked)
        if stopped.is_set():
            return None
        if seconds is None:
            raise Refused(f"{code.name}: {message}")
        on_retry(f"{code.name}: {message}")
        if stopped.wait(seconds):
            return None


def _stamped(batch: bytes) -> bytes:
    """A serialized CaptureRequest, and when it is sent: by that the server sees whether the clock here is right."""
    return batch + capture_pb2.CaptureRequest(sent_at_micros=time_ns() // 1000).SerializeToString()


class _Calls:
    """The calls by what they take. They take bytes: a parcel is serialized already."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.of: dict[Kind, Callable[..., Any]] = {
            Kind.EVENTS: channel.unary_unary(f"/{_CAPTURE}/Capture", _stamped, capture_pb2.CaptureResponse.FromString),
            Kind.PERSON: channel.unary_unary(f"/{_PROFILES}/IdentifyPerson", None, None),
            Kind.ALIAS: channel.unary_unary(f"/{_PROFILES}/AliasPerson", None, None),
            Kind.GROUP: channel.unary_unary(f"/{_PROFILES}/IdentifyGroup", None, None),
        }
