"""Connections with many streams: whose client is told, when, and what people are told of those that cannot be."""

import asyncio
import logging
import math
import socket
import threading
from contextlib import ExitStack

import pytest

from burgee_server.findings import State
from burgee_server.rpc import detours
from burgee_server.rpc.detours import Detours
from burgee_server.rpc.sockets import GOAWAY


@pytest.fixture(params=["127.0.0.1", "::ffff:127.0.0.1", "::1"])
def callers(request):
    """Two callers at a port of ours: their sockets, gRPC's names of them, and the port."""
    host = request.param
    with ExitStack() as stack:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = stack.enter_context(socket.socket(family))
        listener.bind((host, 0))
        listener.listen()
        port = listener.getsockname()[1]
        sockets, names = [], []
        for _ in range(2):
            caller = stack.enter_context(socket.create_connection((host, port), timeout=20))
            stack.enter_context(listener.accept()[0])
            number = caller.getsockname()[1]
            names.append(f"ipv6:%5B::1%5D:{number}" if host == "::1" else f"ipv4:127.0.0.1:{number}")
            sockets.append(caller)
        yield sockets, names, port


async def test_a_client_is_told_when_half_of_its_calls_are_streams(callers):
    """Once, with GOAWAY; not before, and not the one with fewer."""
    (first, second), (many, few), port = callers
    told = Detours()
    told.begin(port, 4, plain=True)
    with ExitStack() as streams:
        for name in (many, few):
            streams.enter_context(told.stay(name))
        assert told._telling is None
        streams.enter_context(told.stay(many))
        await told._telling
        streams.enter_context(told.stay(many))
        assert first.recv(100) == GOAWAY
        assert (told.told, told.full) == (1, 0)
    second.setblocking(False)
    with pytest.raises(BlockingIOError):
        second.recv(1)
    assert not told._staying


async def test_a_client_with_something_on_its_way_is_told_when_that_has_arrived(callers, monkeypatch):
    """Into the middle of what is being written, nothing may be said."""
    asked, tries = asyncio.Event(), []
    loop, say_goodbye_to = asyncio.get_running_loop(), detours.say_goodbye_to

    def busy_at_first(port, peers):
        tries.append(peers)
        loop.call_soon_threadsafe(asked.set)
        return say_goodbye_to(port, peers) if len(tries) > 1 else (frozenset(), peers)

    monkeypatch.setattr(detours, "say_goodbye_to", busy_at_first)
    monkeypatch.setattr(detours, "_AGAIN_SECONDS", 0)
    (first, _), (many, _), port = callers
    told = Detours()
    told.begin(port, 2, plain=True)
    with told.stay(many):
        await told._telling
        assert first.recv(100) == GOAWAY
    assert tries == [{many}, {many}]
    assert told.told == 1


async def test_of_a_full_connection_that_stays_so_people_are_told_now_and_then(callers, monkeypatch, caplog):
    """In TLS nothing can be said to its client: the log says which it is and what to do, once for all of a minute."""
    monkeypatch.setattr(detours, "_LOOK_SECONDS", 0)
    _, names, port = callers
    counted = Detours()
    counted.begin(port, 2, plain=False)
    with ExitStack() as streams, caplog.at_level(logging.WARNING, logger=detours.__name__):
        for name in (*names, *names):
            streams.enter_context(counted.stay(name))
        assert counted.full == 2
        [finding] = counted.findings()
        assert (finding.state, finding.found[:2]) == (State.WARNING, "2 ")
        looked = asyncio.Event()
        asyncio.get_running_loop().call_later(0, looked.set)
        await looked.wait()
    [record] = caplog.records
    assert "may be calls, 2, so" in record.getMessage()
    assert f"2, {names[0]} among them" in record.getMessage()
    assert "set connection_calls higher" in record.getMessage()
    assert (counted.told, counted.full, counted._telling) == (0, 0, None)


async def test_of_a_full_connection_whose_client_was_told_nobody_is_warned(callers, monkeypatch, caplog):
    """Its next call is on another, and waits for nothing. Before it was told, it would have waited."""
    first_look, may_look = asyncio.Event(), threading.Event()
    loop, say_goodbye_to = asyncio.get_running_loop(), detours.say_goodbye_to

    def slow_to_tell(port, peers):
        loop.call_soon_threadsafe(first_look.set)
        assert may_look.wait(20)
        return say_goodbye_to(port, peers)

    monkeypatch.setattr(detours, "say_goodbye_to", slow_to_tell)
    _, (name, _), port = callers
    told = Detours()
    told.begin(port, 2, plain=True)
    with told.stay(name), told.stay(name), caplog.at_level(logging.WARNING, logger=detours.__name__):
        await first_look.wait()
        told._write()
        assert "reads too slowly" in caplog.text
        assert (told.told, told.full) == (0, 1)
        assert [each.subject for each in told.findings()] == ["connections"]
        caplog.clear()
        monkeypatch.setattr(told, "_written", -math.inf)
        may_look.set()
        await told._telling
        told._write()
        assert (told.told, told.full, list(told.findings()), caplog.text) == (1, 0, [], "")


async def test_a_client_that_has_gone_is_not_counted_as_told(callers):
    """It went by itself, before anything could be said to it."""
    _, _, port = callers
    told = Detours()
    told.begin(port, 2, plain=True)
    with told.stay("ipv4:127.0.0.1:1"):
        await told._telling
        assert (told.told, told.full, told._due) == (0, 0, set())


async def test_without_a_limit_nothing_is_counted(callers):
    """And not where gRPC does not tell who calls, as behind a socket of Unix."""
    _, (name, _), port = callers
    for most, connection in ((0, name), (1, "unix:")):
        counted = Detours()
        counted.begin(port, most, plain=True)
        with counted.stay(connection):
            assert (counted.full, counted._telling) == (0, None)
