"""What people write for a server is read as they mean it, or refused."""

import pytest

from burgee.target import read_target


@pytest.mark.parametrize(
    ("text", "address", "is_tls"),
    [
        ("localhost:4750", "localhost:4750", False),
        ("[::1]:4750", "[::1]:4750", False),
        ("host:65535", "host:65535", False),
        ("dns:///burgee", "dns:///burgee", False),
        ("https://host", "host:443", True),
        ("HTTPS://Host/", "Host:443", True),
        ("https://host:4750", "host:4750", True),
        ("https://[::1]", "[::1]:443", True),
    ],
)
def test_a_target_is_a_host_and_a_port(text: str, address: str, is_tls: bool) -> None:
    """In plain text it names its port; with TLS, whose scheme is the same in capitals, that of HTTPS is meant."""
    target = read_target(text)
    assert (target.address, target.credentials is not None) == (address, is_tls)
    assert read_target(address, tls=True).address == address


NOT_ONE = ("", "host:", ":1", "host:http", "host:65536", "host:99999", "host:0", "::1", "fe80::1:4750", "a b:1")


@pytest.mark.parametrize("text", ["host", "[::1]", *NOT_ONE, *(f"https://{text}" for text in NOT_ONE)])
def test_what_is_no_target_is_refused(text: str) -> None:
    """Named ports, ports that there are none of, and an address of IPv6 whose last part would be taken for a port."""
    with pytest.raises(ValueError, match="host:port, such as localhost:4750"):
        read_target(text)


def test_plain_text_is_named_without_a_scheme() -> None:
    """And is never taken for a host of that name."""
    with pytest.raises(ValueError, match="localhost:4750 is plain text"):
        read_target("HTTP://localhost:4750")
