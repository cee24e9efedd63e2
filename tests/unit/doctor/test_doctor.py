"""`burgee doctor` without a server: what it finds in a directory, and what it says to do."""

import errno
import json
import os
import re
import socket
import sqlite3
import ssl
import time
from collections import namedtuple
from datetime import UTC, datetime, timedelta

import click.testing
import pytest
import trustme

from burgee_server.cli import main
from burgee_server.doctor import examine, place
from burgee_server.findings import State
from burgee_server.rpc.certificate import server_side
from burgee_server.settings import Settings
from burgee_server.storage.directory import DataDirectory
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sqlite.journal import SqliteJournal


@pytest.fixture
async def data(tmp_path):
    """A directory as a server leaves it, but for a warehouse: one process can have only one of those open."""
    directory = DataDirectory(tmp_path / "data")
    directory.write_secret("api-key", "a-key-of-an-operator\n")
    database = Database(f"sqlite+aiosqlite:///{directory.path / 'control.db'}")
    await database.migrate()
    await database.close()
    journal = SqliteJournal(directory.path / "journal.db", 1 << 20)
    await journal.append(1, "b", b"x" * 1000, 3)
    await journal.close()
    directory.release()
    return directory.path


def look(data, **settings):
    """The findings by subject that are not OK, as (state, found, advice)."""
    found = {}
    for each in examine(Settings(data=data, **settings)):
        assert each.advice if each.state is not State.OK else not each.advice
        if each.state is not State.OK:
            found[each.subject] = (each.state, each.found, each.advice)
    return found


def test_a_directory_that_is_as_it_should_be_has_nothing_wrong_with_it(data):
    """Every store is looked at, and found well."""
    found = list(examine(Settings(data=data, journal_max_mb=1)))

    assert {each.state for each in found} == {State.OK}
    assert {"directory", "disk", "open files", "processes", "clock", "key file", "control store", "journal"} == {
        each.subject for each in found
    }


def test_a_directory_that_is_not_there_yet_is_no_fault(tmp_path):
    """Who asks before the first start learns whether there is room."""
    assert look(tmp_path / "none", journal_max_mb=1) == {}


def test_stores_elsewhere_are_looked_at_before_there_is_a_directory(tmp_path):
    """Whoever has just written their URLs wants to know; each says what the system says, and no password."""
    found = look(
        tmp_path / "data",
        database="postgresql+psycopg://burgee:hush-hush@127.0.0.1:9/burgee",
        redis="redis://:hush-hush@127.0.0.1:9/0",
        warehouse="clickhouse://burgee:hush-hush@127.0.0.1:9/burgee",
    )

    assert {"control store", "redis", "warehouse"} <= found.keys()
    for subject, setting in (("control store", "DATABASE"), ("redis", "REDIS"), ("warehouse", "WAREHOUSE")):
        state, told, advice = found[subject]
        assert (state, "refused" in told.lower(), f"BURGEE_{setting}" in advice) == (State.WRONG, True, True), told
    assert "hush" not in str(found)


