"""What a server says of itself to Prometheus."""

import asyncio
import json
import re
import urllib.request
from time import perf_counter

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from burgee.v1 import admin_pb2, capture_pb2, flag_admin_pb2, flags_pb2
from burgee_server.metrics import METRICS, Collector, MetricsServer, table
from tests.fixtures.server import caller
from tests.rpc.conftest import refused

CAPTURE = ("CaptureService", "Capture")
EVALUATE = ("FlagService", "Evaluate")

_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'="([^"]*)"')


def samples(text):
    """Each sample by its name and its label values, in any order.

    The same as by Prometheus's own parser, which takes a second for all environments of the tests.
    """
    return {frozenset((name, *_LABEL.findall(labels))): float(number) for name, labels, number in _SAMPLE.findall(text)}


@pytest.fixture
async def metrics_text(server):
    """Reads what the server says over HTTP."""
    metrics = MetricsServer(server.house.collector, "127.0.0.1", 0)

    def read():
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/metrics", timeout=20) as answer:
            return answer.read().decode()

    async def text():
        return await asyncio.to_thread(read)

    yield text
    await metrics.stop()


@pytest.fixture
def scrape(metrics_text):
    """Reads the samples."""

    async def scraped():
        return samples(await metrics_text())

    return scraped


def grown(before, after, *key):
    """By how much a sample has grown."""
    return after.get(frozenset(key), 0) - before.get(frozenset(key), 0)


def value(sample, *key):
    """A sample that must be there."""
    return sample[frozenset(key)]


async def test_calls_are_counted_by_method_and_code_and_timed(admin, server, scrape):
    """Good ones, those that are wrong, those that are not let in, and those whose caller gave up."""
    stranger = caller(server.target, "nobody-knows-this-key")
    before = await scrape()
    await admin.flags.Evaluate(flags_pb2.EvaluateRequest(flag_key="any"))
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await admin.flags.Evaluate(flags_pb2.EvaluateRequest())
    with refused(grpc.StatusCode.UNAUTHENTICATED):
        await stranger.flags.Evaluate(flags_pb2.EvaluateRequest(flag_key="any"))
    await stranger.channel.close()
    after = await scrape()

    for code in ("OK", "INVALID_ARGUMENT", "UNAUTHENTICATED"):
        assert grown(before, after, "burgee_rpc_calls_total", *EVALUATE, code) == 1
    assert grown(before, after, "burgee_rpc_seconds_bucket", *EVALUATE, "+Inf") == 3
    assert grown(before, after, "burgee_rpc_seconds_sum", *EVALUATE) > 0
    assert value(after, "burgee_rpc_running", *EVALUATE) == 0
    assert grown(before, after, "burgee_evaluations_total", "ERROR") == 1


async def test_a_call_that_is_given_up_counts_as_late_or_as_cancelled(admin, server, scrape, monkeypatch):
    """By its deadline, or by its caller; until then it is one that runs."""
    arrived, never = asyncio.Event(), asyncio.Event()

    async def stuck(*_arguments):
        arrived.set()
        await never.wait()

    monkeypatch.setattr(server.house.stores.access, "audit_entries", stuck)
    entries = ("AdminService", "ListAuditEntries")
    before = await scrape()
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        await admin.admin.ListAuditEntries(admin_pb2.ListAuditEntriesRequest(), timeout=1)
    arrived.clear()
    call = admin.admin.ListAuditEntries(admin_pb2.ListAuditEntriesRequest())
    await arrived.wait()
    during = await scrape()
    call.cancel()
    async with asyncio.timeout(20):
        while value(after := await scrape(), "burgee_rpc_running", *entries):
            pass

    assert value(during, "burgee_rpc_running", *entries) >= 1
    assert grown(before, after, "burgee_rpc_calls_total", *entries, "DEADLINE_EXCEEDED") == 1
    assert grown(before, after, "burgee_rpc_calls_total", *entries, "CANCELLED") == 1


async def test_answers_that_are_remembered_are_counted_by_reason_too(admin, scrape):
    """The same question three times: worked out once, counted three times."""
    await admin.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="beta", enabled=True)))
    before = await scrape()
    for _ in range(3):
        await admin.flags.Evaluate(flags_pb2.EvaluateRequest(flag_key="beta"))
    await admin.flags.EvaluateAll(flags_pb2.EvaluateAllRequest())
    await admin.flags.BatchEvaluate(flags_pb2.BatchEvaluateRequest(contexts=[flags_pb2.EvaluationContext()] * 2))
    after = await scrape()

    assert grown(before, after, "burgee_evaluations_total", "STATIC") == 6


