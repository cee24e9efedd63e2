"""When a call is made again, and how long after."""

import random

import grpc

_FOREVER = 1 << 62
_TRIES = {
    grpc.StatusCode.UNAVAILABLE: _FOREVER,
    grpc.StatusCode.RESOURCE_EXHAUSTED: _FOREVER,
    grpc.StatusCode.DEADLINE_EXCEEDED: _FOREVER,
    # A fault of the server, or a proxy that cut the line: worth a few more tries, not a queue that stands still.
    grpc.StatusCode.INTERNAL: 5,
    grpc.StatusCode.UNKNOWN: 5,
    grpc.StatusCode.CANCELLED: 5,
}
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_LONGEST_ASKED_PAUSE = 60.0


def pause(code: grpc.StatusCode, tries: int, asked: float | None) -> float | None:
    """Seconds to wait after this many tries: what the server asked for, else doubling. None: trying cannot help.

    Always with jitter, so that clients that were turned away together do not come back together.
    """
    if tries >= _TRIES.get(code, 1):
        return None
    if asked is not None:
        return min(asked, _LONGEST_ASKED_PAUSE) * _between(1.0, 1.25)
    return backoff(tries)


def backoff(tries: int) -> float:
    """Seconds to wait after this many tries, for who never gives up: doubling to ten seconds, with jitter."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries - 1, 10)) * _between(0.5, 1.0)


def _between(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads load, guards nothing
