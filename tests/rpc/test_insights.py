"""InsightService over real gRPC."""

import asyncio
import math
import time

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

from burgee import channel
from burgee.v1 import (
    capture_pb2,
    common_pb2,
    features_pb2,
    funnel_pb2,
    insights_pb2,
    paths_pb2,
    profiles_pb2,
    questions_pb2,
    trend_pb2,
)
from burgee_server.rpc import answering
from tests.rpc.conftest import refused
from tests.rpc.insight_calls import MIDNIGHT, SPAN, condition, trend, use

SPARE = 32
"""Bytes that an answer may differ by, when it is asked for again: what it cost is part of it."""


@pytest.fixture(scope="module")
async def usage(shared_admin, loaded):
    """What was used, to be asked about."""
    return await use(shared_admin, loaded)


async def test_paths_lead_from_event_to_event(usage):
    """Of companies and of users; with the question as it was read, and a bad one refused by its field."""
    asked = paths_pb2.QueryPathsRequest(range=SPAN, count_by="company", gap=Duration(seconds=86_400 * 30))
    answer = await usage.QueryPaths(asked)
    edges = [(edge.step, edge.source, edge.target, edge.actors) for edge in answer.edges]
    assert edges == [(1, "opened", "saved", 2), (2, "saved", "opened", 1)]
    assert (answer.paths, answer.actors) == (3, 3)
    assert (answer.asked.steps, answer.asked.limit) == (5, 50)
    with refused(StatusCode.INVALID_ARGUMENT, "start_event.action"):
        await usage.QueryPaths(paths_pb2.QueryPathsRequest(start_event={"action": "nothing"}))


async def test_features_are_told_by_who_uses_them(usage):
    """Of all who were active, by user and by company."""
    request = features_pb2.QueryFeatureUsageRequest(
        features=[{"use": {"event": "saved"}, "label": "Saving"}, {"use": {"event": "printed"}}],
        range=SPAN,
        group_type="company",
    )
    answer = await usage.QueryFeatureUsage(request)
    saving, printing = answer.features
    assert (answer.active_users, answer.active_groups) == (4, 3)
    assert (saving.label, saving.users, saving.user_share, saving.groups) == ("Saving", 2, 0.5, 2)
    assert list(saving.trend) == [1, 1, 0]
    assert (saving.last_used_at.seconds - MIDNIGHT) / 3600 == 27
    assert not printing.HasField("last_used_at")
    assert math.isnan(printing.days_per_user)
    with refused(StatusCode.INVALID_ARGUMENT, "features[0].use.event"):
        await usage.QueryFeatureUsage(features_pb2.QueryFeatureUsageRequest(features=[{}]))


async def test_a_trend_has_formulas_and_running_totals(usage):
    """And averages for each company, over the wire."""
    request = trend_pb2.QueryTrendRequest(
        series=[{"event": "opened"}, {"event": "opened", "per": "company"}],
        formulas=[{"expression": "A / 2", "label": "half"}],
        range=SPAN,
    )
    rows = (await usage.QueryTrend(request)).rows
    assert [row.series for row in rows] == [0, 1, 2]
    assert rows[2].label == "half"
    assert rows[2].total == rows[0].total / 2 > 0
    assert 0 < rows[1].total < rows[0].total
    running = trend_pb2.QueryTrendRequest(series=[{"event": "opened"}], range=SPAN, cumulative=True)
    [row] = (await usage.QueryTrend(running)).rows
    assert row.values[-1] == row.total == rows[0].total
    assert list(row.values) == sorted(row.values)


async def test_a_trend_counts_events_users_and_companies_by_day(usage):
    """Totals are exact over the span: unique users are not the sum of the days."""
    total = await trend(usage)
    users = await trend(usage, series={"measure": trend_pb2.MEASURE_UNIQUE_USERS})
    companies = await trend(usage, series={"measure": trend_pb2.MEASURE_UNIQUE_GROUPS, "group_type": "company"})

    assert [column.seconds for column in total.columns] == [MIDNIGHT + day * 86_400 for day in range(3)]
    assert (list(total.rows[0].values), total.rows[0].total) == ([2, 2, 1], 5)
    assert (list(users.rows[0].values), users.rows[0].total) == ([1, 2, 1], 4)
    assert (list(companies.rows[0].values), companies.rows[0].total) == ([1, 2, 1], 3)


