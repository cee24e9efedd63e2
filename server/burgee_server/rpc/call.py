"""What a servicer knows of the call that it answers, beside the request."""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import count
from secrets import token_hex

from burgee_server.access import Principal

REQUEST_ID = "x-request-id"
"""Metadata: the id that a caller gives a request, or that we give it, on the way in and on the way back."""

_GIVEN = re.compile(r"[A-Za-z0-9_.:/+=@-]{1,128}")
"""What is taken as an id: it goes into the log."""

_principal: ContextVar[Principal] = ContextVar("burgee_principal")
_request_id: ContextVar[tuple[str, bool]] = ContextVar("burgee_request_id", default=("", False))
_process = token_hex(6)
_numbers = count(1)


def principal() -> Principal:
    """Who is calling. Set by the door before a servicer runs."""
    return _principal.get()


def environment_id() -> int:
    """The one environment that this call may see."""
    return _principal.get().environment_id


def request_id() -> str:
    """The id of the request that is being answered; empty outside of one."""
    return _request_id.get()[0]


def enter(caller: Principal) -> None:
    """Set who is calling, for the rest of this task."""
    _principal.set(caller)


def name(metadata: Iterable[tuple[str, str | bytes]]) -> None:
    """Take the request's id from the metadata, or make one, for the rest of this task."""
    for key, value in metadata:
        if key == REQUEST_ID and isinstance(value, str) and _GIVEN.fullmatch(value):
            _request_id.set((value, True))
            return
    _request_id.set((f"{_process}-{next(_numbers):x}", False))


def was_named() -> bool:
    """Whether the request's id is the caller's: then it goes back with the answer, too."""
    return _request_id.get()[1]


def trailing_metadata() -> tuple[tuple[str, str], ...]:
    """What goes back to the caller with an error, and with the answer to a request that was named."""
    return ((REQUEST_ID, request_id()),)
