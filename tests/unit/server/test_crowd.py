"""Connections that are too many, at a port whose transport accepts all of them."""

import os
import socket
from contextlib import ExitStack

import pytest

from burgee_server.rpc import crowd as crowd_of
from burgee_server.rpc.crowd import Crowd


@pytest.fixture
def port():
    """Somebody listens there and accepts whoever comes: `connect` gives the caller's side, and ours."""
    with ExitStack() as open_ones, socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.getsockname()[1]

        def connect():
            caller = open_ones.enter_context(socket.create_connection(("127.0.0.1", number), timeout=20))
            ours = open_ones.enter_context(listening.accept()[0])
            caller.setblocking(False)
            return caller, ours

        yield number, connect


def is_open(sides):
    """Whether our side has not hung up."""
    caller, _ = sides
    try:
        return caller.recv(1) != b""
    except BlockingIOError:
        return True


def test_the_last_to_come_are_hung_up_on(port):
    """Those that were there at the last look stay, whatever numbers they have; those that are away make room."""
    number, connect = port
    crowd = Crowd(number, 3)
    before = [connect() for _ in range(3)]
    assert crowd.thin_out() == 0
    after = [connect() for _ in range(2)]
    assert crowd.thin_out() == 2
    assert [is_open(each) for each in (*before, *after)] == [True, True, True, False, False]

    _, ours = before.pop()
    ours.close()
    last = connect()
    assert crowd.thin_out() == 0
    assert is_open(last)


def test_a_flood_between_two_looks_leaves_those_who_were_there(port, monkeypatch):
    """Of ten that came at once nine are too many; the one that was known is none of them, though the last by number."""
    monkeypatch.setattr(crowd_of, "_number", lambda each: -os.fstat(each.fileno()).st_ino)
    number, connect = port
    crowd = Crowd(number, 2)
    flood = [connect() for _ in range(10)]
    known = connect()
    for _, ours in flood:
        ours.close()
    assert crowd.thin_out() == 0
    more = [connect() for _ in range(10)]
    assert crowd.thin_out() == 9
    assert is_open(known)
    assert sum(map(is_open, more)) == 1


def test_nobody_is_looked_at_where_few_files_are_open(port, monkeypatch):
    """Fewer than half of what may be connected: it costs one list of the files."""
    number, connect = port
    connect()
    monkeypatch.setattr(crowd_of, "connections", lambda _port: pytest.fail("looked"))
    assert Crowd(number, 1_000_000).thin_out() == 0