async def test_property_math_goes_by_numbers_only(usage):
    """The text "many" does not count; a day without numbers has no average."""
    summed = await trend(usage, series={"measure": trend_pb2.MEASURE_SUM, "property": "pages"})
    mean = await trend(usage, series={"measure": trend_pb2.MEASURE_AVG, "property": "pages"})

    assert (list(summed.rows[0].values), summed.rows[0].total) == ([30, 60, 0], 90)
    assert list(mean.rows[0].values)[:2] == [15, 60]
    assert math.isnan(mean.rows[0].values[2])


async def test_a_breakdown_has_the_greatest_first_and_the_rest_as_other_and_missing(usage):
    """By group key, and by a stored property of the company."""
    by_key = await trend(usage, breakdown={"attributes": ["company.key"], "limit": 1})
    by_plan = await trend(usage, breakdown={"attributes": ["company.plan"]})
    by_nothing = await trend(usage, breakdown={"attributes": ["event.nothing"]})

    assert [(row.breakdown.value, row.breakdown.other, row.total) for row in by_key.rows] == [
        ("acme", False, 3),
        ("", True, 2),
    ]
    assert [(row.breakdown.value, row.total) for row in by_plan.rows] == [("pro", 3), ("free", 2)]
    assert [(row.breakdown.missing, row.total) for row in by_nothing.rows] == [(True, 5)]


async def test_every_series_shows_the_values_that_are_greatest_in_the_first(usage):
    """So that the rows of several series can be put side by side."""
    series = [{"event": "opened"}, {"event": "saved", "filter": condition("user.key", "equals", "cid")}]
    request = trend_pb2.QueryTrendRequest(
        series=series, range=SPAN, breakdown={"attributes": ["company.key"], "limit": 1}
    )

    rows = (await usage.QueryTrend(request)).rows

    assert [(row.series, row.breakdown.value, row.breakdown.other, row.total) for row in rows] == [
        (0, "acme", False, 3),
        (0, "", True, 2),
        (1, "", True, 1),
    ]


async def test_filters_join_event_and_company_properties_with_and_or_and_not(usage):
    """Trees of conditions, over the event and over stored profiles."""
    many_pages = condition("event.pages", "gte", 20)
    free = condition("company.plan", "equals", "free")
    either = common_pb2.Filter(any={"filters": [many_pages, free]})
    both = common_pb2.Filter(all={"filters": [many_pages, free]})
    negated = common_pb2.Filter()
    getattr(negated, "not").CopyFrom(either)

    totals = [(await trend(usage, filter=tree)).rows[0].total for tree in (many_pages, free, either, both, negated)]

    assert totals == [2, 2, 4, 0, 1]


async def test_days_are_days_of_the_time_zone(usage):
    """In Auckland, 13 hours ahead, the first of March begins at noon UTC of the day before."""
    answer = await trend(usage, time_zone="Pacific/Auckland")

    assert answer.columns[0].seconds == MIDNIGHT - 13 * 3600
    assert list(answer.rows[0].values) == [2, 2, 1]


