"""Questions about a funnel over the wire, as the client asks them and the command line shows them; and their errors."""

from dataclasses import replace
from datetime import timedelta

import pytest
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

import burgee
from burgee.v1 import funnel_pb2 as pb
from burgee.v1 import profiles_pb2
from tests.rpc.conftest import refused
from tests.rpc.insight_calls import MIDNIGHT, condition, event

SPAN = {"start": "2026-03-01", "end": "2026-03-04"}
FUNNEL = burgee.FunnelQuery(steps=["opened", "saved"], **SPAN)
COMPANIES = burgee.FunnelQuery(steps=["opened", "saved"], count_by="company", **SPAN)
BY_SIZE = burgee.FunnelQuery(steps=["opened", "saved"], breakdown=("event.size", "event.no"), **SPAN)


@pytest.fixture(scope="module")
async def client(server, shared_admin, loaded):
    """Two companies whose users open, most of them search, and some save; asked by a client."""
    for company, plan in (("acme", "pro"), ("bolt", 'fr"ee')):
        properties = Struct()
        properties.update({"plan": plan, "a.b": 5, "tags": ["x"], "nested": {"deep": 1}})
        await shared_admin.profiles.IdentifyGroup(
            profiles_pb2.IdentifyGroupRequest(group_type="company", group_key=company, change={"set": properties})
        )
    for number in range(12):
        user, company = f"u{number:02}", "acme" if number < 6 else "bolt"
        events = [event("opened", user, company, number, size="big" if number % 2 else "small")]
        if number < 8:
            events.append(event("searched", user, company, number + 0.25))
        if number < 5:
            events.append(event("saved", user, company, number + 0.5 + number / 10, size="big"))
        await shared_admin.send(*events)
    await loaded()
    async with burgee.AsyncClient(server.target, shared_admin.secret) as client:
        yield client


async def test_people_come_in_pages_and_parts(client):
    """In the order of their keys, each once, with the moments of the way that counts; those who were lost as well."""
    found, token = [], ""
    while not found or token:
        page = await client.ask(burgee.FunnelActorsQuery(funnel=FUNNEL, step=2, page_size=2, page_token=token))
        found, token = [*found, *page.actors], page.next_page_token
    assert [actor.key for actor in found] == [f"u{number:02}" for number in range(5)]
    assert [moment.timestamp() - MIDNIGHT for moment in found[1].reached_at] == [3600, 3600 * 1.6]

    lost = await client.ask(burgee.FunnelActorsQuery(funnel=FUNNEL, step=2, outcome="lost"))
    assert [row["key"] for row in lost.to_rows()] == [f"u{number:02}" for number in range(5, 12)]
    big = burgee.Part(values=(burgee.Part("big"), burgee.Part(missing=True)))
    part = await client.ask(burgee.FunnelActorsQuery(funnel=BY_SIZE, step=1, part=big))
    assert [actor.key for actor in part.actors] == ["u01", "u03", "u05", "u07", "u09", "u11"]
    for no_part in (burgee.Part("big"), burgee.Part(other=True), burgee.Part(missing=True)):
        assert not (await client.ask(burgee.FunnelActorsQuery(funnel=BY_SIZE, step=1, part=no_part))).actors
    companies = await client.ask(burgee.FunnelActorsQuery(funnel=COMPANIES, step=2))
    assert [actor.key for actor in companies.actors] == ["acme"]


async def test_a_list_of_people_is_of_one_span(client):
    """Pages of two spans would need two tokens."""
    alone = await client.ask(burgee.FunnelActorsQuery(funnel=replace(FUNNEL, compare="-1d"), step=2))
    assert (len(alone.actors), alone.previous) == (5, None)


async def test_times_have_a_mean_a_median_and_bins(client):
    """In all and from step to step; what was asked comes back with its defaults."""
    answer = await client.ask(burgee.FunnelTimesQuery(funnel=FUNNEL, bins=2))
    [row] = answer.rows
    assert (row.whole.average, row.whole.median) == (timedelta(hours=0.7), timedelta(hours=0.7))
    assert row.steps == (row.whole,)
    assert [(each.start, each.end, each.count) for each in row.bins] == [
        (timedelta(hours=0.5), timedelta(hours=0.7), 2),
        (timedelta(hours=0.7), timedelta(hours=0.9), 3),
    ]
    assert [each["average"] for each in answer.to_rows()] == [2520, 2520]
    assert (answer.asked["to_step"], answer.asked["funnel"]["time_zone"]) == (2, "UTC")


async def test_conversion_over_time_says_which_columns_are_not_over(client):
    """A column is over when the window of its last moment is, in the range; split by a part."""
    query = burgee.FunnelQuery(steps=["opened", "saved"], window=timedelta(days=1), **SPAN)
    answer = await client.ask(burgee.FunnelOverTimeQuery(funnel=query))
    assert [column.is_over for column in answer.columns] == [True, True, False]
    assert [row.counts for row in answer.rows] == [((12, 5), (0, 0), (0, 0))]
    hours = await client.ask(burgee.FunnelOverTimeQuery(funnel=BY_SIZE, interval="hour"))
    assert [sum(entered for entered, _ in row.counts) for row in hours.rows] == [6, 6]
    assert answer.to_rows()[0]["conversion"] == 5 / 12


