"""Processes that answer calls and one that does the work behind, on stores that they share."""

import json
import os
import re
import signal
import urllib.request

import grpc
import pytest
import redis
from grpc_health.v1 import health_pb2, health_pb2_grpc

import burgee
from burgee.v1 import capture_pb2, flag_admin_pb2
from burgee.v1.capture_pb2_grpc import CaptureServiceStub
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from tests.e2e.conftest import Command
from tests.fixtures.clickhouse import ClickHouse
from tests.fixtures.nursery import run_python
from tests.fixtures.serving import children, environment, wait_for

KEY = "chosen-for-several-nodes"


@pytest.fixture
def warehouse():
    """One without tables: it takes the events of one control store only."""
    endpoint = ClickHouse()
    yield endpoint.dsn
    endpoint.close()


@pytest.fixture
def shared(postgres_database, redis_url, warehouse):
    """Settings of the stores that several processes share, empty."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    return {
        "BURGEE_DATABASE": postgres_database,
        "BURGEE_REDIS": redis_url,
        "BURGEE_WAREHOUSE": warehouse,
        "BURGEE_BOOTSTRAP_KEY": KEY,
    }


def serves(server, service=""):
    """Whether its health says that it serves this."""
    with grpc.insecure_channel(server.target) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return False
        return answer.status == health_pb2.HealthCheckResponse.SERVING


def list_flags(server):
    """Ask for the flags."""
    metadata = (("authorization", f"Bearer {KEY}"),)
    with grpc.insecure_channel(server.target) as channel:
        FlagAdminServiceStub(channel).ListFlags(flag_admin_pb2.ListFlagsRequest(), metadata=metadata, timeout=20)


def metrics(server):
    """The metrics that each of its processes serves."""
    said = [line.removeprefix("burgee metrics ") for line in server.said if line.startswith("burgee metrics ")]
    return [urllib.request.urlopen(each, timeout=20).read().decode() for each in said]


def waiting(text):
    """How many events wait in the journal."""
    return float(re.search(r"^burgee_journal_events (\S+)$", text, re.M)[1])


def test_a_node_that_answers_leaves_the_work_to_one_that_loads(serve, shared):
    """Events wait until there is a loader, which answers nothing but its health."""
    api = serve("--role", "api", BURGEE_METRICS_LISTEN="127.0.0.1:0", **shared)
    with burgee.Client(api.target, KEY) as client:
        client.capture("seen", "ann")
        client.flush()
    assert waiting(*metrics(api)) == 1

    loader = serve("--role", "loader", name="loader", **shared)
    wait_for(lambda: waiting(*metrics(api)) == 0)

    with pytest.raises(grpc.RpcError) as error:
        list_flags(loader)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert (serves(loader), serves(loader, "burgee.v1.FlagService")) == (True, False)
    command = ("-m", "burgee_server", "doctor", "--data", str(loader.data), "--json")
    doctor = run_python(*command, env=environment(**shared, BURGEE_API_KEY=KEY), text=True, timeout=120)
    found = {each["subject"]: each for each in json.loads(doctor.stdout)}
    assert found["server"]["state"] == found["redis"]["state"] == "ok", doctor.stdout
    assert "a loader" in found["server"]["found"]
    assert (serves(api), serves(api, "burgee.v1.FlagService")) == (True, True)
    for server in (loader, api):
        code, errors = server.stop()
        assert code == 0, errors


def test_processes_share_a_port_and_end_when_they_are_told_to(serve, shared):
    """The kernel spreads connections over them, and there is one ready line for all."""
    server = serve("--processes", "2", BURGEE_METRICS_LISTEN="127.0.0.1:0", **shared)
    answered = set()

    def both_have_answered():
        Command(server, KEY).json("flags", "list")
        counts = [re.search(r"^burgee_rpc_calls_total\{.*ListFlags.*\} (\S+)$", text, re.M) for text in metrics(server)]
        answered.update(number for number, count in enumerate(counts) if count)
        return answered == {0, 1}

    wait_for(both_have_answered, 60)
    assert sum(line.startswith("burgee ready") for line in server.said) == 1
    doctor = Command(server, KEY).run("doctor", "--target", server.target, "--json")
    found = {each["subject"] for each in json.loads(doctor.stdout)}
    assert {"control store", "redis", "warehouse", "journal"} <= found
    assert doctor.returncode == 0, doctor.stdout
    code, errors = server.stop()
    assert code == 0, errors


def test_each_process_that_answers_has_a_companion_of_its_own_and_a_loader_has_none(serve, shared):
    """They end with it."""
    loader = serve("--role", "loader", name="loader", BURGEE_METRICS_LISTEN="127.0.0.1:0", **shared)
    server = serve("--processes", "2", BURGEE_METRICS_LISTEN="127.0.0.1:0", **shared)
    event = capture_pb2.Event(event="seen", distinct_id="ann", properties_json=json.dumps({"note": "x" * 40_000}))

    def both_have_one():
        with burgee.Client(server.target, KEY) as client:  # another connection, which the kernel gives to either
            client.stub(CaptureServiceStub).Capture(capture_pb2.CaptureRequest(events=[event]), timeout=20)
        return [companions(text) for text in metrics(server)] == [1, 1]

    wait_for(both_have_one, 60)
    of_both = [child for process in _children(server.process.pid) for child in children(process)]
    assert len(of_both) == 2
    assert ([companions(text) for text in metrics(loader)], children(loader.process.pid)) == ([0], [])
    for each in (server, loader):
        code, errors = each.stop()
        assert code == 0, errors
    assert not any(_is_alive(process) for process in of_both)


def companions(text):
    """How many there are."""
    return float(re.search(r"^burgee_companion_up (\S+)$", text, re.M)[1])


@pytest.mark.parametrize("which", ["one of them", "the one that started them"])
def test_a_process_that_is_killed_takes_the_others_with_it(serve, shared, which):
    """So that a supervisor sees it, and no half of a server is left behind on the port."""
    server = serve("--processes", "2", **shared)
    children = _children(server.process.pid)
    os.kill(children[0] if which == "one of them" else server.process.pid, signal.SIGKILL)

    code = server.process.wait(timeout=60)

    wait_for(lambda: not any(_is_alive(child) for child in children))
    if which == "one of them":
        assert code == 1
        assert "ended by themselves" in server.errors


@pytest.mark.parametrize("arguments", [("--role", "api"), ("--role", "loader"), ("--processes", "2")])
def test_without_stores_in_common_there_is_one_process_and_it_does_everything(tmp_path, arguments):
    """One line says what would be needed."""
    command = ("-m", "burgee_server", "serve", "--data", str(tmp_path / "data"), *arguments)
    done = run_python(*command, text=True, env=environment())

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "redis" in done.stderr


def _children(parent):
    """The processes that serve, of one that was started with --processes."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if not entry.isdecimal() or b"spawn_main" not in _read(f"/proc/{entry}/cmdline"):
                continue
            if int(_read(f"/proc/{entry}/stat").rpartition(b")")[2].split()[1]) == parent:
                found.append(int(entry))
        except OSError:  # it has ended meanwhile
            continue
    assert len(found) == 2
    return found


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _is_alive(process):
    try:
        return _read(f"/proc/{process}/stat").rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False
