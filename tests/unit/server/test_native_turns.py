"""In which order the native transport answers: a storm on some connections, and one call on another."""

from collections import deque
from itertools import pairwise

import grpc
from pygrpc_native import EVENT_CALL, EVENT_CANCEL

from burgee_server.rpc.native import NativeServer

STORM, HONEST = range(10), 10
METHOD = "/burgee.v1.FlagService/Evaluate"


class Front:
    """What has come, in its order, and what was answered, in its order."""

    def __init__(self, events):
        self._events = deque(events)
        self.answered = []

    def recv_batch_details(self, count, _timeout=None):
        return [self._events.popleft() for _ in range(min(count, len(self._events)))]

    def respond(self, number, _answer):
        self.answered.append(number)


class Loop(deque):
    """Callbacks that wait for their turn."""

    def call_soon(self, callback, *arguments):
        self.append((callback, arguments))

    def run(self):
        """Turn after turn; how many answers there were after each."""
        while self:
            callback, arguments = self.popleft()
            callback(*arguments)
            yield


class Door(grpc.aio.ServerInterceptor):
    """Answers everything at once, and counts what was given up."""

    given_up = 0

    async def intercept_service(self, continuation, handler_call_details):
        raise AssertionError("no call needs a task")

    def answer_at_once(self, _method, _metadata, _message):
        return b""

    def count_given_up(self, _method, *, had_deadline):
        self.given_up += had_deadline


def call(connection, number):
    """A call with a deadline, as the transport hands it over."""
    return (EVENT_CALL, number, 0, b"", None, ((), f"connection {connection}", 0.005))


def answered(events):
    """The order of the answers, how many there were after each turn of the loop, and how many calls were given up."""
    door, front, loop = Door(), Front(events), Loop()
    server = NativeServer(door, ())
    server._front, server._loop, server._table = front, loop, [(METHOD, None)]
    loop.call_soon(server._take, [])
    turns = [len(front.answered) for _ in loop.run()]
    return front.answered, turns, door.given_up


def test_a_call_behind_a_storm_is_among_the_first_that_are_answered():
    """Ten connections have sent 500 each before it: it waits while those are taken out, and for one call of each."""
    storm = [call(connection, 500 * connection + n) for n in range(500) for connection in STORM]
    honest = len(storm)

    order, turns, _ = answered([*storm, call(HONEST, honest)])

    assert sorted(order) == list(range(honest + 1))
    assert order.index(honest) < 3 * 64  # of 5,001: two turns of the loop, and its own
    assert max(later - earlier for earlier, later in pairwise((0, *turns))) <= 64


def test_of_a_storm_that_is_given_up_only_what_had_begun_is_answered():
    """Calls that are given up before their turn cost no answer, and are counted."""
    storm = [call(connection, 100 * connection + n) for n in range(100) for connection in STORM]
    given_up = [(EVENT_CANCEL, number, 0, b"", None, None) for _, number, *_ in storm]

    order, _, count = answered([*storm, *given_up, call(HONEST, len(storm))])

    assert (order, count) == ([len(storm)], len(storm))
