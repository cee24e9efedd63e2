"""Several nodes that share their stores: what becomes of checks and events when one of them, or a store, fails."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import burgee
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from tests.faults.nodes import FLAG, KEY, Checking, Nodes
from tests.faults.senders import EVENT, Senders
from tests.faults.test_kill import all_is_loaded
from tests.fixtures.serving import Serving, wait_for
from tests.rpc.flag_calls import by_company

REST_SECONDS = 0.2
CAPTURE = "burgee.v1.CaptureService"
_SERVING, _NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SHORT_SECONDS, LONG_SECONDS = 3.0, 30.0


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Three nodes with a flag that is on for everybody, rolled out by company."""
    nodes = Nodes(tmp_path_factory.mktemp("nodes"))
    try:
        with nodes.client(0) as client:
            client.group("company", "acme", {"plan": "pro"})
            assert client.flush(30)
            client.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag(True)))
        yield nodes
    finally:
        nodes.close()


def flag(on: bool) -> flags_pb2.Flag:
    """On for all companies on a plan, or for none: the stored profile is asked."""
    return by_company(100_000 if on else 0, "pro")


def switch(client: burgee.Client, on: bool) -> None:
    """Change the flag on the node that a client is on."""
    request = flag_admin_pb2.UpdateFlagRequest(flag=flag(on), expected_version=0)
    client.stub(FlagAdminServiceStub).UpdateFlag(request, wait_for_ready=True, timeout=30)


@contextmanager
def clients_of(nodes: Nodes) -> Iterator[list[burgee.Client]]:
    """One on each node, with the flags in memory."""
    with ExitStack() as stack:
        clients = [stack.enter_context(nodes.client(first)) for first in range(3)]
        for client in clients:
            wait_for(lambda client=client: client.resolve(FLAG, "ann", company="acme").reason != burgee.Reason.ERROR)
        yield clients


@contextmanager
def sending(*targets: str) -> Iterator[list[Senders]]:
    """Clients of any language that send to these, and get rid of everything in the end."""
    senders = [Senders(target, KEY, REST_SECONDS, f"sender-{time.time_ns()}") for target in targets]
    for each in senders:
        each.start()
    yield senders
    for each in senders:
        each.finish()


def counted(node: Serving) -> int:
    """How many events can be queried, once everything acknowledged is loaded."""
    with burgee.Client(node.target, KEY) as client:
        wait_for(lambda: all_is_loaded(client), 120)
        rows = client.trend(EVENT, start="2026-01-01", end="2026-04-01", interval="month").rows
        return round(sum(rows[0].values)) if rows else 0


def health(node: Serving) -> dict[str, int]:
    """What it says of capturing, and of itself as a whole."""
    with grpc.insecure_channel(node.target) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        return {name: check(health_pb2.HealthCheckRequest(service=name), timeout=10).status for name in (CAPTURE, "")}


def is_on(client: burgee.Client) -> bool:
    """What the client says from its memory."""
    return client.is_enabled(FLAG, "ann", company="acme")


def test_a_change_on_one_node_is_seen_by_the_clients_of_all(nodes: Nodes) -> None:
    """Whichever node it is made on."""
    with clients_of(nodes) as clients:
        for number, on in enumerate((False, True, False, True)):
            switch(clients[number % 3], on)
            for client in clients:
                wait_for(lambda client=client, on=on: is_on(client) is on)


def test_a_node_that_is_killed_takes_no_check_and_no_acknowledged_event_with_it(nodes: Nodes) -> None:
    """The one that loads. Clients move on to others, another node loads, and changes go on being heard."""
    before = counted(nodes.nodes[1])
    with clients_of(nodes) as clients:
        checking = [Checking(client) for client in clients]
        with sending(*(nodes.target(first) for first in range(3))) as senders:
            wait_for(lambda: all(each.batches > 5 for each in senders))
            nodes.nodes[0].stop(signal.SIGKILL)
            sent = [each.batches for each in senders]
            wait_for(lambda: all(each.batches > were + 5 for each, were in zip(senders, sent, strict=True)), 60)
            switch(clients[1], False)
            for client in clients:
                wait_for(lambda client=client: not is_on(client), 60)
        switch(clients[2], True)
        for each in checking:
            each.finish()

    assert counted(nodes.nodes[1]) - before == sum(each.events for each in senders)
    nodes.restart(0)


