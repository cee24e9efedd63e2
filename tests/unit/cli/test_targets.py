"""What a command says when the server that it names cannot be reached: what is wrong, where, and what to do."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.unit.client.fakes import unused_target


@pytest.fixture
def somebody_else() -> Iterator[str]:
    """Where something listens that answers everybody with a line of text, as many servers do."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    with listening.accept()[0] as line:
                        line.sendall(b"220 mail.example ready\r\n" * 10)
                except OSError:  # the test is over
                    return

        answering = threading.Thread(target=answer)
        answering.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    answering.join()


@pytest.mark.parametrize("command", [("flags", "list"), ("query", "trend"), ("health",)])
async def test_where_nobody_listens_that_is_said_and_what_to_do(run, command):
    """By calls, questions and the health check alike, and without a word of gRPC's."""
    target = unused_target()
    told = (await run(*command, "--target", target, code=1)).stderr
    assert f"no connection to {target}: nothing listens there: does `burgee serve` run" in told
    assert "failed to connect" not in told


async def test_another_server_on_the_port_is_told_from_none(run, somebody_else):
    """Whoever mistook the port looks for that, and not for a process."""
    told = (await run("flags", "list", "--target", somebody_else, code=1)).stderr
    assert f"no connection to {somebody_else}: what listens there is no Burgee server" in told


async def test_tls_with_a_server_that_has_none_is_named_as_that(run, server):
    """And not as a handshake that failed."""
    told = (await run("flags", "list", "--target", f"https://{server.target}", code=1)).stderr
    assert "it speaks plain text: leave out https://" in told


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("localhost", "host:port, such as localhost:4750"),
        ("localhost:http", "host:port, such as localhost:4750"),
        ("http://localhost:4750", "localhost:4750 is plain text, https://… is TLS"),
    ],
)
async def test_what_is_no_target_is_refused_before_anything_is_asked(run, target, expected):
    """gRPC would look for a server on the port of HTTPS, or for a host of that whole name."""
    for command in (("flags", "list"), ("health",), ("doctor",)):
        assert expected in (await run(*command, "--target", target, code=2)).stderr


async def test_a_key_that_no_header_can_carry_is_told_in_a_line(run):
    """As when it was copied with a typographic character."""
    told = (await run("flags", "list", secret="burgee_…", code=1)).stderr
    assert told == "Error: the API key has characters that cannot be sent\n"


async def test_a_key_that_opens_nothing_is_told_with_where_it_was_taken_from(run):
    """As one of another server that is still in the environment, or in the directory."""
    from_environment = (await run("flags", "list", secret="burgee_old", code=1)).stderr
    typed = (await run("query", "trend", "--api-key", "burgee_older", code=1)).stderr
    assert from_environment == "Error: UNAUTHENTICATED: unknown API key; it was taken from BURGEE_API_KEY\n"
    assert typed == "Error: UNAUTHENTICATED: unknown API key; it was taken from --api-key\n"
