"""`burgee import` and `burgee export` as processes: mapped, rejected, interrupted, killed, the server killed."""

import gzip
import json
import signal
import subprocess

import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import Command, environment
from tests.fixtures.nursery import Python, run_python
from tests.fixtures.serving import wait_for

CHUNK = 5_000
SPAN = ("--start", "2026-03-01", "--end", "2026-03-02")
MAPPING = """
event = { constant = "order_placed" }
distinct_id = "customer"
timestamp = { column = "ordered", format = "%d.%m.%Y %H:%M" }
uuid = { made_of = ["order"] }
[groups.columns]
company = "account"
[properties.columns]
amount = { column = "total", type = "number" }
[csv]
delimiter = ";"
"""
ORDERS = """order;customer;ordered;account;total
1;ann;01.03.2026 12:00;acme;12.50
2;bob;01.03.2026 13:00;acme;many
3;;01.03.2026 14:00;globex;7
4;cid;01.03.2026 15:00;globex;7.50
"""


def lines(first, last):
    """Lines of events, numbered."""
    return "".join(
        json.dumps({"event": "seen", "distinct_id": f"u{n}", "timestamp": 1_772_366_400 + n / 1_000}) + "\n"
        for n in range(first, last)
    ).encode()


def total(command, *arguments):
    """How many events can be queried."""
    return command.json("query", "trend", *arguments, *SPAN)["rows"][0]["total"]


def wait_for_total(command, count):
    """Wait until so many can be queried, and no more."""

    def are_there():
        found = total(command)
        assert found <= count
        return found == count

    wait_for(are_there, 60)


class Importing:
    """`burgee import -` that is fed by hand."""

    def __init__(self, command):
        self.process = Python(
            *("-m", "burgee_server", "import", "-", "--json"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=command._environment,
        )

    def feed(self, text):
        """Write to it, and leave it waiting for more."""
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self, with_signal=None):
        """Its exit code, its report if there is one, and its last words."""
        if with_signal:
            self.process.send_signal(with_signal)
        printed, errors = self.process.communicate(timeout=120)
        return self.process.returncode, json.loads(printed) if printed else None, errors.decode()


def test_a_table_of_orders_comes_in_by_a_mapping_and_goes_out_as_parquet(command, tmp_path):
    """What is wrong is written down, told by the exit code, and does not stop the rest; twice is once."""
    orders, mapping, rejects = tmp_path / "orders.csv.gz", tmp_path / "orders.toml", tmp_path / "rejects.ndjson"
    orders.write_bytes(gzip.compress(ORDERS.encode()))
    mapping.write_text(MAPPING)
    arguments = ("import", str(orders), "--mapping", str(mapping), "--rejects", str(rejects))

    first = command.run(*arguments)
    second = command.run(*arguments, "--json")
    without_room = command.run(*arguments[:-1], "/dev/full")
    wait_for_total(command, 2)

    assert first.returncode == second.returncode == 3
    assert "2 events accepted, 0 were there already" in first.stdout.decode()
    assert "line 3: total: must be a number, got 'many'" in first.stderr.decode()
    assert without_room.returncode == 1
    assert "2 were there already" in without_room.stdout.decode()
    assert without_room.stderr.decode().endswith("2 lines rejected\nError: /dev/full: No space left on device\n")
    report = json.loads(second.stdout)
    assert (report["accepted"], report["duplicate"], report["rejected"]) == (0, 2, 2)
    found = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(line["line"], line["field"]) for line in found] == [(3, "total"), (4, "distinct_id")]
    assert found[0]["record"] == "2;bob;01.03.2026 13:00;acme;many"

    whole, acme = tmp_path / "all.parquet", tmp_path / "acme.ndjson"
    assert command.json("export", str(whole))["events"] == 2
    command.text("export", str(acme), "--group", "company=acme", "--event", "order_placed", "--user", "ann", *SPAN)
    piped = command.run("export", "-", "--start", "2026-03-01T15:00:00Z")
    assert [row["properties"] for row in pq.read_table(whole).to_pylist()].count('{"amount":12.50}') == 1
    [line] = map(json.loads, acme.read_text().splitlines())
    assert (line["distinct_id"], line["groups"], line["timestamp"]) == (
        "ann",
        {"company": "acme"},
        "2026-03-01T12:00:00.000000Z",
    )
    assert [json.loads(line)["distinct_id"] for line in piped.stdout.splitlines()] == ["cid"]
    assert "1 events written to standard output" in piped.stderr.decode()
    assert total(command, "--measure", "sum", "--property", "amount") == 20


