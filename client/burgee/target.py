"""Where a server is, as people write it: `host:port` in plain text, `https://host[:port]` with TLS."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import grpc

_TLS = "https://"
_HAS_PORT = re.compile(r".+:[0-9]{1,5}")
_OF_GRPC = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:", "xds:")
"""How names begin that gRPC resolves in its own ways: they may be without a port."""


class Target(NamedTuple):
    """A server's `host:port`, and what to trust it by: None is plain text."""

    address: str
    credentials: grpc.ChannelCredentials | None

    def open(self, options: Sequence[tuple[str, int | str]] = ()) -> grpc.Channel:
        """A channel to it, with these options of gRPC's."""
        if self.credentials is None:
            return grpc.insecure_channel(self.address, options=options)
        return grpc.secure_channel(self.address, self.credentials, options=options)


def read_target(text: str, tls: bool = False, credentials: grpc.ChannelCredentials | None = None) -> Target:
    """What a target says; `tls` says the same as https://, and `credentials` stand in for the trusted authorities.

    Those are gRPC's, or what a file has that GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names. Raises ValueError for what is no
    target, or one without a port in plain text: gRPC would take the port of HTTPS.
    """
    if text.startswith("http://"):
        raise ValueError(f"target {text!r}: {text.removeprefix('http://')} is plain text, https://… is TLS")
    address = text.removeprefix(_TLS).removesuffix("/")
    if text.startswith(_TLS) and ":" not in address:
        address = f"{address}:443"
    if credentials is None and (tls or text.startswith(_TLS)):
        credentials = grpc.ssl_channel_credentials()
    if credentials is None and not address.startswith(_OF_GRPC) and not _HAS_PORT.fullmatch(address):
        raise ValueError(f"target {text!r}: host:port, such as localhost:4750; or https://host[:port] for TLS")
    return Target(address, credentials)
