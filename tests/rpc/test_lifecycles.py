"""QueryLifecycle, QueryStickiness and the pages behind their numbers, over real gRPC."""

import pytest
from grpc import StatusCode

from burgee.v1 import capture_pb2, common_pb2, lifecycle_pb2, retention_pb2, stickiness_pb2
from tests.rpc.conftest import refused

DAY = 86_400
MONDAY = 1_772_409_600  # 2026-03-02 00:00 UTC
DAYS = common_pb2.TimeRange(start="2026-03-02", end="2026-03-05")


def event(user, company, day):
    """An event some days after the Monday."""
    return capture_pb2.Event(
        event="opened",
        distinct_id=user,
        groups={"company": company},
        timestamp_micros=(MONDAY + day * DAY) * 1_000_000,
    )


@pytest.fixture(scope="module")
async def usage(shared_admin, loaded):
    """Three companies, four people, three days."""
    await shared_admin.send(
        *(event("ann", "acme", 0), event("ann", "acme", 1), event("bob", "bolt", 0), event("bob", "bolt", 2)),
        *(event("cid", "coil", -3), event("dee", "coil", 1)),
    )
    await loaded()
    return shared_admin.insights


async def test_a_lifecycle_and_who_is_behind_it(usage):
    """The dormant are negative; a page holds keys and what was asked."""
    asked = lifecycle_pb2.QueryLifecycleRequest(range=DAYS, count_by="company")
    answer = await usage.QueryLifecycle(asked)
    assert [(c.column.seconds, c.new, c.returning, c.resurrecting, c.dormant) for c in answer.columns] == [
        (MONDAY, 2, 0, 0, 0),
        (MONDAY + DAY, 0, 1, 1, -1),
        (MONDAY + 2 * DAY, 0, 0, 1, -2),
    ]
    assert all(column.complete for column in answer.columns)
    request = lifecycle_pb2.QueryLifecycleActorsRequest(
        lifecycle=asked, column=answer.columns[2].column, stage=lifecycle_pb2.LIFECYCLE_STAGE_DORMANT, page_size=1
    )
    first = await usage.QueryLifecycleActors(request)
    request.page_token = first.page.next_page_token
    second = await usage.QueryLifecycleActors(request)
    assert [list(first.page.keys), list(second.page.keys), second.page.next_page_token] == [["acme"], ["coil"], ""]
    assert first.asked.lifecycle.range.start == "2026-03-02T00:00:00+00:00"
    request.lifecycle.range.compare = "-1d"
    alone = await usage.QueryLifecycleActors(request)
    assert list(alone.page.keys) == ["coil"], "whatever it is compared with"
    assert not alone.HasField("previous")
    assert first.info.rows_read > 0


async def test_a_stickiness_and_who_is_behind_it(usage):
    """Split and not."""
    asked = stickiness_pb2.QueryStickinessRequest(range=DAYS)
    [row] = (await usage.QueryStickiness(asked)).rows
    assert (row.size, [(cell.count, cell.at_least) for cell in row.cells]) == (3, [(1, 3), (2, 2), (0, 0)])
    request = stickiness_pb2.QueryStickinessActorsRequest(stickiness=asked, columns=2)
    assert list((await usage.QueryStickinessActors(request)).page.keys) == ["ann", "bob"]
    request.stickiness.range.compare, request.columns = "previous", 1
    alone = await usage.QueryStickinessActors(request)
    assert (list(alone.page.keys), alone.HasField("previous")) == (["dee"], False), "a list is of one span"

    asked.breakdown.attributes.append("company.key")
    rows = (await usage.QueryStickiness(asked)).rows
    assert [(r.breakdown.value, r.size) for r in rows] == [("acme", 1), ("bolt", 1), ("coil", 1)]
    request = stickiness_pb2.QueryStickinessActorsRequest(stickiness=asked, columns=2, part={"value": "bolt"})
    assert list((await usage.QueryStickinessActors(request)).page.keys) == ["bob"]


async def test_who_returned_who_left_and_who_was_lost(usage):
    """Of those who started on the Monday, on the day after it and the next."""
    asked = retention_pb2.QueryRetentionRequest(range=DAYS, periods=2)

    async def keys(period, outcome):
        request = retention_pb2.QueryRetentionActorsRequest(
            retention=asked, column={"seconds": MONDAY}, period=period, outcome=outcome
        )
        return list((await usage.QueryRetentionActors(request)).page.keys)

    assert await keys(1, retention_pb2.RETENTION_OUTCOME_UNSPECIFIED) == ["ann"]
    assert await keys(1, retention_pb2.RETENTION_OUTCOME_LEFT) == ["bob"]
    assert await keys(2, retention_pb2.RETENTION_OUTCOME_RETURNED) == ["bob"]
    assert await keys(2, retention_pb2.RETENTION_OUTCOME_LOST) == ["ann"]
    asked.range.compare = "previous"
    assert await keys(2, retention_pb2.RETENTION_OUTCOME_LOST) == ["ann"], "a column lies in one of the two spans"


