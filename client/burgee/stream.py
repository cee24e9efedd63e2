"""The stream of flags and their changes: opened in the background, and again for ever when it ends."""

import threading
from typing import Any

import grpc

from burgee.channel import Connection, leave_alone
from burgee.intake import Intake
from burgee.log import SparseLog, words
from burgee.retry import backoff
from burgee.snapshot import Snapshot
from burgee.status import code_and_message
from burgee.v1.flags_pb2 import WatchRequest
from burgee.v1.flags_pb2_grpc import FlagServiceStub

HEARTBEAT_SECONDS = 15
PATIENCE_SECONDS = 40.0
"""A stream that is silent for so long has lost its server, whatever the network says."""


class SnapshotStream:
    """Thread-safe. Threads start with `start`."""

    current: Snapshot | None
    """The flags as they are now. None while the stream is down."""
    last: Snapshot | None
    """The flags as they were when the stream was last up."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._call: Any = None
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child: threads and call are the parent's."""
        if self._call is not None:
            leave_alone(self._call)
        self.current = self.last = self._call = None
        self._lock = threading.RLock()
        self._log = SparseLog()
        self._stopped = threading.Event()
        self._tried = threading.Event()
        self._heard = threading.Event()
        self._started = False

    def start(self, seconds: float) -> None:
        """Open the stream, if nobody has yet; then wait for its first snapshot, or for its failure, at most so long.

        Who comes after the first wait has ended does not wait.
        """
        if self._tried.is_set():
            return
        with self._lock:
            if not self._started and not self._stopped.is_set():
                self._started = True
                for work in (self._follow, self._attend):
                    threading.Thread(target=work, name="burgee-flags", daemon=True).start()
        self._tried.wait(seconds)
        self._tried.set()

    def close(self) -> None:
        """End the stream."""
        with self._lock:
            self._stopped.set()
            self._tried.set()
            self._heard.set()
            self.current = self.last = None
        self._cancel()

    def _follow(self) -> None:
        intake = Intake()
        tries = 0
        while not self._stopped.is_set():
            try:
                for message in self._open(intake.version):
                    self._heard.set()
                    if (snapshot := intake.take(message)) is not None:
                        tries = 0
                        self._show(snapshot)
                reason = "the server ended the stream"
            except grpc.RpcError as error:
                code, message_of_server = code_and_message(error)
                reason = f"{code.name}: {message_of_server}"
            except Exception as error:  # what was sent makes no sense: keep what did, and begin again
                intake = Intake()
                reason = words(error)
            self.current = None
            intake.interrupt()
            if self._stopped.is_set():
                return
            self._cancel()
            self._tried.set()
            self._log.warn("flags are not up to date, and the stream is opened again: %s", reason)
            tries += 1
            self._stopped.wait(backoff(tries))

    def _open(self, version: str) -> Any:
        request = WatchRequest(version=version, heartbeat_seconds=HEARTBEAT_SECONDS)
        call: Any = self._connection.stub(FlagServiceStub).Watch(request)
        with self._lock:
            self._call = call
            if self._stopped.is_set():
                call.cancel()
        return call

    def _show(self, snapshot: Snapshot) -> None:
        with self._lock:
            if not self._stopped.is_set():
                self.current = self.last = snapshot
                self._tried.set()

    def _attend(self) -> None:
        """End a call that has fallen silent; `_follow` opens the next."""
        while not self._stopped.is_set():
            self._heard.clear()
            if not self._stopped.is_set() and not self._heard.wait(PATIENCE_SECONDS):
                self._cancel()

    def _cancel(self) -> None:
        call = self._call
        if call is not None:
            call.cancel()
