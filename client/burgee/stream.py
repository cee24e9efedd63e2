"""The stream of flags and their changes: opened in the background, and again for ever when it ends."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from time import monotonic
from typing import Any, TypeAlias

import grpc

from burgee.channel import Connection, leave_alone
from burgee.intake import Intake
from burgee.log import SparseLog, logger, words
from burgee.retry import backoff
from burgee.snapshot import Snapshot
from burgee.status import code_and_message
from burgee.v1.flags_pb2 import WatchRequest
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from burgee.waits import Waits

HEARTBEAT_SECONDS = 15
PATIENCE_SECONDS = 40.0
"""A stream that is silent for so long has lost its server, whatever the network says."""

AGE_SECONDS = 5.0
"""A stream that ends well after this was old enough: a server may let none last for ever (connection_seconds)."""

_ENDED = "the server ended the stream"

Listener: TypeAlias = Callable[[frozenset[str]], None]
"""Is told the keys of the flags that changed; none, when the stream came up, went down or could not be opened."""


class SnapshotStream:
    """Thread-safe. Threads start when it is opened."""

    current: Snapshot | None
    """The flags as they are now. None while the stream is down."""
    last: Snapshot | None
    """The flags as they were when the stream was last up."""
    lost: Snapshot | None
    """The same, and stale, while the stream is down."""
    trouble: str
    """Why the stream is down, as far as it is known."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._call: Any = None
        self.listeners: list[Listener] = []
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child: threads and call are the parent's."""
        if self._call is not None:
            leave_alone(self._call)
        self.current = self.last = self.lost = self._call = None
        self.trouble = ""
        self._lock = threading.RLock()
        self._log = SparseLog()
        self._stopped = threading.Event()
        self._tried: Future[None] = Future()
        self._up: Future[None] = Future()
        self._heard = threading.Event()
        self._opened = False
        self._halted = False
        self._interrupted: Any = None

    def open(self) -> None:
        """Open it in the background, if nobody has yet."""
        with self._lock:
            if not self._opened and not self._stopped.is_set():
                self._opened = True
                for work in (self._follow, self._attend):
                    threading.Thread(target=work, name="burgee-flags", daemon=True).start()

    async def begin(self, waits: Waits, seconds: float) -> None:
        """Open it, if nobody has yet; then wait for its first snapshot, or for its failure, at most so long.

        Who comes after the first wait has ended does not wait.
        """
        if not self._tried.done():
            self.open()
            await waits.until(self._tried, seconds)
            _settle(self._tried)

    async def ready(self, waits: Waits, seconds: float) -> bool:
        """Open it, if nobody has yet; then wait until it is up, at most so long. Whether it is."""
        self.open()
        await waits.until(self._up, seconds)
        return self.current is not None

    def halt(self) -> None:
        """End the call. When calls may begin again, the next goes on where it was; until then nothing is stale."""
        with self._lock:
            self._halted = True
            self._interrupt()

    def resume(self) -> None:
        """Calls may begin again."""
        with self._lock:
            self._halted = False

    def close(self) -> None:
        """End the stream."""
        with self._lock:
            self._stopped.set()
            self._heard.set()
            self.current = self.last = self.lost = None
            self.trouble = "the client is closed"
            _settle(self._tried)
            _settle(self._up)
        self._cancel()

    def _follow(self) -> None:
        intake = Intake()
        tries = 0
        while not self._stopped.is_set():
            began = monotonic()
            try:
                for message in self._watch(intake.version):
                    self._heard.set()
                    if (snapshot := intake.take(message)) is not None:
                        tries = 0
                        self._show(snapshot)
                reason = _ENDED
            except grpc.RpcError as error:
                code, message_of_server = code_and_message(error)
                reason = f"{code.name}: {message_of_server}"
            except Exception as error:  # what was sent makes no sense: keep what did, and begin again
                intake = Intake()
                reason = words(error)
            intake.interrupt()
            if self._stopped.is_set():
                return
            if self._was_interrupted() or (reason == _ENDED and monotonic() - began > AGE_SECONDS):
                continue  # where it was, and until that fails nothing is stale
            self._cancel()
            self._lose(reason)
            tries += 1
            self._stopped.wait(backoff(tries))

    def _watch(self, version: str) -> Any:
        request = WatchRequest(version=version, heartbeat_seconds=HEARTBEAT_SECONDS)
        call: Any = self._connection.stub(FlagServiceStub).Watch(request)
        with self._lock:
            self._call = call
            if self._stopped.is_set():
                call.cancel()
            elif self._halted:
                self._interrupt()
        return call

    def _show(self, snapshot: Snapshot) -> None:
        with self._lock:
            if self._stopped.is_set():
                return
            came_up = self.current is None
            self.current = self.last = snapshot
            self.lost = None
            self.trouble = ""
            _settle(self._tried)
            _settle(self._up)
        if snapshot.changed and snapshot.unread:
            self._log.warn("flags that cannot be read here are asked for at each check: %s", dict(snapshot.unread))
        if came_up or snapshot.changed:
            self._tell(snapshot.changed)

    def _lose(self, reason: str) -> None:
        with self._lock:
            if self._stopped.is_set():
                return
            if self.lost is None and self.last is not None:
                self.lost = self.last.lost()
            self.current = None
            self.trouble = reason
            _settle(self._tried)
            if self._up.done():
                self._up = Future()
        self._log.warn("flags are not up to date, and the stream is opened again: %s", reason)
        self._tell(frozenset())

    def _tell(self, changed: frozenset[str]) -> None:
        for listener in tuple(self.listeners):
            try:
                listener(changed)
            except Exception:
                logger.exception("a listener to flags raised")

    def _attend(self) -> None:
        """End a call that has fallen silent; `_follow` opens the next."""
        while not self._stopped.is_set():
            self._heard.clear()
            if not self._stopped.is_set() and not self._heard.wait(PATIENCE_SECONDS):
                self._cancel()

    def _interrupt(self) -> None:
        self._interrupted = self._call
        self._cancel()

    def _was_interrupted(self) -> bool:
        with self._lock:
            interrupted, self._interrupted = self._interrupted, None
            return interrupted is not None and interrupted is self._call

    def _cancel(self) -> None:
        call = self._call
        if call is not None:
            call.cancel()


def _settle(moment: "Future[None]") -> None:
    with suppress(InvalidStateError):  # it has come before
        moment.set_result(None)
