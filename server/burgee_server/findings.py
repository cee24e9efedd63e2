"""What was found out about something that a server needs, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works now, and will not always."""
    WRONG = "wrong"
    """Something does not work, or is open to those whom it should be closed to."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Neither text holds anything that is stored, nor a password."""

    subject: str
    state: State
    found: str
    advice: str = ""
    """What to do; empty if there is nothing to do."""


def ok(subject: str, found: str) -> Finding:
    """All is well."""
    return Finding(subject, State.OK, found)


def warning(subject: str, found: str, advice: str) -> Finding:
    """It will not always be well."""
    return Finding(subject, State.WARNING, found, advice)


def wrong(subject: str, found: str, advice: str) -> Finding:
    """It is not well."""
    return Finding(subject, State.WRONG, found, advice)
