"""How a server starts, stops, and comes back."""

import json
import re
import shutil
import signal
import stat
import subprocess
import threading
from pathlib import Path

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc

import burgee
from burgee.v1 import capture_pb2, flags_pb2
from burgee.v1.capture_pb2_grpc import CaptureServiceStub
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from burgee.v1.profiles_pb2 import ListEventsRequest
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.e2e.conftest import Command
from tests.fixtures.nursery import Python, run_python
from tests.fixtures.serving import READY, environment, wait_for


def call(server, key=None):
    """A channel to a server, and the metadata of its key."""
    return grpc.insecure_channel(server.target), (("authorization", f"Bearer {key or server.key}"),)


def stored_uuids(server, key=None):
    """Every uuid that can be read back."""
    channel, metadata = call(server, key)
    with channel:
        found, token = [], ""
        while not found or token:
            request = ListEventsRequest(page_size=1000, page_token=token)
            answer = ProfileServiceStub(channel).ListEvents(request, metadata=metadata)
            found += [event.uuid for event in answer.events]
            token = answer.next_page_token
            if not answer.events:
                break
    return found


def test_the_first_start_makes_a_key_that_only_its_owner_can_read_and_shows_it_once(serve):
    """The key works, is in the file, mode 0600, and the second start says nothing of it.

    The first is a process of its own, which Python takes apart at its end.
    """
    first = serve(first=True, within=("env",))
    shown = [line for line in first.said if first.key in line]
    mode = stat.S_IMODE((first.data / "api-key").stat().st_mode)
    key = first.key
    assert Command(first).json("flags", "list") == []
    code, errors = first.stop()

    second = serve()

    assert code == 0
    assert len(shown) == 1
    assert mode == 0o600
    assert key not in errors
    assert second.key == key
    assert second.said == [f"burgee API key in {second.data / 'api-key'}", f"{READY}{second.target}"]
    assert Command(second).json("flags", "list") == []


def test_a_bootstrap_key_is_taken_and_neither_written_nor_shown(serve):
    """Whoever deploys chooses the secret."""
    secret = "chosen-by-the-operator"

    server = serve(BURGEE_BOOTSTRAP_KEY=secret)

    channel, metadata = call(server, secret)
    with channel:
        ProfileServiceStub(channel).ListEvents(ListEventsRequest(), metadata=metadata)
    _, errors = server.stop()
    assert not (server.data / "api-key").exists()
    assert secret not in "\n".join([*server.said, errors])


def test_ready_is_said_once_and_only_when_calls_are_answered(serve):
    """A call right after the line goes through at the first try."""
    server = serve()
    channel, metadata = call(server)
    with channel:
        ProfileServiceStub(channel).ListEvents(ListEventsRequest(), metadata=metadata, timeout=5)
    server.stop()

    assert sum(line.startswith(READY) for line in server.said) == 1


def test_a_second_process_on_the_same_directory_gets_one_clear_line(shared_server):
    """And the first goes on."""
    second = run("serve", "--data", str(shared_server.data), "--listen", "127.0.0.1:0")

    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "in use" in second.stderr
    assert Command(shared_server).json("flags", "list") == []


def run(*arguments, **settings):
    """A command that is expected to end by itself."""
    return run_python("-m", "burgee_server", *arguments, text=True, env=environment(**settings))


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("--listen", "127.0.0.1:not-a-port"), {}, "listen"),
        (("--listen", "256.1.1.1:1"), {}, "listen"),
        (("--listen", "127.0.0.1"), {}, "HOST:PORT"),
        (("--listen", "127.0.0.1:99999"), {}, "HOST:PORT"),
        ((), {"BURGEE_QUERY_SECONDS": "soon"}, "query_seconds"),
        ((), {"BURGEE_LATE_DAYS": "0"}, "late_days"),
        ((), {"BURGEE_FUTURE_HOURS": "10000"}, "future_hours"),
        ((), {"BURGEE_BOOTSTRAP_KEY": "short"}, "bootstrap_key"),
    ],
)
def test_a_setting_that_will_not_do_is_named_in_one_line(tmp_path, arguments, settings, words):
    """Exit 1, the setting's name, no traceback, and never the secret."""
    done = run("serve", "--data", str(tmp_path / "data"), *arguments, **settings)

    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "short" not in done.stderr.replace("shorter", "")


def test_settings_come_from_flags_then_environment_then_file(serve, tmp_path):
    """The file is overridden by the environment, and that by a flag."""
    file = tmp_path / "burgee.toml"
    file.write_text('log_level = "DEBUG"\nlisten = "256.1.1.1:1"\nquery_seconds = 5.0\n')

    server = serve("--config", str(file), BURGEE_LOG_LEVEL="ERROR")

    _, errors = server.stop()
    assert server.target.startswith("127.0.0.1:")
    assert "DEBUG" not in errors


