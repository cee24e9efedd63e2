"""What can go wrong, in words for people. rpc/errors.py gives each its canonical status."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request: the path of the field, and what would be right."""

    field: str
    reason: str


class BurgeeError(Exception):
    """Base of everything that is told to the caller as it is."""


class Invalid(BurgeeError):
    """The request is wrong and will be wrong again: the caller's to mend. Names every field at fault."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{v.field}: {v.reason}" for v in violations))
        self.violations = violations

    @classmethod
    def of(cls, field: str, reason: str) -> "Invalid":
        """One violation."""
        return cls(Violation(field, reason))


class NotFound(BurgeeError):
    """What was asked for is not in this environment."""


class AlreadyExists(BurgeeError):
    """The key is taken."""


class Stale(BurgeeError):
    """The change was made from a version that is no longer current: read again and retry."""


class InUse(BurgeeError):
    """Something else needs what was to be taken away: change that first."""


class Unsupported(BurgeeError):
    """This installation cannot do it, as it is set up."""


class Unauthenticated(BurgeeError):
    """No API key, or one that does not work."""


class Denied(BurgeeError):
    """The API key works, and may not do this."""


class Overloaded(BurgeeError):
    """There is no room now; the same call may go through after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Stopping(BurgeeError):
    """The server is about to be gone; the same call goes through when it, or another, is there."""

    retry_after = 1.0


class TimedOut(BurgeeError):
    """The work was given up at the caller's deadline or at the server's limit."""


class Damaged(BurgeeError):
    """A file of the data directory is not what this server wrote there. The message says which, and what to do."""


class Unavailable(BurgeeError):
    """A store that the server needs is away or broken; the same call may go through after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


_TOLD = 5
"""Of those that need something, so many are named."""


def require_unused(what: str, who_ask: str, users: Collection[str]) -> None:
    """Raise InUse if anybody asks for what is to be taken away: `("action 'aha'", "cohorts ask", keys)`."""
    if users:
        more = f" and {len(users) - _TOLD} more" if len(users) > _TOLD else ""
        raise InUse(f"{who_ask} for {what}: {', '.join(sorted(users)[:_TOLD])}{more}; change them first")
