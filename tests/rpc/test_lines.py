"""Which calls wait behind which, when more have come than the server has taken out of gRPC's lines."""

import asyncio
import socket

from burgee_server.errors import Unauthenticated
from burgee_server.rpc.permissions import NEEDED
from burgee_server.rpc.server import CAPTURE, EVALUATE, RpcServer
from burgee_server.rpc.streams import OpenStreams
from burgee_server.rpc.transport import Transport
from tests.rpc.frames import HELLO, PING, frame, headers, read_frame_at_once

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
        caller.sendall(HELLO + b"".join(calls) + frame(PING, bytes(8)))
        answers = caller.makefile("rb")
        while read_frame_at_once(answers)[0] != PING:
            pass
        assert not gate.came
        async with asyncio.timeout(20):
            await gate.all_came.wait()
    await rpc.stop(0)

    assert gate.came.count(NEEDED[CAPTURE]) == CAPTURES
    assert gate.came.index(NEEDED[EVALUATE]) < 5