def test_a_warehouse_that_says_nothing_is_not_waited_for_for_long(tmp_path, monkeypatch):
    """It takes the connection, and no more: the client would wait for five minutes."""
    monkeypatch.setattr("burgee_server.storage.clickhouse.checks._SILENT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        state, told, _ = look(tmp_path, warehouse=f"clickhouse://127.0.0.1:{port}/burgee")["warehouse"]

    assert (state, f"127.0.0.1:{port}" in told) == (State.WRONG, True), told


def test_looking_changes_nothing(data):
    """No file is made, removed or written."""
    before = {path: path.stat().st_mtime_ns for path in data.iterdir()}
    list(examine(Settings(data=data)))

    assert {path: path.stat().st_mtime_ns for path in data.iterdir()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_does_not_open_the_stores_of_somebody_else(data):
    """It would leave files behind that the server could not write."""
    os.chown(data, 12345, 12345)

    found = list(examine(Settings(data=data)))

    assert [each.state for each in found if each.subject == "directory"] == [State.WRONG]
    assert not {"control store", "journal"} & {each.subject for each in found}


def test_what_others_can_read_is_wrong(data):
    """The key file and the directory."""
    data.chmod(0o755)
    (data / "api-key").chmod(0o644)

    found = look(data, journal_max_mb=1)

    assert found["directory"][0] is found["key file"][0] is State.WRONG
    assert "chmod 600" in found["key file"][2]


@pytest.mark.parametrize("name", ["control.db", "journal.db"])
def test_a_file_that_is_damaged_is_wrong(data, name):
    """At its head, where nothing can be read, and in its middle, where most can."""
    path = data / name
    whole = path.read_bytes()
    subject = "control store" if name == "control.db" else "journal"
    for damaged in (b"not a database at all" + whole[21:], whole[:4096] + b"\xff" * 4096 + whole[8192:]):
        path.write_bytes(damaged)

        found = look(data, journal_max_mb=1)

        assert found[subject][0] is State.WRONG
        assert "backup" in found[subject][2]
    # The middle of a journal is saved by the next start, row by row.
    assert ("start the server" in found[subject][2]) is (name == "journal.db")


def test_a_store_of_an_older_burgee_is_a_warning_and_of_a_newer_one_is_wrong(data):
    """The next start mends the one; nothing here mends the other."""
    for revision, state in (("0001", State.WARNING), ("9999", State.WRONG)):
        with sqlite3.connect(data / "control.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.close()
        assert look(data, journal_max_mb=1)["control store"][0] is state
    with sqlite3.connect(data / "journal.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer" in look(data, journal_max_mb=1)["journal"][2]


async def test_a_journal_that_fills_up_or_waits_too_long_is_told(data, monkeypatch):
    """How full it is, and for how long the oldest batch has waited."""
    journal = SqliteJournal(data / "journal.db", 1 << 20)
    await journal.append(1, "", b"x" * 900_000, 1)
    await journal.close()

    state, found, _ = look(data, journal_max_mb=1)["journal"]
    assert state is State.WARNING
    assert "86%" in found

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    assert "waited" in look(data, journal_max_mb=2)["journal"][1]


async def test_a_clock_that_was_set_back_is_wrong(data, monkeypatch):
    """Batches of the future are in the journal; and no clock shows a time before this was written."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    assert look(data, journal_max_mb=1)["clock"][0] is State.WRONG

    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert place.clock().state is State.WRONG


def test_a_disk_that_is_nearly_full_is_told(data, monkeypatch):
    """Before the journal cannot grow as far as it may, and when nothing can be written."""
    usage = namedtuple("usage", "total used free")
    for free_mb, state in ((100, State.WRONG), (1500, State.WARNING), (5000, State.OK)):
        monkeypatch.setattr(place.shutil, "disk_usage", lambda _path, free=free_mb: usage(0, 0, free << 20))
        assert place.room(data, 1024).state is state


@pytest.mark.parametrize(("subject", "limit"), [("open files", "RLIMIT_NOFILE"), ("processes", "RLIMIT_NPROC")])
def test_a_system_that_allows_little_is_told(data, monkeypatch, subject, limit):
    """Each limit by its own name: where threads run out, no large batch is checked."""
    own, which = place.resource.getrlimit, getattr(place.resource, limit)
    monkeypatch.setattr(place.resource, "getrlimit", lambda asked: (45, 45) if asked == which else own(asked))

    [(told, (state, found, _))] = look(data, journal_max_mb=1).items()

    assert (told, state, found) == (subject, State.WARNING, "at most 45")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_wrong(data):
    """Whose it is says the advice."""
    data.chmod(0o500)
    assert look(data)["directory"][0] is State.WRONG


def test_a_file_system_that_is_mounted_read_only_is_told(data, monkeypatch):
    """It is no question of whose the directory is, and no other process has the warehouse."""

    def read_only(**_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    access = os.access
    monkeypatch.setattr(place.tempfile, "TemporaryFile", read_only)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))
    found = {each.subject: each for each in examine(Settings(data=data), alone=False)}

    assert found["directory"].state is State.WRONG
    assert "mount" in found["directory"].advice
    assert "another process" not in found["warehouse"].found


def test_the_command_prints_json_and_exits_with_one_if_something_is_wrong(data):
    """And with zero if nothing is; settings that are wrong are an error of their own."""
    runner = click.testing.CliRunner()
    arguments = ["doctor", "--data", str(data), "--json"]
    well = runner.invoke(main, arguments, env={"BURGEE_JOURNAL_MAX_MB": "1"})
    (data / "api-key").chmod(0o644)
    ill = runner.invoke(main, arguments, env={"BURGEE_JOURNAL_MAX_MB": "1"})
    table = runner.invoke(main, arguments[:-1], env={"BURGEE_JOURNAL_MAX_MB": "1", "COLUMNS": "200"})
    unset = runner.invoke(main, arguments, env={"BURGEE_JOURNAL_MAX_MB": "none"})

    assert (well.exit_code, ill.exit_code, table.exit_code, unset.exit_code) == (0, 1, 1, 1)
    [wrong] = [each for each in json.loads(ill.output) if each["state"] == "wrong"]
    assert wrong["subject"] == "key file"
    assert "chmod 600" in table.output
    assert "journal_max_mb" in unset.output


async def test_events_that_a_node_holds_are_told_until_they_are_handed_over(data):
    """In its directory, and in those of the processes of a server that has several."""
    for path in (data / "held.db", data / "process-0" / "held.db"):
        path.parent.mkdir(exist_ok=True)
        held = SqliteJournal(path, 1 << 20, lambda: time.time() - 100)
        await held.append(1, "b", b"an envelope", 7)

        state, found, advice = look(data, journal_max_mb=1)["held events"]
        assert state is State.WARNING
        assert f"7 acknowledged events in {path}" in found
        assert "100 s" in found or "101 s" in found
        assert "keep it" in advice

        await held.commit(await held.next_range(10))
        await held.close()
        assert "held events" not in look(data, journal_max_mb=1)


def test_it_says_that_a_certificate_is_for_a_kind_of_key_that_nobody_takes(tmp_path, monkeypatch):
    """Or whatever else keeps a client and a server from shaking hands."""
    chain, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    issued = trustme.CA().issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(key)

    def only_another(chain, key):
        context = server_side(chain, key)
        context.set_ciphers("AES128-SHA")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    monkeypatch.setattr("burgee_server.doctor.certificate.server_side", only_another)
    state, told, _ = look(tmp_path, tls_certificate=chain, tls_key=key)["certificate"]
    assert state is State.WRONG
    assert re.fullmatch(r".*tls\.crt cannot be used: .*(SHARED_CIPHER|HANDSHAKE_FAILURE).*", told)


@pytest.mark.parametrize(
    ("days", "names", "state", "told"),
    [
        (30, ["localhost"], State.OK, r"for localhost, by trustme .*, until \d{4}-\d\d-\d\d \d\d:\d\d UTC"),
        (13, ["localhost", "127.0.0.1"], State.WARNING, r"for localhost, 127\.0\.0\.1, by .*, until .*"),
        (-1, ["localhost"], State.WRONG, r".*tls\.crt: certificate has expired"),
        (30, [], State.WRONG, r".*tls\.crt is for no name"),
    ],
)
def test_it_says_of_a_certificate_whose_it_is_and_until_when(tmp_path, days, names, state, told):
    """And what to do before it ends, when it has ended, and where no client could find its server's name in it."""
    now, lasts = datetime.now(UTC), timedelta(days=days)
    options = {} if names else {"common_name": "burgee"}
    issued = trustme.CA().issue_cert(*names, not_before=now - timedelta(days=90), not_after=now + lasts, **options)
    chain, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(key)
    settings = Settings(data=tmp_path, tls_certificate=chain, tls_key=key)
    [found] = [each for each in examine(settings) if each.subject == "certificate"]
    assert found.state is state
    assert re.fullmatch(told, found.found)


def test_it_says_that_a_certificate_is_not_that_of_the_key(tmp_path):
    """As the server does, which does not start with it."""
    chain, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    trustme.CA().issue_cert("localhost").cert_chain_pems[0].write_to_path(chain)
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(key)
    state, told, _ = look(tmp_path, tls_certificate=chain, tls_key=key)["certificate"]
    assert state is State.WRONG
    assert "belong together" in told
