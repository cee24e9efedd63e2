"""Which calls wait behind which, when more have come than the server has taken out of gRPC's lines."""

import asyncio
import socket

from burgee_server.errors import Unauthenticated
from burgee_server.rpc.permissions import NEEDED
from burgee_server.rpc.server import CAPTURE, EVALUATE, RpcServer
from burgee_server.rpc.streams import OpenStreams
from burgee_server.rpc.transport import Transport

HEADERS, SETTINGS, PING = 1, 4, 6
END_HEADERS = 4
CAPTURES = 60


class NotingGate:
    """Lets nobody in, and notes in which order they came."""

    def __init__(self):
        self.came = []
        self.all_came = asyncio.Event()

    def peek(self, _secret, _needed):
        return None

    async def enter(self, _secret, needed):
        self.came.append(needed)
        if len(self.came) == CAPTURES + 1:
            self.all_came.set()
        raise Unauthenticated("nobody")


async def test_a_flag_check_does_not_wait_behind_the_captures_that_came_before_it(server):
    """Sixty have come on its connection, none of which has been looked at: it is among the first that are.

    In bytes, and all of them read by gRPC before the event loop turns: a PING after them is answered.
    """
    house, gate = server.house, NotingGate()
    rpc = RpcServer(house.servicers, gate, OpenStreams(), house.limits, house.calls, Transport())
    port = await rpc.start("127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        calls = [headers(number, CAPTURE) for number in range(CAPTURES)] + [headers(CAPTURES, EVALUATE)]
        caller.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS) + b"".join(calls) + frame(PING, bytes(8)))
        answers = caller.makefile("rb")
        while read_kind(answers) != PING:
            pass
        assert not gate.came
        async with asyncio.timeout(20):
            await gate.all_came.wait()
    await rpc.stop(0)

    assert gate.came.count(NEEDED[CAPTURE]) == CAPTURES
    assert gate.came.index(NEEDED[EVALUATE]) < 5


def headers(number, method):
    """The beginning of a call, whose message is still to come. HPACK's literals: its own names by their index."""
    fields = ((4, method), (1, "localhost"), (31, "application/grpc"), (23, "Bearer k"))
    block = b"\x83\x86" + b"".join(literal(index, value.encode()) for index, value in fields)
    return frame(HEADERS, block + b"\x00\x02te\x08trailers", END_HEADERS, 2 * number + 1)


def literal(index, value):
    """A header with the name of this index in HPACK's table."""
    name = bytes([index]) if index < 15 else bytes([15, index - 15])
    return name + bytes([len(value)]) + value


def frame(kind, payload=b"", flags=0, stream=0):
    """A frame of HTTP/2."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def read_kind(answers):
    """The kind of the next frame."""
    head = answers.read(9)
    answers.read(int.from_bytes(head[:3]))
    return head[3]