async def test_two_sides_are_compared(client):
    """By filters, or by parts: 5 of 6 against 0 of 6, tested exactly: p is 12 of the 792 tables."""
    companies = [burgee.where("company.key", "equals", key) for key in ("acme", "bolt")]
    answer = await client.ask(burgee.FunnelComparisonQuery(funnel=FUNNEL, first=companies[0], second=companies[1]))
    [difference] = answer.differences
    assert [step.count for step in (*answer.first.steps, *answer.second.steps)] == [6, 5, 6, 0]
    assert difference.difference == 5 / 6
    assert difference.interval.low < 5 / 6 < difference.interval.high
    assert (round(difference.p_value, 4), difference.is_exact) == (0.0152, True)
    by_size = burgee.FunnelQuery(steps=["opened", "saved"], breakdown="event.size", **SPAN)
    parts = burgee.FunnelComparisonQuery(funnel=by_size, first=burgee.Part("small"), second=burgee.Part("big"))
    assert [row["first"] for row in (await client.ask(parts)).to_rows()] == [3 / 6]


async def test_what_goes_with_converting(client):
    """Events on the way, the clearest first; properties by what they are now, whatever they are called."""
    answer = await client.ask(burgee.FunnelCorrelationQuery(funnel=FUNNEL, least=1))
    assert (answer.converted, answer.dropped) == (5, 7)
    [searched] = answer.correlates
    assert (searched.event, searched.converted, searched.dropped) == ("searched", 5, 3)
    assert searched.odds_ratio == pytest.approx(5.5 * 4.5 / (3.5 * 0.5))
    assert not (await client.ask(burgee.FunnelCorrelationQuery(funnel=FUNNEL))).correlates

    properties = burgee.FunnelCorrelationQuery(funnel=COMPANIES, subject="properties", least=1)
    found = {(each.property, each.value): each.converted for each in (await client.ask(properties)).correlates}
    assert found == {("plan", "pro"): 1, ("plan", 'fr"ee'): 0, ("a.b", "5"): 1, ("tags", '["x"]'): 1}
    named = burgee.FunnelCorrelationQuery(funnel=COMPANIES, subject="properties", properties=["a.b"], least=1)
    assert [each.property for each in (await client.ask(named)).correlates] == ["a.b"]


BAD = {
    "a step that is not there": ("Actors", {"step": 3}, "step"),
    "no step": ("Actors", {}, "step"),
    "lost before the first": ("Actors", {"step": 1, "outcome": 2}, "step"),
    "an unknown outcome": ("Actors", {"step": 1, "outcome": 99}, "outcome"),
    "a part of nothing": ("Actors", {"step": 1, "part": {"value": "x"}}, "part"),
    "a part that is none": ("Actors", {"step": 1, "part": {}}, "part"),
    "a page that is too large": ("Actors", {"step": 1, "page_size": 1001}, "page_size"),
    "a token of another": ("Actors", {"step": 1, "page_token": "x"}, "page_token"),
    "times backwards": ("Times", {"from_step": 2}, "from_step"),
    "times to nowhere": ("Times", {"to_step": 3}, "to_step"),
    "too many bins": ("Times", {"bins": 101}, "bins"),
    "an unknown interval": ("OverTime", {"interval": 99}, "interval"),
    "sides of nothing": ("Comparison", {}, "first"),
    "one side": ("Comparison", {"first": {"filter": condition("event.a", "is_set")}}, "second"),
    "a side that is a part of nothing": ("Comparison", {"first": {"part": {"value": "x"}}}, "first.part"),
    "no confidence": ("Comparison", {"confidence": 1.0}, "confidence"),
    "a side of a bad filter": (
        "Comparison",
        {"first": {"filter": condition("plan", "is_set")}},
        "first.filter.condition.attribute",
    ),
    "an unknown subject": ("Correlation", {"subject": 99}, "subject"),
    "too many correlates": ("Correlation", {"limit": 1001}, "limit"),
    "properties of events": ("Correlation", {"properties": ["x"]}, "properties"),
    "too many properties": ("Correlation", {"subject": 2, "properties": ["x"] * 101}, "properties"),
    "a bad funnel": ("Times", {"funnel": {"steps": [{}]}}, "funnel.steps"),
    "a bad step": ("Actors", {"step": 1, "funnel": {"steps": [{"event": "x" * 201}, {}]}}, "funnel.steps[0].event"),
    "a bad range": ("OverTime", {"funnel": {"steps": [{}] * 2, "range": {"start": "x"}}}, "funnel.range.start"),
    "a bad comparison": (
        "Actors",
        {"step": 1, "funnel": {"steps": [{}] * 2, "range": {"compare": "tomorrow"}}},
        "funnel.range.compare",
    ),
    "a breakdown without a place": (
        "Correlation",
        {"funnel": {"steps": [{}] * 2, "breakdown": {"attributes": ["user.key"]}}},
        "funnel.breakdown",
    ),
}


@pytest.mark.parametrize(("kind", "fields", "field"), BAD.values(), ids=BAD.keys())
async def test_a_bad_question_is_refused_with_the_path_of_what_is_wrong(shared_admin, kind, fields, field):
    """INVALID_ARGUMENT, never INTERNAL; what is wrong with the funnel is under `funnel`."""
    request = getattr(pb, f"QueryFunnel{kind}Request")(**{"funnel": {"steps": [{}] * 2}, **fields})
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await getattr(shared_admin.insights, f"QueryFunnel{kind}")(request)