@pytest.mark.parametrize(
    "seconds", [SHORT_SECONDS, pytest.param(LONG_SECONDS, marks=pytest.mark.soak)], ids=["short", "long"]
)
@pytest.mark.parametrize("store", ["postgres", "redis", "clickhouse"])
def test_a_store_that_is_away_fails_no_check_and_loses_no_acknowledged_event(
    nodes: Nodes, store: str, seconds: float
) -> None:
    """Checks are answered all the while, by clients and by nodes; what was acknowledged is there afterwards, once."""
    before = counted(nodes.nodes[0])
    with clients_of(nodes) as clients:
        wait_for(lambda: all(is_on(client) for client in clients))
        checking = [Checking(client, node.target) for client, node in zip(clients, nodes.nodes, strict=True)]
        with sending(*(node.target for node in nodes.nodes)) as senders:
            wait_for(lambda: all(each.batches > 5 for each in senders), 60)
            wait_for(lambda: all(each.answers["there"] > 5 for each in checking))
            getattr(nodes, store).stop()
            time.sleep(seconds)  # that long it is away
            getattr(nodes, store).start()
            sent = [each.batches for each in senders]
            wait_for(lambda: all(each.batches > were + 5 for each, were in zip(senders, sent, strict=True)), 120)
        for each in checking:
            each.finish()

    assert counted(nodes.nodes[0]) - before == sum(each.events for each in senders)


@pytest.mark.parametrize("seconds", [0.0, pytest.param(LONG_SECONDS, marks=pytest.mark.soak)], ids=["short", "long"])
def test_a_node_that_cannot_reach_redis_answers_checks_hears_changes_and_refuses_events_honestly(
    nodes: Nodes, seconds: float
) -> None:
    """It says when to come back; what the others take meanwhile, and it afterwards, is all there."""
    before = counted(nodes.nodes[0])
    with clients_of(nodes) as clients:
        checking = Checking(clients[2], nodes.nodes[2].target)
        with sending(nodes.nodes[0].target, nodes.nodes[2].target) as (fine, cut_off):
            wait_for(lambda: fine.batches > 5 and cut_off.batches > 5, 60)
            nodes.way.cut()
            switch(clients[0], False)
            wait_for(lambda: not is_on(clients[2]), 60)
            wait_for(lambda: any("Redis" in failure.message for failure in cut_off.failures), 60)
            wait_for(lambda: health(nodes.nodes[2]) == {CAPTURE: _NOT_SERVING, "": _SERVING}, 60)
            sent = fine.batches
            wait_for(lambda: fine.batches > sent + 5, 60)
            time.sleep(seconds)  # that long it stays cut off, beside what the above took
            nodes.way.mend()
        assert all(failure.says_when for failure in cut_off.failures if "Redis" in failure.message)
        switch(clients[0], True)
        wait_for(lambda: is_on(clients[2]), 60)
        wait_for(lambda: health(nodes.nodes[2]) == {CAPTURE: _SERVING, "": _SERVING}, 60)
        checking.finish()

    assert counted(nodes.nodes[0]) - before == fine.events + cut_off.events


def test_a_node_that_holds_events_acknowledges_them_without_redis_and_hands_them_over_once(nodes: Nodes) -> None:
    """It is killed, and starts again, while it is cut off, and is killed as soon as it is back: all is there, once."""
    before = counted(nodes.nodes[0])
    nodes.nodes[2].stop(signal.SIGKILL)
    nodes.restart(2, BURGEE_JOURNAL_AWAY="local")
    held = nodes.nodes[2].data / "held.db"
    with sending(nodes.nodes[2].target) as (senders,):
        wait_for(lambda: senders.batches > 5, 60)
        nodes.way.cut()
        wait_for(lambda: holding(held) > 20, 60)
        assert [each for each in senders.failures if "Redis" in each.message] == []
    nodes.nodes[2].stop(signal.SIGKILL)
    nodes.restart(2, BURGEE_JOURNAL_AWAY="local")
    held_before = holding(held)
    with nodes.client(2) as client, sending(nodes.nodes[2].target) as (later,):
        wait_for(lambda: is_on(client), 60)
        wait_for(lambda: holding(held) > held_before + 20, 60)
    nodes.nodes[2].stop(signal.SIGKILL)

    nodes.way.mend()
    held_by_then = holding(held)
    nodes.restart(2, BURGEE_JOURNAL_AWAY="local")
    nodes.nodes[2].stop(signal.SIGKILL)
    nodes.restart(2)  # what it held is handed over, whatever the setting is now
    wait_for(lambda: not holding(held), 60)

    assert held_by_then > 0
    assert counted(nodes.nodes[0]) - before == senders.events + later.events


def holding(file: Path) -> int:
    """How many batches a node has in this file that it has not handed over."""
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM batches").fetchone()[0])
