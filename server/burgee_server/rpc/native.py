"""The server of pygrpc-native, and what we have different there; needs the extra `native`."""

import asyncio
import tempfile
from typing import Any

import pygrpc_native.aio
from pygrpc_native import STREAM_CLOSED, STREAM_FULL

_LONGEST_SECONDS = 1.0
_LONGEST_PATH = 60
"""Of a directory for a socket, whose whole path may have 103 characters on some systems."""


class NativeServer(pygrpc_native.aio.Server):
    """A reader that does not read holds none of the event loop's threads, which others need to get on.

    The one below waits for it in a thread of the loop's default executor, of which there are six on two processors.
    """

    async def _send(self, call: Any, context: Any, response: Any) -> bool:
        front = self._front
        data = self._encode(call, context, response)
        if front is None or data is None:
            return False
        context._initial_sent = True
        seconds = 0.01
        while (sent := front.stream_try_send(call.call_id, data)) == STREAM_FULL:
            await asyncio.sleep(seconds)
            seconds = min(seconds * 2, _LONGEST_SECONDS)
        return bool(sent != STREAM_CLOSED)


def _fallback_socket() -> tuple[str, str]:
    """A directory of our own, and the socket in it: in /tmp, where a data directory's own would be too long a path."""
    usual = tempfile.gettempdir()
    directory = tempfile.mkdtemp(prefix="burgee-", dir=usual if len(usual) <= _LONGEST_PATH else "/tmp")  # noqa: S108
    return directory, f"{directory}/grpc"


pygrpc_native.aio._fallback_socket = _fallback_socket  # type: ignore[attr-defined]  # not meant to be ours
