"""Where a server is, as people write it: `host:port` in plain text, `https://host[:port]` with TLS."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import grpc

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_HOST = re.compile(r"(\[[^\[\]\s]+\]|[^:/\[\]\s]+)(?::([0-9]{1,5}))?")
_OF_GRPC = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:", "xds:")
"""How names begin that gRPC resolves in its own ways: they may be without a port."""
_FIRST = re.compile(r"ipv[46]:/*([^,]+),")
"""Of several addresses, the first."""


class Target(NamedTuple):
    """A server's `host:port`, and what to trust it by: None is plain text."""

    address: str
    credentials: grpc.ChannelCredentials | None

    def open(self, options: Sequence[tuple[str, int | str]] = ()) -> grpc.Channel:
        """A channel to it, with these options of gRPC's."""
        if (first := _FIRST.match(self.address)) is not None:
            # gRPC would send all of them as the name of the server, which is none: servers in Rust refuse each call.
            options = (*options, ("grpc.default_authority", first[1]))
        if self.credentials is None:
            return grpc.insecure_channel(self.address, options=options)
        return grpc.secure_channel(self.address, self.credentials, options=options)


def read_target(text: str, tls: bool = False, credentials: grpc.ChannelCredentials | None = None) -> Target:
    """What a target says; `tls` says the same as https://, and `credentials` stand in for the trusted authorities.

    Those are gRPC's, or what a file has that GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names. Raises ValueError for what is no
    target, or one without a port in plain text: gRPC would take the port of HTTPS. A port is a number;
    an address of IPv6 stands in brackets.
    """
    scheme = found[0].lower() if (found := _SCHEME.match(text)) else ""
    address = text[len(scheme) :].removesuffix("/")
    if scheme == "http://":
        raise ValueError(f"target {text!r}: {address} is plain text, https://… is TLS")
    if credentials is None and (tls or scheme):
        credentials = grpc.ssl_channel_credentials()
    if not address.startswith(_OF_GRPC):
        address = _with_port(address, "" if credentials is None else "443")
        if not address:
            raise ValueError(
                f"target {text!r}: host:port, such as localhost:4750 or [::1]:4750; or https://host[:port] for TLS"
            )
    return Target(address, credentials)


def _with_port(address: str, default: str) -> str:
    """The address as host:port; empty for what is none, or has no port where there is no default."""
    found = _HOST.fullmatch(address)
    port = found and (found[2] or default)
    return f"{found[1]}:{port}" if found and port and 0 < int(port) <= 65_535 else ""
