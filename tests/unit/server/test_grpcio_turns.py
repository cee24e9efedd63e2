"""How calls are taken out of gRPC's core: which first, and which not at all."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from itertools import count

import grpc
import pytest
from grpc._cython import cygrpc

from burgee_server.rpc import grpcio, line

METHOD = "/burgee.v1.FlagService/Evaluate"


class Door(grpc.aio.ServerInterceptor):
    """Lets everything in, and counts what was late."""

    late = 0

    async def intercept_service(self, continuation, handler_call_details):
        return await continuation(handler_call_details)

    def answers_at_once(self, _method):
        return False

    def count_late(self):
        self.late += 1


class Context:
    """What is known of a call that was taken out: whose it is, and how many seconds are left."""

    def __init__(self, call, *_):
        self._connection, self._seconds = call[:2]

    def peer(self):
        return self._connection

    def time_remaining(self):
        return self._seconds


class Core(grpcio._Core):
    """Hands out what is waiting in it, and then nothing."""

    def __init__(self, door, waiting):
        super().__init__(asyncio.get_running_loop(), door, ())
        self.waiting = deque(waiting)

    async def _request_call(self):
        if not self.waiting:
            await asyncio.Future()
        return self.waiting.popleft()

    async def begun(self, count):
        """As many calls as grpc.aio begins, in its order."""
        begun = [await self._make_request_call_future(None) for _ in range(count)]
        for taking in self.line.taking:
            taking.cancel()
        return begun

    @property
    def line(self):
        """That of the methods which are not registered."""
        return self._lines[None]


@pytest.fixture
def known(monkeypatch):
    """What is known of calls that no core has seen."""
    monkeypatch.setattr(cygrpc, "_ServicerContext", Context)


@pytest.mark.usefixtures("known")
async def test_a_call_behind_a_storm_begins_among_the_first():
    """Ten connections have sent 500 each before it: it waits for one of each, and those of one keep their order."""
    storm = [(connection, None, n) for n in range(500) for connection in range(10)]
    honest = ("honest", None, 0)

    begun = await Core(Door(), [*storm, honest]).begun(5_001)

    assert begun.index(honest) <= 11
    assert begun[0] == storm[0]  # grpc.aio has waited for it
    assert [call for call in begun if call[0] == 3] == [call for call in storm if call[0] == 3]


@pytest.mark.usefixtures("known")
async def test_what_is_late_when_it_is_taken_out_or_when_its_turn_comes_never_begins(monkeypatch):
    """It is counted instead."""
    door, now = Door(), 100.0
    monkeypatch.setattr(line, "monotonic", lambda: now)
    core = Core(door, [("a", None, 0), ("a", 0.0, 1), ("a", 5.0, 2), ("b", 5.1, 3), ("b", None, 4)])
    assert await core.begun(1) == [("a", None, 0)]
    assert door.late == 1

    now = 105.0
    assert await core.begun(2) == [("b", 5.1, 3), ("b", None, 4)]
    assert door.late == 2


@pytest.mark.usefixtures("known")
async def test_no_more_are_taken_out_than_the_most_that_may_wait(monkeypatch):
    """The others stay in the core, which turns calls away beyond its own number; each that begins makes room."""
    monkeypatch.setattr(line, "_MOST_WAITING", 10)
    core = Core(Door(), [("a", None, n) for n in range(500)])
    taken = core._make_request_call_future(None)
    await taken
    assert len(core.waiting) == 489

    assert [call[2] for call in await core.begun(499)] == list(range(1, 500))


@pytest.mark.usefixtures("known")
async def test_whoever_waits_for_room_hears_that_the_server_has_stopped(monkeypatch):
    """No task stays behind with the core."""
    monkeypatch.setattr(line, "_MOST_WAITING", 10)
    core = Core(Door(), [("a", None, n) for n in range(500)])
    await core._make_request_call_future(None)
    assert len(core.line.waiting) == 10

    next(iter(core.line.taking)).cancel()

    async with asyncio.timeout(20):
        await asyncio.wait(core.line.taking)
    assert len(core.line.waiting) == 0


@pytest.mark.usefixtures("known")
async def test_a_call_that_cannot_be_taken_in_holds_up_no_others(caplog):
    """It is let go of, and logged; those that wait still begin, and those behind it are taken out."""
    core = Core(Door(), [("a", None, 0), ("a", None, 1), ("a", "soon", 2), *(("a", None, n) for n in range(3, 500))])

    begun = await core.begun(499)

    assert [call[2] for call in begun] == [0, 1, *range(3, 500)]
    assert "a call could not be taken in" in caplog.text


class Slow(Core):
    """A core whose requests are answered when the test says so."""

    def __init__(self, door):
        super().__init__(door, ())
        self.requests = deque()
        self.runs = True

    async def _request_call(self):
        self.requests.append(request := asyncio.get_running_loop().create_future())
        return await request

    def is_running(self):
        return self.runs


async def begun_by_grpc_aio(core, count):
    """As many calls as it begins: it asks again when a request has failed and its server runs."""
    begun = []
    while len(begun) < count:
        try:
            begun.append(await core._make_request_call_future(None))
        except cygrpc._RequestCallError:
            assert core.runs
    return begun


@pytest.mark.usefixtures("known")
async def test_a_request_that_fails_while_the_server_runs_costs_no_call():
    """Those that were made beside it are answered with calls, which begin; and another is made in its place."""
    core = Slow(Door())
    begins = asyncio.create_task(begun_by_grpc_aio(core, 100))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    made = len(core.requests)
    core.requests.popleft().set_exception(cygrpc._RequestCallError("failed"))
    for number in range(100):
        async with asyncio.timeout(20):
            while not core.requests:  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0)
        core.requests.popleft().set_result(("a", None, number))

    async with asyncio.timeout(20):
        assert [call[2] for call in await begins] == list(range(100))
        while len(core.requests) < made:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    for taking in core.line.taking:
        taking.cancel()


@pytest.mark.usefixtures("known")
async def test_a_line_whose_server_stops_says_so_to_grpc_aio_and_takes_no_more():
    """What another request still brings belongs to nobody, and is held on to by nobody."""
    core = Slow(Door())
    asked = core._make_request_call_future(None)
    await asyncio.sleep(0)
    core.runs = False
    core.requests.popleft().set_exception(cygrpc._RequestCallError("shut down"))
    with pytest.raises(cygrpc._RequestCallError):
        await asked

    core.requests.popleft().set_result(("a", None, 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not core.line.waiting
    for request in core.requests:
        request.set_exception(cygrpc._RequestCallError("shut down"))
    await asyncio.wait(core.line.taking)


@asynccontextmanager
async def serving():
    """A real server: its one method answers with how many calls came before."""
    door, answered = Door(), count()

    async def answer(_request, _context):
        return str(next(answered)).encode()

    service, _, name = METHOD[1:].partition("/")
    handlers = {name: grpc.unary_unary_rpc_method_handler(answer)}
    server = grpcio.GrpcioServer(door, ())
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel.unary_unary(METHOD).future, door, server
    finally:
        await server.stop(0)


def code_of(call):
    """The code that a call ends with; waits for it."""
    return (call.exception() or call).code()


async def test_calls_whose_deadline_passes_while_the_server_is_busy_never_begin():
    """The event loop is: it waits here until the last of them was given up."""
    async with serving() as (call, door, _):
        assert await asyncio.to_thread(call(b"").result) == b"0"
        late = [call(b"", timeout=0.2) for _ in range(200)]
        assert {code_of(each) for each in late} == {grpc.StatusCode.DEADLINE_EXCEEDED}

        assert await asyncio.to_thread(call(b"").result) == b"1"
        assert 0 < door.late <= 200


async def test_a_server_that_stops_holds_on_to_no_call(monkeypatch):
    """Those that were taken out and have not begun end with it."""
    all_wait = asyncio.Event()

    def wait(taken, call):
        taken.waiting.add("", next(taken._numbers), (call, None))
        if len(taken.waiting) == 200:
            all_wait.set()

    monkeypatch.setattr(line.Line, "_sort", wait)
    async with asyncio.timeout(20), serving() as (call, _, server):
        calls = [call(b"") for _ in range(200)]
        await all_wait.wait()
        await server.stop(0)
        assert not server._server._lines[None].waiting
        assert grpc.StatusCode.OK not in await asyncio.to_thread(lambda: {code_of(each) for each in calls})


@pytest.mark.usefixtures("known")
async def test_calls_of_a_registered_method_have_a_line_of_their_own_in_which_connections_take_turns():
    """The call of one waits for two of the 500 that another has sent before it, and for none of other methods."""
    waiting = deque([*(("storm", None, n) for n in range(500)), ("honest", None, 0)])

    class Registered(Core):
        async def _request_registered_call(self, _method):
            if not waiting:
                await asyncio.Future()
            return waiting.popleft()

    core = Registered(Door(), [("other", None, n) for n in range(500)])
    begun = [await core._make_request_call_future(b"/a.B/C") for _ in range(501)]

    assert begun.index(("honest", None, 0)) <= 2
    assert {call[0] for call in begun} == {"storm", "honest"}
    for each in core._lines.values():
        for taking in each.taking:
            taking.cancel()
