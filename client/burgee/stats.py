"""What became of what was captured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of events and profile changes: each is in one of queued, sent, dropped and rejected."""

    queued: int
    """Waiting, or on the way and not acknowledged."""
    sent: int
    """Acknowledged by the server."""
    retried: int
    """Calls that were made again; a batch counts as one."""
    dropped: int
    """Given up by the client: bad input, a full queue, a refused call, a close that ran out of time."""
    rejected: int
    """Refused by the server, one by one, for what was in them."""
