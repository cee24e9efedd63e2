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


class _Call:
    """A call that is being answered. Its id is made when somebody reads it: few calls are written about."""

    __slots__ = ("given_id", "made_id", "principal")
    principal: Principal

    def __init__(self, given_id: str) -> None:
        self.given_id = given_id
        self.made_id = ""


_call: ContextVar[_Call | None] = ContextVar("burgee_call", default=None)
_process = token_hex(6)
_numbers = count(1)


def principal() -> Principal:
    """Who is calling. Set by the door before a servicer runs."""
    return _here().principal


def environment_id() -> int:
    """The one environment that this call may see."""
    return _here().principal.environment_id


def request_id() -> str:
    """The id of the request that is being answered; empty outside of one."""
    here = _call.get()
    if here is None:
        return ""
    if not here.given_id and not here.made_id:
        here.made_id = f"{_process}-{next(_numbers):x}"
    return here.given_id or here.made_id


def enter(caller: Principal) -> None:
    """Set who is calling, once the call has its name."""
    _here().principal = caller


def name(metadata: Iterable[tuple[str, str | bytes]]) -> None:
    """Begin a call, with the request's id from the metadata if there is one, for the rest of this task."""
    for key, value in metadata:
        if key == REQUEST_ID and isinstance(value, str) and _GIVEN.fullmatch(value):
            _call.set(_Call(value))
            return
    _call.set(_Call(""))


def was_named() -> bool:
    """Whether the request's id is the caller's: then it goes back with the answer, too."""
    return bool(_here().given_id)


def trailing_metadata() -> tuple[tuple[str, str], ...]:
    """What goes back to the caller with an error, and with the answer to a request that was named."""
    return ((REQUEST_ID, request_id()),)


def _here() -> _Call:
    here = _call.get()
    if here is None:
        raise LookupError("no call is being answered here")
    return here