def test_a_file_with_an_unknown_setting_is_refused(tmp_path):
    """A misspelt setting is not silently ignored."""
    file = tmp_path / "burgee.toml"
    file.write_text('lisen = "127.0.0.1:0"\n')

    done = run("serve", "--config", str(file), "--data", str(tmp_path / "data"))

    assert done.returncode == 1
    assert "lisen" in done.stderr


@pytest.mark.parametrize("name", ["control.db", "journal.db"])
def test_a_damaged_file_is_named_in_one_line(left_behind, tmp_path, name):
    """What to do, not a traceback."""
    data = shutil.copytree(left_behind, tmp_path / "data", ignore=shutil.ignore_patterns("events"))
    (data / name).write_bytes(b"this is no database" * 1_000)

    done = run("serve", "--data", str(data), "--listen", "127.0.0.1:0")

    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_events_of_another_installation_are_never_served(serve):
    """A new control store would number its environments from one again, and so show them to somebody else."""
    server = serve()
    server.stop()
    for file in server.data.glob("control.db*"):
        file.unlink()

    done = run("serve", "--data", str(server.data), "--listen", "127.0.0.1:0")

    assert done.returncode == 1
    assert "different installations" in done.stderr


def test_profiles_come_back_when_the_warehouse_is_lost(serve):
    """They are in the control store, and are copied into the new warehouse."""
    server = serve()
    with burgee.Client(server.target, server.key) as client:
        client.identify("ann", {"role": "admin"})
        assert client.flush()
    server.stop()
    shutil.rmtree(server.data / "events")

    server = serve()

    with burgee.Client(server.target, server.key) as client:
        client.capture("seen", "ann")
        assert client.flush()

        def shown():
            rows = client.trend("seen", breakdown="user.role").rows
            return [str(row.part) for row in rows]

        wait_for(lambda: shown() == ["admin"])
    _, errors = server.stop()
    assert "profiles come back" in errors


def test_nobody_else_can_read_what_is_kept(serve, tmp_path):
    """Whatever mode the directory had, and whatever lay where the key goes."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / "api-key.new").write_text("")
    (data / "api-key.new").chmod(0o644)

    server = serve()

    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert server.data / "control.db" in files
    assert [path for path in files if path.stat().st_mode & 0o077 and path.name != "lock"] == []


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="there is no prlimit to start it with fewer")
def test_the_server_opens_as_many_files_as_it_may(serve):
    """Not the 1,024 of a shell: events with many different properties would wait in the journal for ever."""
    server = serve(within=("prlimit", "--nofile=1024:"))

    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    [(soft, hard)] = re.findall(r"Max open files +(\d+) +(\d+)", limits)
    assert soft == hard != "1024"


def capturing(server, acknowledged, stopped):
    """Send batches until told to stop; remember what was acknowledged, and count failures."""
    channel, metadata = call(server)
    failures = []
    with channel:
        stub = CaptureServiceStub(channel)
        number = 0
        while not stopped.is_set():
            uuids = [f"00000000-0000-4000-8000-{number:08x}{index:04x}" for index in range(50)]
            events = [
                capture_pb2.Event(uuid=uuid, event="e", distinct_id="ann", timestamp_micros=1_700_000_000_000_000)
                for uuid in uuids
            ]
            try:
                stub.Capture(capture_pb2.CaptureRequest(events=events), metadata=metadata, timeout=10)
            except grpc.RpcError as error:
                failures.append(error)
                return failures
            acknowledged += uuids
            number += 1
    return failures


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_what_was_acknowledged_is_there_after_a_restart_once(serve, how):
    """Stopped or killed in the middle of a stream of batches: every acknowledged event, none twice."""
    server = serve()
    acknowledged, stopped = [], threading.Event()
    sender = threading.Thread(target=capturing, args=(server, acknowledged, stopped))
    sender.start()
    wait_for(lambda: len(acknowledged) > 2_000)
    code, _ = server.stop(how)
    stopped.set()
    sender.join()
    assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)

    server = serve()

    expected = set(acknowledged)
    wait_for(lambda: expected <= set(stored_uuids(server)))
    found = stored_uuids(server)
    assert len(found) == len(set(found))
    assert len(found) <= len(expected) + 50  # the batch whose answer was not heard may be there, too


HELD_UP = """
import time
import burgee_server.app
from burgee_server.cli import main
from burgee_server.house import House

async def close(house):
    time.sleep(3600)

