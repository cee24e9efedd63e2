"""Calls that stay open, so that they can be ended: with the API key that let them in, or with the server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from burgee_server.errors import BurgeeError, Stopping, Unauthenticated
from burgee_server.ports.changes import Change, Kind
from burgee_server.rpc.detours import Detours

MOST_REVOKED = 1_000
"""How many keys must be revoked while a call is on its way in, between two steps, until it could slip through."""


class OpenStreams:
    """Each is the task that answers it. Ending one raises inside `open`, wherever the task waits."""

    def __init__(self) -> None:
        self._keys: dict[asyncio.Task[object], str] = {}
        self._ending: dict[asyncio.Task[object], BurgeeError] = {}
        self._revoked: dict[str, None] = {}
        self._stopping = False
        self.detours = Detours()

    def notice(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.API_KEYS:
            # Remembered, for a call that has been let in and is not open yet.
            self._revoked.update(dict.fromkeys(change.subject))
            for oldest in list(self._revoked)[: max(len(self._revoked) - MOST_REVOKED, 0)]:
                del self._revoked[oldest]
            for task, api_key_id in self._keys.items():
                if api_key_id in change.subject:
                    self._end(task, _revoked(api_key_id))

    def stop(self) -> None:
        """End all of them, and those that are yet to come."""
        self._stopping = True
        for task in self._keys:
            self._end(task, _stopping())

    @contextmanager
    def open(self, api_key_id: str, connection: str = "") -> Iterator[None]:
        """Inside, this task may be ended: raises Unauthenticated or Stopping. `connection`: gRPC's name of its peer."""
        if self._stopping:
            raise _stopping()
        if api_key_id in self._revoked:
            raise _revoked(api_key_id)
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._keys[task] = api_key_id
        try:
            with self.detours.stay(connection):
                yield
        except asyncio.CancelledError:
            if (error := self._ending.get(task)) is None or task.uncancel():
                raise
            raise error from None
        finally:
            del self._keys[task]
            self._ending.pop(task, None)

    def _end(self, task: asyncio.Task[object], error: BurgeeError) -> None:
        if task not in self._ending:
            self._ending[task] = error
            task.cancel()


def _revoked(api_key_id: str) -> BurgeeError:
    return Unauthenticated(f"API key {api_key_id} was revoked")


def _stopping() -> BurgeeError:
    return Stopping("the server is stopping: open the stream again")