async def test_large_batches_are_counted_by_who_checked_them(admin, server, scrape):
    """By the server, until there is a companion; then there is one, with its memory."""
    note = json.dumps({"note": "x" * 40_000})
    events = [capture_pb2.Event(event="seen", distinct_id="ann", properties_json=note)]
    before = await scrape()
    async with asyncio.timeout(30):
        while server.house.companion.pid is None:
            await admin.capture.Capture(capture_pb2.CaptureRequest(events=events))
    await admin.capture.Capture(capture_pb2.CaptureRequest(events=events))
    after = await scrape()

    assert grown(before, after, "burgee_companion_batches_total", "companion") >= 1
    assert value(after, "burgee_companion_batches_total", "server") >= 0
    assert value(after, "burgee_companion_up") == 1
    assert value(after, "burgee_companion_resident_bytes") > 10_000_000
    assert grown(before, after, "burgee_companion_lost_total") == 0


async def test_events_are_counted_by_what_became_of_them_and_on_their_way_to_the_warehouse(admin, loaded, scrape):
    """Accepted, duplicate, rejected; then loaded, with nothing left in the journal."""
    events = [capture_pb2.Event(event="seen", distinct_id="ann"), capture_pb2.Event(event="", distinct_id="ann")]
    before = await scrape()
    for _ in range(2):
        await admin.capture.Capture(capture_pb2.CaptureRequest(events=events, batch_id="b"))
    await loaded()
    after = await scrape()

    for outcome, count in (("accepted", 1), ("duplicate", 1), ("rejected", 2)):
        assert grown(before, after, "burgee_capture_events_total", outcome) == count
    assert grown(before, after, "burgee_loader_events_total") == 1
    assert grown(before, after, "burgee_loader_bytes_total") > 0
    assert grown(before, after, "burgee_warehouse_seconds_count", "load") >= 1
    for name in ("burgee_journal_events", "burgee_journal_age_seconds", "burgee_capture_bytes"):
        assert value(after, name) == 0
    assert value(after, "burgee_journal_limit_bytes") == 1 << 30


async def test_a_change_of_flags_is_one_more_in_the_version_of_the_snapshot(admin, scrape, watching):
    """And whoever watches is counted where they watch."""
    [project] = (await admin.admin.ListProjects(admin_pb2.ListProjectsRequest())).projects
    labels = (project.key, "production")
    flag = flags_pb2.Flag(key="beta", enabled=True)
    await admin.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag))
    watcher = watching(admin)
    await watcher.next()
    before = await scrape()
    await admin.flag_admin.DisableFlag(flag_admin_pb2.DisableFlagRequest(flag_key="beta"))
    await admin.flags.Evaluate(flags_pb2.EvaluateRequest(flag_key="beta"))
    after = await scrape()

    assert value(before, "burgee_snapshot_version", *labels) == 1
    assert value(after, "burgee_snapshot_version", *labels) == 2
    assert value(after, "burgee_flags", *labels) == 1
    assert value(after, "burgee_watchers", *labels) == 1
    assert grown(before, after, "burgee_changes_total", "flags") == 1


async def test_a_source_that_fails_or_takes_too_long_is_left_out_and_counted(monkeypatch):
    """What is away must not hide everything else."""
    monkeypatch.setattr("burgee_server.metrics.collector.SECONDS", 0.01)

    async def broken():
        raise OSError("secret words of a store")

    async def stuck():
        await asyncio.Event().wait()

    collector = Collector({"broken": broken, "stuck": stuck})
    samples = await collector.read(perf_counter())

    failures = {each.labels: each.value for each in samples if each.metric is table.SCRAPE_FAILURES}
    assert failures == {("broken",): 1, ("stuck",): 1}


async def test_a_scrape_has_what_the_table_has_and_nothing_else_of_burgee(admin, loaded, metrics_text, watching):
    """A metric that is not in the table is not documented either; one that nobody fills would be a promise broken.

    Prometheus's own parser reads it, and the same as the tests above do.
    """
    await admin.send(capture_pb2.Event(event="seen", distinct_id="ann"))
    await watching(admin).next()
    await loaded()
    text = await metrics_text()
    read = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    seen = {sample.name for sample in read if sample.name.startswith("burgee_")}
    shapes = {each.name: {f"{each.name}{suffix}" for suffix in ("", "_bucket", "_count", "_sum")} for each in METRICS}

    assert samples(text) == {frozenset((sample.name, *sample.labels.values())): sample.value for sample in read}
    assert seen <= set().union(*shapes.values())
    unseen = {name for name, shape in shapes.items() if not shape & seen}
    failing = {"burgee_loader_failures_total", "burgee_warehouse_failures_total"}
    holding = (table.JOURNAL_AWAY, table.HELD_EVENTS, table.HELD_BYTES, table.HELD_AGE, table.HANDED_OVER)
    assert unseen <= failing | {each.name for each in holding}  # which a node does only with Redis
