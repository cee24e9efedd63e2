"""QueryRetention over real gRPC."""

import json

import pytest
from grpc import StatusCode

from burgee.v1 import capture_pb2, common_pb2, questions_pb2, retention_pb2
from tests.rpc.conftest import refused

DAY = 86_400
MONDAY = 1_772_409_600  # 2026-03-02 00:00 UTC
WEEKS = common_pb2.TimeRange(start="2026-03-02", end="2026-03-16")


def event(user, company, day, **properties):
    """An event some days after the Monday."""
    return capture_pb2.Event(
        event="opened",
        distinct_id=user,
        groups={"company": company},
        properties_json=json.dumps(properties),
        timestamp_micros=(MONDAY + day * DAY) * 1_000_000,
    )


@pytest.fixture(scope="module")
async def usage(shared_admin, loaded):
    """Two companies, three people, two weeks."""
    await shared_admin.send(
        *(event("ann", "acme", 0, plan="pro"), event("ann", "acme", 8, plan="free"), event("bob", "acme", 16)),
        *(event("cid", "bolt", 1, plan="free"), event("cid", "bolt", 2, plan="free")),
    )
    await loaded()
    return shared_admin.insights


async def test_a_retention_of_companies_by_week(usage):
    """Counts, shares, churn, who was lost, and that all of it is over."""
    request = retention_pb2.QueryRetentionRequest(
        range=WEEKS, interval=questions_pb2.INTERVAL_WEEK, periods=2, count_by="company"
    )
    answer = await usage.QueryRetention(request)
    [table] = answer.tables
    assert [(row.column.seconds, row.size) for row in table.rows] == [(MONDAY, 2), (MONDAY + 7 * DAY, 0)]
    assert [(c.count, c.share, c.churn, c.lost, c.state) for c in table.rows[0].cells] == [
        (2, 1, 0, 0, retention_pb2.RETENTION_STATE_COMPLETE),
        (1, 0.5, 0.5, 1, retention_pb2.RETENTION_STATE_COMPLETE),
        (1, 0.5, 0.5, 0, retention_pb2.RETENTION_STATE_COMPLETE),
    ]
    assert [(a.size, a.count, a.share, a.churn, a.lost) for a in table.averages][1] == (2, 1, 0.5, 0.5, 1)
    assert answer.asked.starts == retention_pb2.RETENTION_STARTS_FIRST_TIME
    assert answer.info.rows_read > 0


async def test_words_and_parts_reach_the_question(usage):
    """Recurring starts, rolling weeks, on or after, a filter, a breakdown."""
    request = retention_pb2.QueryRetentionRequest(
        start_event={"event": "opened"},
        return_event={"event": "opened"},
        range=WEEKS,
        interval=questions_pb2.INTERVAL_WEEK,
        periods=1,
        starts=retention_pb2.RETENTION_STARTS_RECURRING,
        window=retention_pb2.RETENTION_WINDOW_ROLLING,
        returns=retention_pb2.RETENTION_RETURNS_ON_OR_AFTER,
        breakdown={"attributes": ["event.plan"]},
    )
    tables = (await usage.QueryRetention(request)).tables
    assert {t.breakdown.value: [[cell.count for cell in row.cells] for row in t.rows] for t in tables} == {
        "pro": [[1, 1], [1, 0]],
        "free": [[1, 0], [0, 0]],
    }


BAD = {
    "periods": ({"periods": 201}, "periods"),
    "starts": ({"starts": 9}, "starts"),
    "window": ({"window": 9}, "window"),
    "a rolling month": (
        {"window": retention_pb2.RETENTION_WINDOW_ROLLING, "interval": questions_pb2.INTERVAL_MONTH},
        "window",
    ),
    "returns": ({"returns": 9}, "returns"),
    "type": ({"count_by": "compny"}, "count_by"),
    "start event": ({"start_event": {"event": "x" * 201}}, "start_event.event"),
    "filter of the return event": ({"return_event": {"filter": {"all": {}}}}, "return_event.filter.all.filters"),
    "action": ({"return_event": {"action": "none"}}, "return_event.action"),
}


@pytest.mark.parametrize(("fields", "field"), BAD.values(), ids=BAD.keys())
async def test_a_bad_retention_is_refused_with_the_path_of_what_is_wrong(shared_admin, fields, field):
    """INVALID_ARGUMENT, never INTERNAL."""
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await shared_admin.insights.QueryRetention(retention_pb2.QueryRetentionRequest(**fields))
