"""What is sent of a file, what is asked, and what is counted; to a server that keeps batches and fails when told to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

import burgee
from burgee_server.cli.imports import batches, sending
from burgee_server.cli.imports.importing import Importing
from burgee_server.cli.imports.mapping import mapping_of
from burgee_server.cli.imports.reading import format_of, open_file
from burgee_server.cli.imports.rejects import Rejects
from tests.unit.imports.files import write
from tests.unit.imports.keeper import Keeper, keeping

CHUNK = 5_000


@pytest.fixture
def keeper(monkeypatch) -> Iterator[Keeper]:
    """Does what the real server does."""
    monkeypatch.setattr(sending, "RETRY_SECONDS", 0.001)
    with keeping(Keeper()) as keeper:
        yield keeper


@dataclass
class Outcome:
    """What an import says of itself."""

    accepted: int
    duplicate: int
    left_out: int
    rejected: int
    lines: list[dict[str, object]] = field(default_factory=list)
    """The file of rejects."""


def run(keeper: Keeper, path: Path, mapping=None, chunks: int | None = None, salt: str = "own") -> Outcome:
    """Import a file, or its first chunks, and stop there as one who is interrupted does."""
    reader, reading = open_file(path, format_of(path), mapping)
    file = path.with_name("rejects.ndjson")
    with burgee.Client(f"127.0.0.1:{keeper.port}", "") as client, Rejects(file, reader.unit) as rejects:
        importing = Importing(client, reading, salt, rejects)
        try:
            for number, chunk in enumerate(reader.chunks()):
                if number == chunks:
                    break
                importing.take(chunk)
            importing.finish()
        finally:
            reader.close()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return Outcome(importing.accepted, importing.duplicate, importing.left_out, rejects.count, lines)


def lines(count: int, **more: object) -> list[str]:
    """Lines of events, u0 and so on."""
    return [json.dumps({"event": "e", "distinct_id": f"u{n}", "timestamp": n, **more}) for n in range(count)]


def ndjson(tmp_path: Path, written: list[str]) -> Path:
    """A file of these lines."""
    return write(tmp_path / "e.ndjson", "\n".join(written))


def who(keeper: Keeper) -> set[str]:
    """Of whom there are events, each of which is there once."""
    assert len({event.uuid for event in keeper.kept}) == len(keeper.kept)
    return {event.distinct_id for event in keeper.kept}


def test_a_file_is_sent_once_and_then_only_asked_for(keeper, tmp_path):
    """One question tells a file that is new; of one that is there nothing is sent."""
    path = ndjson(tmp_path, lines(12_000))

    first = run(keeper, path)
    asked, sent = len(keeper.asked), len(keeper.sent)
    second = run(keeper, path)

    assert (first.accepted, first.duplicate) == (12_000, 0)
    assert (asked, sent) == (1, 3)
    assert (second.accepted, second.duplicate) == (0, 12_000)
    assert (len(keeper.asked), len(keeper.sent)) == (1 + 3, 3)
    assert len(who(keeper)) == 12_000


def test_what_the_server_has_is_not_even_read(keeper, tmp_path):
    """A second run takes the time of reading bytes, and not of making events."""
    path = ndjson(tmp_path, lines(6_000))
    run(keeper, path)
    reader, _ = open_file(path, "ndjson", None)

    def reading(record):
        pytest.fail(f"line {record.number} was read")

    with burgee.Client(f"127.0.0.1:{keeper.port}", "") as client, Rejects(None, "line") as rejects:
        importing = Importing(client, reading, "own", rejects)
        for chunk in reader.chunks():
            importing.take(chunk)
    reader.close()
    assert importing.duplicate == 6_000


def test_an_interrupted_import_goes_on_where_it_was(keeper, tmp_path):
    """Chunks that the server has are asked for, the rest is sent."""
    path = ndjson(tmp_path, lines(20_000))

    first = run(keeper, path, chunks=2)
    before = len(keeper.sent)
    second = run(keeper, path)

    assert (first.accepted, second.duplicate, second.accepted) == (2 * CHUNK, 2 * CHUNK, 2 * CHUNK)
    assert len(keeper.sent) - before == 2
    assert len(who(keeper)) == 20_000


def test_a_batch_that_was_overtaken_by_the_next_is_not_skipped(keeper, tmp_path):
    """Killed with several on their way, the server may have later ones and not an earlier one."""
    path = ndjson(tmp_path, lines(20_000))
    run(keeper, path)
    lost = list(keeper.batches)[1]
    del keeper.batches[lost]
    gone = {f"u{n}" for n in range(CHUNK, 2 * CHUNK)}
    keeper.kept = [event for event in keeper.kept if event.distinct_id not in gone]

    again = run(keeper, path)

    assert (again.accepted, again.duplicate) == (CHUNK, 15_000)
    assert len(who(keeper)) == 20_000


def test_the_second_report_is_that_of_the_first(keeper, tmp_path):
    """What was rejected, by the file, by the mapping or by the server, is told again, and nothing of it is sent."""
    written = lines(6_000)
    written[7] = "nonsense"
    written[8] = json.dumps({"event": "bad", "distinct_id": "u8", "timestamp": 8})
    written[9] = json.dumps({"event": "skipped", "distinct_id": "u9", "timestamp": 9})
    keeper.refuse = lambda event: "is bad" if event.event == "bad" else ""
    mapping = mapping_of(
        {
            "event": "event",
            "distinct_id": "distinct_id",
            "timestamp": "timestamp",
            "skip": [{"column": "event", "values": ["skipped"]}],
        }
    )
    path = ndjson(tmp_path, written)

    first, second = run(keeper, path, mapping), run(keeper, path, mapping)

    assert (first.accepted, first.duplicate) == (5_997, 0)
    assert (second.accepted, second.duplicate) == (0, 5_997)
    assert (first.rejected, first.left_out) == (second.rejected, second.left_out) == (2, 1)
    for outcome in (first, second):
        assert [(line["line"], line["field"], line["record"]) for line in outcome.lines] == [
            (8, "line", "nonsense"),
            (9, "event", written[8]),
        ]
        assert outcome.lines[1]["reason"] == "is bad"


def test_records_that_the_mapping_leaves_out_do_not_make_a_batch_be_sent_again(keeper, tmp_path):
    """Half of the file, as where only some types are wanted."""
    written = [json.dumps({"event": f"e{n % 2}", "distinct_id": f"u{n}", "timestamp": n}) for n in range(10_000)]
    own = {"event": "event", "distinct_id": "distinct_id", "timestamp": "timestamp"}
    mapping = mapping_of(own | {"only": [{"column": "event", "values": ["e1"]}]})
    path = ndjson(tmp_path, written)
    run(keeper, path, mapping)
    sent = len(keeper.sent)

    again = run(keeper, path, mapping)

    assert len(keeper.sent) == sent
    assert (again.duplicate, again.left_out) == (5_000, 5_000)


@pytest.mark.parametrize("refused", [40, 100])
def test_what_the_server_takes_today_and_did_not_yesterday_is_sent_again(keeper, tmp_path, refused):
    """It knows the batch, with fewer events: those that it takes now must not be lost behind its id."""
    path = ndjson(tmp_path, lines(100))
    keeper.refuse = lambda event: "too late" if int(event.distinct_id[1:]) < refused else ""
    first = run(keeper, path)
    keeper.refuse = lambda _event: ""

    second, third = run(keeper, path), run(keeper, path)

    assert (first.accepted, first.rejected) == (100 - refused, refused)
    assert (second.accepted, second.duplicate, second.rejected) == (refused, 100 - refused, 0)
    assert (third.accepted, third.duplicate) == (0, 100)
    assert {event.distinct_id for event in keeper.kept} == {f"u{n}" for n in range(100)}


def test_another_mapping_is_another_import(keeper, tmp_path):
    """A mended mapping sends everything again, under the same uuids: mended events take the place of the others."""
    path = ndjson(tmp_path, lines(10, plan="pro"))
    own = {"event": "event", "distinct_id": "distinct_id", "timestamp": "timestamp"}

    run(keeper, path, mapping_of(own), salt="a")
    mended = run(keeper, path, mapping_of(own | {"properties": {"columns": {"plan": "plan"}}}), salt="b")

    assert mended.accepted == 10
    first, second = keeper.kept[:10], keeper.kept[10:]
    assert [event.uuid for event in first] == [event.uuid for event in second]
    assert second[0].properties_json == '{"plan":"pro"}'


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED],
    ids=lambda code: code.name,
)
def test_a_server_that_is_away_or_full_is_tried_again(keeper, tmp_path, code):
    """Questions and batches alike; nothing is counted twice."""
    keeper.failures = [code] * 7
    outcome = run(keeper, ndjson(tmp_path, lines(20_000)))
    assert (outcome.accepted, outcome.duplicate) == (20_000, 0)
    assert len(who(keeper)) == 20_000


def test_an_error_that_does_not_pass_ends_the_import(keeper, tmp_path):
    """With what the server said; no question is asked twice."""
    keeper.failures = [grpc.StatusCode.PERMISSION_DENIED]
    with pytest.raises(grpc.RpcError) as caught:
        run(keeper, ndjson(tmp_path, lines(10)))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert len(keeper.asked) == 1


def test_a_server_that_never_answers_is_given_up_sooner_than_one_that_did(keeper, tmp_path, monkeypatch):
    """It may be the wrong address."""
    monkeypatch.setattr(sending, "FIRST_SECONDS", 0.0)
    keeper.failures = [grpc.StatusCode.UNAVAILABLE] * 2
    with pytest.raises(grpc.RpcError):
        run(keeper, ndjson(tmp_path, lines(10)))
    assert len(keeper.asked) == 1

    keeper.failures = [grpc.StatusCode.NOT_FOUND, *[grpc.StatusCode.UNAVAILABLE] * 3]
    assert run(keeper, ndjson(tmp_path, lines(10))).accepted == 10


def test_a_batch_that_is_too_large_is_sent_in_parts(keeper, tmp_path, monkeypatch):
    """Each within the server's limit, each with an id of its own, the same in the next run."""
    monkeypatch.setattr(batches, "_MOST_REQUEST_BYTES", 20_000)
    path = ndjson(tmp_path, lines(1_000, properties={"text": "x" * 50}))

    first, second = run(keeper, path), run(keeper, path)

    assert (first.accepted, second.accepted, second.duplicate) == (1_000, 0, 1_000)
    assert len(keeper.batches) > 4
    assert max(map(len, keeper.batches)) <= 200
    assert len(who(keeper)) == 1_000


def test_an_event_that_no_request_has_room_for_does_not_stop_the_rest(keeper, tmp_path, monkeypatch):
    """The server would refuse its request whole: it is rejected like any other that cannot be an event."""
    monkeypatch.setattr(batches, "_MOST_REQUEST_BYTES", 20_000)
    written = lines(10)
    written[3] = json.dumps({"event": "e", "distinct_id": "u3", "timestamp": 3, "properties": {"text": "x" * 30_000}})

    outcome = run(keeper, ndjson(tmp_path, written))

    assert (outcome.accepted, outcome.rejected) == (9, 1)
    assert [(line["line"], line["field"]) for line in outcome.lines] == [(4, "record")]
    assert who(keeper) == {f"u{n}" for n in range(10)} - {"u3"}