BAD_COMPARE = common_pb2.TimeRange(start="2026-03-02", end="2026-03-05", compare="tomorrow")
RETENTION = {"retention": {"range": DAYS}, "column": {"seconds": MONDAY}, "period": 1}
BAD_PAGES = {
    "start": ("Retention", {**RETENTION, "retention": {"range": {"start": "x"}}}, "retention.range.start"),
    "compare": ("Retention", {**RETENTION, "retention": {"range": BAD_COMPARE}}, "retention.range.compare"),
    "compare of a lifecycle": (
        "Lifecycle",
        {"lifecycle": {"range": BAD_COMPARE}, "column": {"seconds": MONDAY}, "stage": 1},
        "lifecycle.range.compare",
    ),
    "compare of a stickiness": (
        "Stickiness",
        {"stickiness": {"range": BAD_COMPARE}, "columns": 1},
        "stickiness.range.compare",
    ),
    "periods": ("Retention", {**RETENTION, "retention": {"periods": 999}}, "retention.periods"),
    "interval": ("Retention", {**RETENTION, "retention": {"interval": 99}}, "retention.interval"),
    "no column": ("Retention", {"retention": {"range": DAYS}}, "column"),
    "column": ("Retention", {**RETENTION, "column": {"seconds": 7}}, "column"),
    "column beyond time": ("Retention", {**RETENTION, "column": {"seconds": 2**62}}, "column"),
    "period": ("Retention", {**RETENTION, "period": 12}, "period"),
    "outcome": ("Retention", {**RETENTION, "outcome": 9}, "outcome"),
    "part": ("Retention", {**RETENTION, "part": {"value": "x"}}, "part"),
    "empty part": ("Retention", {**RETENTION, "part": {}}, "part"),
    "page size": ("Retention", {**RETENTION, "page_size": 1001}, "page_size"),
    "page token": ("Retention", {**RETENTION, "page_token": "x"}, "page_token"),
    "stage": ("Lifecycle", {"lifecycle": {"range": DAYS}, "column": {"seconds": MONDAY}}, "stage"),
    "count by": (
        "Lifecycle",
        {"lifecycle": {"count_by": "x"}, "column": {"seconds": 7}, "stage": 1},
        "lifecycle.count_by",
    ),
    "columns": ("Stickiness", {"stickiness": {"range": DAYS}, "columns": 4}, "columns"),
    "event": ("Stickiness", {"stickiness": {"event": {"event": "x" * 201}}, "columns": 1}, "stickiness.event.event"),
}
REQUESTS = {
    "Retention": retention_pb2.QueryRetentionActorsRequest,
    "Lifecycle": lifecycle_pb2.QueryLifecycleActorsRequest,
    "Stickiness": stickiness_pb2.QueryStickinessActorsRequest,
}


@pytest.mark.parametrize(("of", "fields", "field"), BAD_PAGES.values(), ids=BAD_PAGES.keys())
async def test_a_bad_question_for_a_page_is_refused_with_the_path_of_what_is_wrong(shared_admin, of, fields, field):
    """INVALID_ARGUMENT, never INTERNAL; inside the question, too."""
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await getattr(shared_admin.insights, f"Query{of}Actors")(REQUESTS[of](**fields))


@pytest.mark.parametrize("method", ["Lifecycle", "Stickiness"])
async def test_a_bad_question_is_refused_with_the_path_of_what_is_wrong(shared_admin, method):
    """INVALID_ARGUMENT, never INTERNAL."""
    request = {
        "Lifecycle": lifecycle_pb2.QueryLifecycleRequest,
        "Stickiness": stickiness_pb2.QueryStickinessRequest,
    }[method]
    for fields, field in (
        ({"count_by": "compny"}, "count_by"),
        ({"event": {"filter": {"all": {}}}}, "event.filter.all.filters"),
        ({"interval": 99}, "interval"),
        ({"range": {"start": "x"}}, "range.start"),
    ):
        with refused(StatusCode.INVALID_ARGUMENT, field):
            await getattr(shared_admin.insights, f"Query{method}")(request(**fields))
