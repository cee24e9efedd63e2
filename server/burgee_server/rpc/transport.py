"""What carries the calls: gRPC's own server, or that of pygrpc-native; and what both allow a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import grpc

from burgee_server.errors import BurgeeError
from burgee_server.rpc.certificate import Certificate
from burgee_server.rpc.door import Door
from burgee_server.rpc.grpcio import GrpcioServer

_BOTH = (
    # The door refuses more than 4 MB with a message for people; beyond this, gRPC refuses with one of its own.
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # A client that is gone without a word is noticed within a minute and a half, also where nothing is on its way.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
)

_GRPCIO = (
    # Some clients ping far more often than gRPC likes, flagd's every millisecond: it would end their connections.
    ("grpc.http2.max_ping_strikes", 0),
    # gRPC turns calls away when a thousand wait to be let in: after a restart, all clients come at once.
    ("grpc.server.max_pending_requests", 10_000),
    ("grpc.server.max_pending_requests_hard_limit", 10_000),
    # More than 64 KB of a message is sent when it is asked for: of a call that is turned away, it need not come.
    ("grpc.http2.bdp_probe", 0),
    # Who has connected and says nothing at all is let go of; gRPC itself waits for two minutes.
    ("grpc.server_handshake_timeout_ms", 20_000),
)


NATIVE_CALLS = 16
_NATIVE_ANY = 1_024
"""How many calls the native transport lets a connection have: unless it is set, and if it is to be any number."""


@dataclass(frozen=True, slots=True)
class Transport:
    """Which one, and how long it keeps a connection; 0 is for ever. The native one knows no age, and no TLS."""

    native: bool = False
    connection_seconds: float = 0.0
    """How old a connection gets, give or take a tenth; then its client is told to open another for its next calls."""
    connection_grace_seconds: float = 0.0
    """How long calls that are open on it may then go on."""
    most_connections: int = 0
    """0 is any number. On the native one more are there for a second, until it is looked how many there are."""
    connection_calls: int | None = None
    """How many calls a connection may have open; clients keep those beyond that to themselves. 0 is any number, or the
    most that the native one knows; None is what serves: NATIVE_CALLS there, any number on grpcio."""
    shares_port: bool = False
    """Whether other processes of the same server may listen on it, too; else a port that is taken is an error."""
    certificate: Certificate | None = None
    """What callers are shown, and speak TLS to; without, they speak in plain text."""

    @property
    def most_calls(self) -> int:
        """How many calls a connection may have open; 0 is any number."""
        if self.connection_calls is None:
            return NATIVE_CALLS if self.native else 0
        return self.connection_calls or (_NATIVE_ANY if self.native else 0)

    @property
    def stream_seconds(self) -> float:
        """How long a stream that has no end may last, so that it never outlasts its connection."""
        return self.connection_grace_seconds * 0.9 if self.connection_seconds and not self.native else inf

    def server(self, door: Door) -> grpc.aio.Server:
        """A server that is to be started. Raises BurgeeError without the extra that it needs."""
        port = ("grpc.so_reuseport", int(self.shares_port))
        if self.native:
            try:
                from burgee_server.rpc.native import NativeServer
            except ModuleNotFoundError as missing:
                raise BurgeeError("the native transport is not installed: pip install 'burgee[native]'") from missing
            return NativeServer(door, [*_BOTH, port, *self._calls()], self.most_connections)
        return GrpcioServer(door, [*_BOTH, port, *_GRPCIO, *self._calls(), *self._limits()])  # type: ignore[return-value]

    def listen(self, server: grpc.aio.Server, address: str) -> int:
        """Have a server listen on HOST:PORT; return the port. Raises OSError if the address cannot be had."""
        try:
            if self.certificate is None:
                return server.add_insecure_port(address)
            return server.add_secure_port(address, self.certificate.credentials())
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: it is taken, or not an address of this machine") from error

    def _calls(self) -> Sequence[tuple[str, Any]]:
        return [("grpc.max_concurrent_streams", self.most_calls)] if self.most_calls else []

    def _limits(self) -> Sequence[tuple[str, Any]]:
        limits = []
        if self.connection_seconds:
            limits.append(("grpc.max_connection_age_ms", int(self.connection_seconds * 1e3)))
            limits.append(("grpc.max_connection_age_grace_ms", int(self.connection_grace_seconds * 1e3)))
        if self.most_connections:
            limits.append(("grpc.max_allowed_incoming_connections", self.most_connections))
        return limits
