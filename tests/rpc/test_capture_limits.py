"""CaptureService with other settings, and with a journal that nobody empties."""

import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from grpc import StatusCode

from burgee.v1 import capture_pb2 as pb
from burgee_server.capture import Capture, Quarantine, TimeWindow
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.capture import CaptureServicer
from burgee_server.rpc.server import RpcServer
from burgee_server.rpc.streams import OpenStreams
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.fixtures.server import caller
from tests.rpc.conftest import refused

DAY = 86_400_000_000
ANY_PAST = TimeWindow(future_hours=24.0, late_days=None)


@pytest.fixture
def serving(server, admin, tmp_path):
    """Serves the session's server once more, with another journal and other limits of time."""

    @asynccontextmanager
    async def serve(max_bytes=1 << 20, window=ANY_PAST):
        house, clock = server.house, SystemClock()
        journal = SqliteJournal(tmp_path / "journal.db", max_bytes)
        capture = Capture(journal, GroupTypes(house.stores.profiles, clock), clock, window, house.companion)
        quarantine = Quarantine(journal.quarantine, house.stores.warehouse, house.stores.access, clock)
        servicers = replace(
            house.servicers, capture=CaptureServicer(capture, house.limits, journal.quarantine, quarantine)
        )
        rpc = RpcServer(servicers, house.gate, OpenStreams(), house.limits, house.calls, house.transport)
        other = caller(f"127.0.0.1:{await rpc.start('127.0.0.1:0')}", admin.secret)
        yield other.capture, journal
        await other.channel.close()
        await rpc.stop(0)
        await journal.close()

    return serve


async def test_a_full_journal_is_told_with_a_time_to_come_back_and_never_acknowledged(serving):
    """RESOURCE_EXHAUSTED with RetryInfo; what was acknowledged is all there, and what was not is not."""
    async with serving(max_bytes=2_000) as (capture, journal):
        request = pb.CaptureRequest(events=[pb.Event(event="e", distinct_id="ann")] * 5)
        acknowledged = 0
        with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
            while True:
                acknowledged += (await capture.Capture(request)).accepted
        assert refusal.retry_after > 0
        assert acknowledged > 0
        assert (await journal.next_range(1_000_000)).events == acknowledged


async def test_a_retry_of_an_acknowledged_batch_is_answered_by_a_full_journal(serving):
    """Its sender need not know that its answer was lost."""
    async with serving(max_bytes=2_000) as (capture, _):
        first = pb.CaptureRequest(events=[pb.Event(event="e", distinct_id="ann")] * 5, batch_id="first")
        await capture.Capture(first)
        with refused(StatusCode.RESOURCE_EXHAUSTED):
            while True:
                await capture.Capture(pb.CaptureRequest(events=first.events))

        assert (await capture.Capture(first)).duplicate == 5


async def test_events_that_are_too_late_or_too_early_are_rejected_one_by_one(serving):
    """With the field and the limit that was set; those around them are taken."""
    async with serving(window=TimeWindow(future_hours=1.0, late_days=30.0)) as (capture, _):
        now = time.time_ns() // 1000
        moments = [now, now - 31 * DAY, now - 29 * DAY, now + DAY]
        events = [pb.Event(event="e", distinct_id="ann", timestamp_micros=moment) for moment in moments]

        answer = await capture.Capture(pb.CaptureRequest(events=events, sent_at_micros=now))

        assert answer.accepted == 2
        assert [(bad.index, bad.field) for bad in answer.rejected] == [(1, "timestamp_micros"), (3, "timestamp_micros")]
        assert "30 days" in answer.rejected[0].reason
        assert "1 hours" in answer.rejected[1].reason


async def test_history_can_be_imported_whatever_the_limit_for_late_events(serving):
    """A batch without sent_at_micros is no live one."""
    async with serving(window=TimeWindow(future_hours=24.0, late_days=1.0)) as (capture, _):
        old = pb.Event(event="e", distinct_id="ann", timestamp_micros=1_000_000_000_000_000)

        assert (await capture.Capture(pb.CaptureRequest(events=[old]))).accepted == 1