async def test_a_funnel_counts_users_or_companies_in_order(usage):
    """ann and cid saved after they opened; of the companies, acme and bolt."""
    steps = [{"event": "opened"}, {"event": "saved"}]
    users = await usage.QueryFunnel(funnel_pb2.QueryFunnelRequest(steps=steps, range=SPAN))
    companies = await usage.QueryFunnel(funnel_pb2.QueryFunnelRequest(steps=steps, range=SPAN, count_by="company"))
    within = funnel_pb2.QueryFunnelRequest(steps=steps, range=SPAN, window=Duration(seconds=3600))
    short = await usage.QueryFunnel(within)
    by_plan = await usage.QueryFunnel(
        funnel_pb2.QueryFunnelRequest(steps=steps, range=SPAN, breakdown={"attributes": ["company.plan"]})
    )

    assert [step.count for step in users.rows[0].steps] == [4, 2]
    assert users.rows[0].steps[1].conversion_from_first == 0.5
    assert [step.count for step in companies.rows[0].steps] == [3, 2]
    assert [step.count for step in short.rows[0].steps] == [4, 2]
    assert {row.breakdown.value: [step.count for step in row.steps] for row in by_plan.rows} == {
        "pro": [2, 1],
        "free": [2, 1],
    }


async def test_an_answer_says_what_it_cost_and_how_fresh_it_is(usage):
    """Rows read, time taken, the span, and until when it is complete."""
    info = (await trend(usage)).info

    assert info.rows_read > 0
    assert info.elapsed.ToMicroseconds() > 0
    assert info.complete_until.seconds > MIDNIGHT
    assert (info.start.seconds, info.end.seconds) == (MIDNIGHT, MIDNIGHT + 3 * 86_400)


async def test_an_answer_says_what_was_asked_and_asked_that_again_is_the_same(usage):
    """Defaults and times are filled in, at every level."""
    request = trend_pb2.QueryTrendRequest(
        series=[{"event": "opened"}],
        range={"start": "last year"},
        breakdown={"attributes": ["user.key"]},
    )
    first = await usage.QueryTrend(request)
    again = await usage.QueryTrend(first.asked)

    assert first.asked.time_zone == "UTC"
    assert first.asked.range.start.endswith("-01-01T00:00:00+00:00")
    assert first.asked.interval == questions_pb2.INTERVAL_DAY
    assert first.asked.series[0].measure == trend_pb2.MEASURE_TOTAL
    assert first.asked.breakdown.limit == 10
    assert again.asked == first.asked
    assert (again.columns, again.rows) == (first.columns, first.rows)

    funnel = funnel_pb2.QueryFunnelRequest(steps=[{"event": "opened"}, {}], window=Duration(nanos=5_000))
    asked = (await usage.QueryFunnel(funnel)).asked
    assert (asked.count_by, asked.window.seconds, asked.window.nanos) == ("user", 0, 5_000)
    funnel.ClearField("window")
    assert (await usage.QueryFunnel(funnel)).asked.window.seconds == 14 * 86_400


async def test_the_span_before_is_answered_beside(usage):
    """The same question of the day before; nothing where nobody asks."""
    third = {"start": "2026-03-03", "end": "2026-03-04"}
    both = await trend(usage, range={**third, "compare": "previous"})
    steps = [{"event": "opened"}, {"event": "saved"}]
    funnels = await usage.QueryFunnel(funnel_pb2.QueryFunnelRequest(steps=steps, range={**third, "compare": "-2d"}))

    assert (both.rows[0].total, both.previous.rows[0].total) == (1, 2)
    assert both.previous.info.start.seconds == MIDNIGHT + 86_400
    assert both.previous.info.complete_until == both.info.complete_until
    assert [step.count for step in funnels.rows[0].steps] == [1, 0]
    assert [step.count for step in funnels.previous.rows[0].steps] == [1, 1]
    assert not (await trend(usage, range=third)).HasField("previous")


@pytest.mark.parametrize("start", ["today", "this month", "this year", "last quarter", "-90d"])
async def test_asked_again_an_answer_has_the_same_span_beside_it(usage, start):
    """The last 90 days are not so many seconds where clocks change, and this month until now is not so many either."""
    first = await trend(usage, range={"start": start, "compare": "previous"}, time_zone="America/New_York")
    again = await usage.QueryTrend(first.asked)
    assert again.asked == first.asked
    assert (again.previous.info.start, again.previous.info.end) == (first.previous.info.start, first.previous.info.end)


