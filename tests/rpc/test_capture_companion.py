"""CaptureService where batches are large enough to be checked in a process of their own."""

import asyncio
import json
import os
import signal
from itertools import count

import pytest

from burgee.v1 import capture_pb2 as pb
from burgee.v1 import profiles_pb2

EVENTS = 500
PROPERTIES = json.dumps({"plan": "pro", "note": "x" * 100})


def batch(**of_last):
    """A request of some 80 KB, whose last event is as given."""
    ids = (f"user-{number}" for number in range(EVENTS))
    events = [pb.Event(event="opened", distinct_id=each, properties_json=PROPERTIES) for each in ids]
    events[-1].MergeFrom(pb.Event(**of_last))
    return pb.CaptureRequest(events=events)


@pytest.fixture
async def companion(server, admin, monkeypatch):
    """Of the session's server, with a process that is ready; one that is killed has another after it at once."""
    for pause in ("PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS"):
        monkeypatch.setattr(f"burgee_server.companion.companion.{pause}", 0.0)
    async with asyncio.timeout(30):
        while server.house.companion.pid is None:
            await admin.capture.Capture(batch())
    return server.house.companion


async def test_a_batch_that_the_companion_checks_is_answered_like_any_other(companion, admin):
    """Rejections name their event and its field, and are the same where a thread checks them."""
    wrong, pid = batch(properties_json="[]", groups={"company": "acme"}), companion.pid
    by_process = await admin.capture.Capture(wrong)
    assert companion.pid == pid
    os.kill(pid, signal.SIGKILL)
    by_thread = await admin.capture.Capture(wrong)

    assert by_process.accepted == EVENTS - 1
    assert [(each.index, each.field) for each in by_process.rejected] == [(EVENTS - 1, "properties_json")]
    assert by_thread == by_process


async def test_group_types_of_a_batch_that_the_companion_checks_are_known(companion, admin):
    """They come back from the process with the batch."""
    await admin.capture.Capture(batch(groups={"workspace": "w1"}))
    response = await admin.profiles.ListGroupTypes(profiles_pb2.ListGroupTypesRequest())
    assert "workspace" in {each.name for each in response.group_types}


async def test_no_call_fails_where_the_process_is_killed_again_and_again(companion, admin):
    """Every batch is acknowledged, and each batch_id counts once, whoever checked it."""
    killed, numbers = set(), count()

    async def send():
        while len(killed) < 3:
            request = batch()
            request.batch_id = f"companion-{next(numbers)}"
            assert (await admin.capture.Capture(request)).accepted == EVENTS
            assert (await admin.capture.Capture(request)).duplicate == EVENTS
            if (pid := companion.pid) is not None and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)

    async with asyncio.timeout(60):
        await asyncio.gather(*(send() for _ in range(4)))
