"""One call, made until it is answered."""

import threading
from collections.abc import Callable
from time import time_ns
from typing import Any

import grpc

from burgee.channel import Connection
from burgee.retry import pause
from burgee.status import code_and_message, retry_after
from burgee.v1 import capture_pb2, profiles_pb2_grpc
from burgee.v1.profiles_pb2 import IdentifyGroupRequest as GroupChange
from burgee.v1.profiles_pb2 import IdentifyPersonRequest as PersonChange

__all__ = ["GroupChange", "PersonChange", "Refused", "deliver"]

_CALL_SECONDS = 30.0
_SERVICE = capture_pb2.DESCRIPTOR.services_by_name["CaptureService"].full_name


class Refused(Exception):
    """Making the call again cannot help. The message says why."""


def deliver(
    connection: Connection,
    request: bytes | PersonChange | GroupChange,
    stopped: threading.Event,
    on_retry: Callable[[], None],
) -> Any:
    """The answer to a change, or to a serialized CaptureRequest, after as many tries as it takes.

    None: stopped first. Raises Refused.
    """
    tries = 0
    while True:
        try:
            return connection.stub(_Calls).of(request)(request, timeout=_CALL_SECONDS)
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
        on_retry()
        if stopped.wait(seconds):
            return None


def _stamped(batch: bytes) -> bytes:
    """A serialized CaptureRequest, and when it is sent: by that the server sees whether the clock here is right."""
    return batch + capture_pb2.CaptureRequest(sent_at_micros=time_ns() // 1000).SerializeToString()


class _Calls:
    """The calls by what they take. Capture takes bytes: its batch is serialized already."""

    def __init__(self, channel: grpc.Channel) -> None:
        profiles = profiles_pb2_grpc.ProfileServiceStub(channel)
        self._calls: dict[type, Callable[..., Any]] = {
            bytes: channel.unary_unary(
                f"/{_SERVICE}/Capture",
                request_serializer=_stamped,
                response_deserializer=capture_pb2.CaptureResponse.FromString,
            ),
            PersonChange: profiles.IdentifyPerson,
            GroupChange: profiles.IdentifyGroup,
        }

    def of(self, request: bytes | PersonChange | GroupChange) -> Callable[..., Any]:
        """The call that takes such a request."""
        return self._calls[type(request)]