House.close = close
burgee_server.app.LAST_SECONDS = 0.5
main(["serve", "--listen", "127.0.0.1:0"])
"""


def test_a_server_that_is_held_up_while_it_stops_ends_all_the_same_and_says_where_it_was(tmp_path):
    """Something has the event loop and never gives it back; to be told again to stop changes nothing."""
    settings = environment(BURGEE_DATA=str(tmp_path / "data"), BURGEE_DRAIN_SECONDS="0")
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Python("-c", HELD_UP, text=True, env=settings, **streams) as server:
        while not server.stdout.readline().startswith(READY):
            assert server.poll() is None, server.stderr.read()
        for _ in range(2):
            server.send_signal(signal.SIGTERM)
        try:
            _, errors = server.communicate(timeout=60)
        finally:
            server.kill()

    assert server.returncode == 1
    assert "in close" in errors


def test_a_log_of_json_is_json_from_the_first_line_to_the_last(serve):
    """Whatever library speaks; calls are in it at DEBUG, the key is not."""
    server = serve(BURGEE_LOG_FORMAT="json", BURGEE_LOG_LEVEL="DEBUG")
    Command(server).json("flags", "list")
    key = server.key
    _, errors = server.stop()

    entries = [json.loads(line) for line in errors.splitlines()]
    [call] = [entry for entry in entries if "method" in entry]
    assert call["method"] == "/burgee.v1.FlagAdminService/ListFlags"
    assert {"time", "level", "logger", "message", "request_id", "code", "seconds", "api_key_id"} <= call.keys()
    assert key not in errors


def test_the_control_store_is_where_the_settings_say_and_its_password_is_nowhere(serve, tmp_path, postgres_database):
    """A flag outlives the data directory's own files; neither what is said nor the log has the password."""
    url = postgres_database.replace("postgres@", "postgres:unguessable@")
    server = serve(BURGEE_DATABASE=url)
    Command(server).text("flags", "create", "kept-in-postgresql")
    code, log = server.stop()
    assert code == 0, log
    assert not (tmp_path / "data" / "control.db").exists()

    server = serve(BURGEE_DATABASE=url)
    assert "kept-in-postgresql" in Command(server).text("flags", "list")
    said = "\n".join(server.said) + server.errors
    assert "unguessable" not in said


@pytest.mark.parametrize("transport", ["grpcio", "native"])
def test_a_server_that_stops_says_so_first_and_waits_for_nobody_who_only_watches(serve, transport):
    """Health says NOT_SERVING while checks are still answered; then streams end, and the process, with 0."""
    server = serve("--transport", transport, BURGEE_DRAIN_NOTICE_SECONDS="2", BURGEE_DRAIN_SECONDS="600")
    with grpc.insecure_channel(server.target) as channel, burgee.Client(server.target, server.key) as client:
        assert client.ready(20)
        watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watching).status == health_pb2.HealthCheckResponse.SERVING
        server.process.send_signal(signal.SIGTERM)
        assert next(watching).status == health_pb2.HealthCheckResponse.NOT_SERVING
        metadata = (("authorization", f"Bearer {server.key}"),)
        FlagServiceStub(channel).EvaluateAll(flags_pb2.EvaluateAllRequest(), metadata=metadata, timeout=10)
        code, errors = server.stop()
        assert code == 0, errors


def test_a_server_with_a_certificate_is_found_by_its_https_address(serve, tmp_path):
    """The ready line has it, `burgee health` and the doctor take it, and the doctor says until when it holds."""
    authority = trustme.CA()
    certificate, key, trusted = tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "ca.pem"
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    settings = {"BURGEE_TLS_CERTIFICATE": str(certificate), "BURGEE_TLS_KEY": str(key)}
    server = serve(**settings)
    assert server.target.startswith("https://127.0.0.1:")

    def burgee_command(*arguments, **more):
        return run_python("-m", "burgee_server", *arguments, text=True, env=environment(**more))

    trusting = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(trusted)}
    assert burgee_command("health", "--target", server.target, **trusting).stdout == "SERVING\n"
    refused = burgee_command("health", "--target", server.target)
    assert (refused.returncode, "has signed its certificate" in refused.stderr) == (1, True)
    asked = burgee_command("doctor", "--data", str(server.data), "--json", **trusting)
    found = {each["subject"]: each for each in json.loads(asked.stdout)}
    assert found["server"]["found"].endswith(f"answers at {server.target}")
    assert re.fullmatch(r"for localhost, 127\.0\.0\.1, by .*, until \d{4}-.* UTC", found["certificate"]["found"])
    assert server.stop()[0] == 0
