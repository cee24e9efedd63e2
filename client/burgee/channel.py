"""The way to the server: one channel, with the API key on every call and nowhere else."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import grpc

from burgee.target import Target
from burgee.traffic import Traffic

_Stub = TypeVar("_Stub")

MAX_MESSAGE_BYTES = 64 << 20
"""Greatest answer that is read. The server takes 4 MB; a breakdown by a thousand companies may answer with more."""

_OPTIONS: Sequence[tuple[str, int | str]] = (
    ("grpc.primary_user_agent", "burgee-python"),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A connection of one's own: those that gRPC shares between channels would be the parent's in a forked child.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # grpc's own backoff grows to two minutes, and every flag check in that time would fail with the server long back.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


_left_alone: list[object] = []


def leave_alone(parents: object) -> None:
    """Keep what a parent process had open: destroying it could hang on what the parent's threads had locked."""
    _left_alone.append(parents)


class Connection:
    """The channel, and the stubs made on it: opened when first used, so that a process may fork before.

    Thread-safe. Raises ValueError if the key has characters that a header cannot carry; the message does not show it.
    """

    def __init__(self, target: Target, api_key: str) -> None:
        if not api_key.isascii() or not api_key.isprintable():
            raise ValueError("the API key has characters that cannot be sent")
        self.target = target
        self._api_key = api_key
        self._channel: grpc.Channel | None = None
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child: the channel there is the parent's, and is not even let go of."""
        self._lock = threading.RLock()
        if self._channel is not None:
            leave_alone(self._channel)
        self._channel = None
        self._stubs: dict[Any, Any] = {}
        self._closed = False
        self._traffic = Traffic()

    def halt(self) -> None:
        """The process is about to fork: let no call begin, and nobody be about to open the channel."""
        self._traffic.halt()
        self._lock.acquire()

    def is_still(self, seconds: float) -> bool:
        """Wait until no call is on its way, at most so long. Whether none is."""
        return self._traffic.wait(seconds)

    def resume(self) -> None:
        """The process has forked, and this is the parent: let calls begin again."""
        self._lock.release()
        self._traffic.resume()

    def stub(self, kind: Callable[[grpc.Channel], _Stub]) -> _Stub:
        """`kind(channel)`, the same each time, such as `stub(FlagAdminServiceStub)`. RuntimeError after close."""
        if (stub := self._stubs.get(kind)) is None:
            with self._lock:
                stub = self._stubs.setdefault(kind, kind(self._open()))
        return cast("_Stub", stub)

    def close(self) -> None:
        """End all calls and let go of the channel. A second close changes nothing."""
        with self._lock:
            self._closed = True
            self._stubs.clear()
            if self._channel is not None:
                self._channel.close()

    def _open(self) -> grpc.Channel:
        if self._closed:
            raise RuntimeError("the client is closed")
        if self._channel is None:
            self._channel = grpc.intercept_channel(self.target.open(_OPTIONS), _Door(self._api_key, self._traffic))
        return self._channel


class _Details(NamedTuple):
    """What grpc asks an interceptor to hand on."""

    method: str
    timeout: float | None
    metadata: Sequence[tuple[str, str | bytes]]
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: Any


class _Door(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """What every call goes through: adds `authorization: Bearer <key>`, if there is one, and counts as traffic."""

    def __init__(self, api_key: str, traffic: Traffic) -> None:
        self._headers = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        self._traffic = traffic

    def _pass(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        metadata = (*(details.metadata or ()), *self._headers)
        authorized = _Details(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )
        self._traffic.enter()
        try:
            call = continuation(authorized, request)
        except BaseException:
            self._traffic.leave()
            raise
        call.add_done_callback(lambda _call: self._traffic.leave())  # at once, for one that has blocked until its end
        return call

    intercept_unary_unary: Any = _pass
    intercept_unary_stream: Any = _pass