@pytest.mark.parametrize(
    ("content", "arguments", "code", "words"),
    [
        ("x", ("e.dat",), 2, "the name of e.dat does not say its format: give --format"),
        ("a,b\n", ("e.csv",), 2, "e.csv: event: there is no column 'event'; there are: a, b"),
        ("a,b\n", ("e.csv", "--mapping", "m.toml"), 2, "m.toml: distinct_id: there is no column 'customer'"),
        ("", ("e.csv",), 1, "e.csv: line 1: there is no header"),
        ("x", ("e.parquet",), 1, "e.parquet: it is not Parquet"),
        ("x", ("-", "--format", "parquet"), 1, "standard input: Parquet has its table of contents at its end"),
        ("\x1f\x8b\x08cut", ("e.ndjson",), 1, "e.ndjson: "),
        ("x", ("e.ndjson", "--rejects", "nowhere/r.ndjson"), 1, "nowhere/r.ndjson: No such file or directory"),
        ("x", ("e.ndjson", "--rejects", "./e.ndjson"), 2, "--rejects e.ndjson would be written over what is read"),
        ("x", ("e.ndjson", "--mapping", "m.toml", "--rejects", "m.toml"), 2, "--rejects m.toml would be written over"),
    ],
)
def test_what_cannot_be_imported_is_told_with_the_name_of_the_file(tmp_path, content, arguments, code, words):
    """Before anybody is asked; the exit code tells a wrong command from a bad file."""
    (tmp_path / arguments[0]).write_bytes(content.encode("latin-1"))
    (tmp_path / "m.toml").write_text(MAPPING)
    settings = environment(BURGEE_TARGET="127.0.0.1:1", BURGEE_API_KEY="none", COLUMNS="200")
    done = run_python("-m", "burgee_server", "import", *arguments, cwd=tmp_path, env=settings)
    assert (done.returncode, words in done.stderr.decode()) == (code, True), done.stderr.decode()
    assert (tmp_path / arguments[0]).read_bytes() == content.encode("latin-1")


def test_an_import_that_is_interrupted_or_killed_goes_on_and_counts_once(command, tmp_path):
    """Ctrl-C lets arrive what is on its way; kill -9 does not; the whole file then brings the rest."""
    interrupted = Importing(command)
    interrupted.feed(lines(0, 2 * CHUNK + 100))
    wait_for_total(command, 2 * CHUNK)
    code, report, errors = interrupted.end(signal.SIGINT)

    assert (code, report["accepted"], report["interrupted"]) == (130, 2 * CHUNK, True)
    assert "the same command goes on from here" in errors

    killed = Importing(command)
    killed.feed(lines(0, 4 * CHUNK + 100))
    wait_for_total(command, 4 * CHUNK)
    assert killed.end(signal.SIGKILL)[0] == -signal.SIGKILL

    file = tmp_path / "events.ndjson"
    file.write_bytes(lines(0, 5 * CHUNK))
    rest = command.json("import", str(file))
    assert (rest["accepted"], rest["duplicate"]) == (CHUNK, 4 * CHUNK)
    wait_for_total(command, 5 * CHUNK)


def test_an_import_outlives_its_server(serve):
    """kill -9 of the server in the middle: nothing is lost, nothing is doubled, and nobody has to do anything."""
    server = serve()
    command = Command(server)
    importing = Importing(command)
    importing.feed(lines(0, 2 * CHUNK))
    wait_for_total(command, 2 * CHUNK)

    importing.feed(lines(2 * CHUNK, 5 * CHUNK))
    server.stop(signal.SIGKILL)
    serve("--listen", server.target)
    importing.feed(lines(5 * CHUNK, 6 * CHUNK))
    importing.process.stdin.close()
    importing.process.stdin = None
    code, report, _ = importing.end()

    assert (code, report["accepted"] + report["duplicate"], report["rejected"]) == (0, 6 * CHUNK, 0)
    wait_for_total(command, 6 * CHUNK)
