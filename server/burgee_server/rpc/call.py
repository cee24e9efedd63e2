"""What a servicer knows of the call that it answers, beside the request."""

from contextvars import ContextVar

from burgee_server.access import Principal

_principal: ContextVar[Principal] = ContextVar("burgee_principal")


def principal() -> Principal:
    """Who is calling. Set by the door before a servicer runs."""
    return _principal.get()


def environment_id() -> int:
    """The one environment that this call may see."""
    return _principal.get().environment_id


def enter(caller: Principal) -> None:
    """Set who is calling, for the rest of this task."""
    _principal.set(caller)