async def test_properties_are_those_of_now_or_of_the_time_of_the_event(admin, loaded):
    """A company that was free when it opened, and is pro; and one that nobody had told of yet."""

    async def identify(plan):
        properties = Struct()
        properties.update({"plan": plan})
        await admin.profiles.IdentifyGroup(
            profiles_pb2.IdentifyGroupRequest(group_type="company", group_key="acme", change={"set": properties})
        )

    await identify("free")
    now = int(time.time() * 1_000_000)
    for company, at in (("acme", now), ("acme", MIDNIGHT * 1_000_000), ("bolt", now)):
        await admin.send(
            capture_pb2.Event(event="opened", distinct_id="ann", groups={"company": company}, timestamp_micros=at)
        )
    await identify("pro")
    await loaded()
    today = {"range": {"start": "2026-01-01", "end": "+1d"}}
    plan = {"attributes": ["company.plan"]}

    async def totals(as_of):
        answer = await trend(admin.insights, breakdown=plan, properties_as_of=as_of, **today)
        is_free = condition("company.plan", "equals", "free")
        filtered = await trend(admin.insights, filter=is_free, properties_as_of=as_of, **today)
        return {row.breakdown.value: row.total for row in answer.rows}, filtered.rows[0].total

    assert await totals(questions_pb2.PROPERTIES_AS_OF_UNSPECIFIED) == ({"pro": 2, "": 1}, 0)
    assert await totals(questions_pb2.PROPERTIES_AS_OF_EVENT) == ({"free": 1, "": 2}, 1)
    with refused(StatusCode.INVALID_ARGUMENT, "properties_as_of"):
        await totals(9)


async def test_an_answer_is_never_larger_than_a_client_reads(usage, monkeypatch):
    """It is refused in our words before it is sent, the one beside it counted; what is as large as may be is sent."""
    assert answering.MAX_ANSWER_BYTES == channel.MAX_MESSAGE_BYTES
    compared = common_pb2.TimeRange(start=SPAN.start, end=SPAN.end, compare="previous")
    size = (await trend(usage, range=compared)).ByteSize() + SPARE
    monkeypatch.setattr(answering, "MAX_ANSWER_BYTES", size)
    assert (await trend(usage, range=compared)).HasField("previous")
    monkeypatch.setattr(answering, "MAX_ANSWER_BYTES", size - 2 * SPARE)
    assert (await trend(usage, range=SPAN)).rows
    with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
        await trend(usage, range=compared)
    assert "shorter texts" in refusal.message


METHODS = [
    each for each in insights_pb2.DESCRIPTOR.services_by_name["InsightService"].methods if each.name.startswith("Query")
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_answer_has_what_was_asked_what_it_cost_and_room_for_another_span(method):
    """So a client needs to know only one way to read them. A question about another has its span there."""
    named = method.input_type.fields_by_name
    about = [named[name] for name in ("funnel", "retention", "lifecycle", "stickiness") if name in named]
    words = about[0].message_type if about else method.input_type
    fields = {name: field.message_type for name, field in method.output_type.fields_by_name.items()}
    assert fields["asked"] is method.input_type
    assert fields["previous"] is method.output_type
    assert fields["info"] is questions_pb2.QueryInfo.DESCRIPTOR
    for name in ("range", "time_zone", "filter", "properties_as_of"):
        assert name in words.fields_by_name


async def test_a_query_is_given_up_at_its_deadline_and_the_next_one_is_answered(usage):
    """DEADLINE_EXCEEDED in time; the server goes on."""
    with refused(StatusCode.DEADLINE_EXCEEDED):
        await usage.QueryTrend(trend_pb2.QueryTrendRequest(series=[{}]), timeout=0.001)
    assert (await trend(usage)).rows[0].total == 5


async def test_questions_of_many_at_once_are_all_answered(usage):
    """More than there are connections to the warehouse."""
    answers = await asyncio.gather(*(trend(usage) for _ in range(30)))

    assert {answer.rows[0].total for answer in answers} == {5}
