"""Saved insights over real gRPC: kept, found, changed, asked, and what they hold on to."""

import time

import pytest
from grpc import StatusCode

from burgee.v1 import actions_pb2, admin_pb2, capture_pb2, cohorts_pb2
from burgee.v1 import saved_pb2 as pb
from tests.rpc.cohort_calls import create_cohort
from tests.rpc.conftest import refused
from tests.rpc.insight_calls import MIDNIGHT, SPAN, condition, event
from tests.rpc.saved_calls import TREND, ask, save, with_role
from tests.rpc.test_escape import whole
from tests.rpc.test_parents import belongs

INVALID = StatusCode.INVALID_ARGUMENT
KINDS = pb.InsightQuestion.DESCRIPTOR.oneofs_by_name["kind"].fields


@pytest.fixture
async def portal(server, admin):
    """Somebody who asks of one group at a time."""
    portal = await with_role(server, admin, "PORTAL")
    yield portal
    await portal.channel.close()


async def test_an_insight_is_saved_read_changed_listed_and_deleted(admin):
    """With everything the server fills in, and the question as it was given: nothing is filled in there."""
    saved = await save(admin, name="Opened", description="a day", tags=["board", "weekly"])
    await save(admin, "a", tags=["board"])
    found = (await admin.insights.GetInsight(pb.GetInsightRequest(insight_key="opened"))).insight
    first = await admin.insights.ListInsights(pb.ListInsightsRequest(page_size=1, tag="board"))
    second = await admin.insights.ListInsights(pb.ListInsightsRequest(tag="board", page_token=first.next_page_token))

    assert found == saved
    assert (found.version, found.name, found.description, found.created_at) == (1, "Opened", "a day", found.updated_at)
    assert found.question == pb.InsightQuestion(**TREND)
    assert [[each.key for each in page.insights] for page in (first, second)] == [["a"], ["opened"]]
    weekly = await admin.insights.ListInsights(pb.ListInsightsRequest(tag="weekly"))
    assert [each.key for each in weekly.insights] == ["opened"]

    found.question.trend.series[0].event = "closed"
    changed = pb.UpdateInsightRequest(insight=found, expected_version=1)
    assert (await admin.insights.UpdateInsight(changed)).insight.version == 2
    with refused(StatusCode.ABORTED):
        await admin.insights.UpdateInsight(changed)
    await admin.insights.DeleteInsight(pb.DeleteInsightRequest(insight_key="opened"))
    with refused(StatusCode.NOT_FOUND):
        await ask(admin)


async def test_every_kind_of_question_is_saved_and_answered_as_it_would_be(admin, loaded):
    """Whatever the service can be asked; the answer is that of the RPC, with what was asked."""
    await admin.send(*(event("opened", f"u{n % 3}", f"c{n % 2}", n) for n in range(12)))
    await loaded()
    for kind in KINDS:
        question = pb.InsightQuestion()
        whole(getattr(question, kind.name))
        await save(admin, kind.name, {kind.name: getattr(question, kind.name)})
        answer = (await ask(admin, kind.name)).answer
        method = kind.message_type.name.removesuffix("Request")
        by_itself = await getattr(admin.insights, method)(getattr(question, kind.name))
        assert answer.WhichOneof("kind") == kind.name
        answered = getattr(answer, kind.name)
        assert answered.asked == by_itself.asked
        answered.ClearField("info")
        by_itself.ClearField("info")
        assert answered == by_itself


async def test_what_is_asked_otherwise_than_saved(admin, loaded):
    """Another time, another zone, with another span beside it; what is not given is as it was saved."""
    await admin.send(event("opened", "ann", "acme", 1), event("opened", "ann", "acme", 30))
    await loaded()
    await save(admin, name="Opened", description="a day")
    as_saved = await ask(admin)
    otherwise = await ask(
        admin, range={"start": "2026-03-02", "end": "2026-03-03", "compare": "previous"}, time_zone="Europe/Berlin"
    )

    assert (as_saved.name, as_saved.description, as_saved.insight_version) == ("Opened", "a day", 1)
    assert as_saved.answer.trend.rows[0].total == 2
    assert as_saved.answer.trend.asked.time_zone == "UTC"
    trend = otherwise.answer.trend
    assert (trend.rows[0].total, trend.previous.rows[0].total) == (1, 1)
    assert (trend.asked.time_zone, trend.asked.range.start) == ("Europe/Berlin", "2026-03-01T23:00:00+00:00")
    assert (await ask(admin, range={"compare": "-1d"})).answer.trend.previous.rows[0].total == 2

    with refused(INVALID, "range.start"):
        await ask(admin, range={"start": "whenever"})
    with refused(INVALID, "time_zone"):
        await ask(admin, time_zone="Mars/Olympus")
    with refused(INVALID, "page_token"):
        await ask(admin, page_token="x")


async def test_lists_of_people_have_pages(admin, loaded):
    """Page by page, by a token that the request has, as where they are asked for by themselves."""
    await admin.send(*(event("opened", user, "acme", 1) for user in ("ann", "bob")))
    await loaded()
    question = {"stickiness_actors": {"stickiness": {"range": SPAN}, "columns": 1, "page_size": 1}}
    await save(admin, "who", question)
    first = (await ask(admin, "who")).answer.stickiness_actors.page
    second = (await ask(admin, "who", page_token=first.next_page_token)).answer.stickiness_actors.page
    assert [list(page.keys) for page in (first, second)] == [["ann"], ["bob"]]
    with refused(INVALID, "page_token"):
        await ask(admin, "who", page_token="x")
    with refused(INVALID, "range.start"):
        await ask(admin, "who", range={"start": "whenever"})


async def test_what_could_not_be_asked_is_not_saved(admin):
    """With the path of what is wrong, below the question that holds it; before anything is kept."""
    trend = "insight.question.trend"
    series = TREND["trend"]
    bad = [
        ({"key": "no good"}, "insight.key"),
        ({"name": "x" * 201}, "insight.name"),
        ({"description": "x" * 2001}, "insight.description"),
        ({"tags": ["a", "no good"]}, "insight.tags[1]"),
        ({"tags": ["a", "a"]}, "insight.tags[1]"),
        ({"tags": [f"t{n}" for n in range(21)]}, "insight.tags"),
        ({"shown_to": "a.b"}, "insight.shown_to"),
        ({"shown_to": "user"}, "insight.shown_to"),
        ({"question": {"trend": {}}}, f"{trend}.series"),
        ({"question": {"trend": {"series": [{"action": "none"}]}}}, f"{trend}.series[0].action"),
        ({"question": {"trend": {**series, "range": {"start": "soon"}}}}, f"{trend}.range.start"),
        ({"question": {"trend": {**series, "filter": {"not": {}}}}}, f"{trend}.filter.not"),
        (
            {"question": {"trend": {**series, "filter": condition("event.x", "matches", "\\pL{500}")}}},
            f"{trend}.filter.condition.values[0]",
        ),
        ({"question": {"trend": {**series, "time_zone": "x"}}}, f"{trend}.time_zone"),
        ({"question": {"trend": {"series": [{"event": "e", "label": "x" * 40_000}]}}}, "insight.question"),
        (
            {"question": {"funnel_times": {"funnel": {"steps": [{"event": "e"}]}}}},
            "insight.question.funnel_times.funnel.steps",
        ),
    ]
    for fields, path in bad:
        with refused(INVALID, path):
            await save(admin, **fields)
    with refused(INVALID, "insight.question"):
        await admin.insights.CreateInsight(pb.CreateInsightRequest(insight={"key": "a"}))
    with refused(INVALID, "insight.key"):
        await admin.insights.UpdateInsight(pb.UpdateInsightRequest(insight={"question": TREND}))
    with refused(INVALID, "expected_version"):
        await admin.insights.UpdateInsight(pb.UpdateInsightRequest(insight={"key": "a"}, expected_version=-1))
    with refused(INVALID, "insight_key"):
        await ask(admin, "")
    assert not (await admin.insights.ListInsights(pb.ListInsightsRequest())).insights
    await save(admin)
    with refused(StatusCode.ALREADY_EXISTS):
        await save(admin)


async def test_actions_and_cohorts_that_insights_ask_for_stay(admin):
    """Whoever wants to delete one is told which insights ask for it, wherever in the question that is."""
    await admin.actions.CreateAction(
        actions_pb2.CreateActionRequest(action={"key": "active", "matchers": [{"event": "opened"}]})
    )
    for key in ("testers", "gold"):
        await create_cohort(admin, key, "user")
    funnel = {
        "steps": [{"event": "opened"}, {"action": "active"}],
        "breakdown": {"attributes": ["user.$cohort/gold"]},
    }
    side = condition("user.key", "in_cohort", "testers")
    comparison = {"funnel": {"steps": funnel["steps"]}, "first": {"filter": side}, "second": {"filter": {"not": side}}}
    await save(admin, "f", {"funnel": funnel})
    await save(admin, "c", {"funnel_comparison": comparison})

    for delete in (
        lambda: admin.actions.DeleteAction(actions_pb2.DeleteActionRequest(action_key="active")),
        lambda: admin.cohorts.DeleteCohort(cohorts_pb2.DeleteCohortRequest(cohort_key="testers")),
        lambda: admin.cohorts.DeleteCohort(cohorts_pb2.DeleteCohortRequest(cohort_key="gold")),
    ):
        with refused(StatusCode.FAILED_PRECONDITION) as refusal:
            await delete()
        assert "insights ask for" in refusal.message
    assert refusal.message.count("f;") == 1
    for key in ("f", "c"):
        await admin.insights.DeleteInsight(pb.DeleteInsightRequest(insight_key=key))
    await admin.actions.DeleteAction(actions_pb2.DeleteActionRequest(action_key="active"))
    await admin.cohorts.DeleteCohort(cohorts_pb2.DeleteCohortRequest(cohort_key="gold"))


async def test_a_portal_asks_saved_insights_of_one_group_and_nothing_else(server, admin, portal, loaded):
    """Only those that are shown to the type of the group; never without a group; nothing is told of the question."""
    await admin.send(event("opened", "ann", "acme", 1), *(event("opened", "bob", "bolt", n) for n in range(5)))
    await loaded()
    await save(
        admin,
        shown_to="company",
        question={"trend": {**TREND["trend"], "series": [{"event": "opened"}, {"event": "opned"}]}},
    )
    await save(admin, "internal")

    mine = await ask(portal, group_key="acme")
    assert (mine.group_type, mine.group_key, mine.answer.trend.rows[0].total) == ("company", "acme", 1)
    assert not mine.answer.trend.HasField("asked")
    assert (mine.answer.trend.info.rows_read, list(mine.answer.trend.info.unknown_events)) == (0, [])
    assert (await ask(portal, group_key="nobody")).answer.trend.rows[0].total == 0
    with refused(INVALID, "group_key"):
        await ask(portal)
    for group_type in ("", "company", "user", "region"):
        told = []
        for key in ("internal", "not-there", *(["opened"] if group_type in ("user", "region") else [])):
            with refused(StatusCode.NOT_FOUND) as refusal:
                await ask(portal, key, group_key="acme", group_type=group_type)
            told.append(refusal.message.replace(key, "KEY"))
        assert len(set(told)) == 1  # nothing of what there is
    for method, request in (
        ("QueryTrend", pb.InsightQuestion(**TREND).trend),
        ("GetInsight", pb.GetInsightRequest(insight_key="opened")),
        ("ListInsights", pb.ListInsightsRequest()),
        ("CreateInsight", pb.CreateInsightRequest(insight={"key": "a", "question": TREND})),
        ("DeleteInsight", pb.DeleteInsightRequest(insight_key="opened")),
    ):
        with refused(StatusCode.PERMISSION_DENIED):
            await getattr(portal.insights, method)(request)


async def test_a_key_of_one_group_asks_of_no_other_whatever_is_filled_in(server, admin, loaded):
    """By itself of its own; neither of another key nor of another type, and without a word of what there is."""
    await admin.send(event("opened", "ann", "acme", 1), *(event("opened", "ann", "bolt", n) for n in range(5)))
    await loaded()
    await save(admin, shown_to="company", tags=["board"])
    await save(admin, "regional", shown_to="region", tags=["board"])
    acme = await with_role(server, admin, "PORTAL", group_type="company", group_key="acme")
    for fields in ({}, {"group_key": "acme"}, {"group_type": "company"}):
        mine = await ask(acme, **fields)
        assert (mine.group_type, mine.group_key, mine.answer.trend.rows[0].total) == ("company", "acme", 1)
        board = [each async for each in acme.insights.AskInsights(pb.AskInsightsRequest(tag="board", **fields))]
        assert [each.answered.answer.trend.rows[0].total for each in board] == [1]
    for fields in (
        {"group_key": "bolt"},
        {"group_key": "ACME"},
        {"group_key": " acme"},
        {"group_type": "region"},
        {"group_type": "region", "group_key": "acme"},
    ):
        for key in ("opened", "regional", "not-there"):
            with refused(StatusCode.PERMISSION_DENIED):
                await ask(acme, key, **fields)
            with refused(StatusCode.PERMISSION_DENIED):
                _ = [each async for each in acme.insights.AskInsights(pb.AskInsightsRequest(tag="board", **fields))]
    with refused(StatusCode.NOT_FOUND):
        await ask(acme, "regional")
    listed = (await admin.admin.ListApiKeys(admin_pb2.ListApiKeysRequest())).api_keys[-1]
    assert (listed.group_type, listed.group_key) == ("company", "acme")
    await admin.admin.RevokeApiKey(admin_pb2.RevokeApiKeyRequest(api_key_id=listed.api_key_id))
    with refused(StatusCode.UNAUTHENTICATED):
        await ask(acme)
    await acme.channel.close()
    for role, group, path in (
        ("READER", {"group_type": "company", "group_key": "acme"}, "group_type"),
        ("PORTAL", {"group_key": "acme"}, "group_type"),
        ("PORTAL", {"group_type": "user", "group_key": "acme"}, "group_type"),
        ("PORTAL", {"group_type": "company"}, "group_key"),
    ):
        with refused(INVALID, path):
            await with_role(server, admin, role, **group)


async def test_several_are_asked_in_one_call(server, admin, portal, loaded):
    """By keys in their order, or by a tag; one that cannot be answered is told of, and the others are answered."""
    await admin.send(event("opened", "ann", "acme", 1), event("opened", "bob", "bolt", 2))
    await loaded()
    await save(admin, "b", shown_to="company", tags=["board"])
    await save(admin, "a", tags=["board"])
    await save(admin, "c", shown_to="region", tags=["board"])
    board = pb.AskInsightsRequest(tag="board", time_zone="Europe/Berlin")

    async def told(caller, request):
        return [
            (each.answered.insight_key, each.answered.answer.trend.rows[0].total)
            if each.HasField("answered")
            else (each.failed.insight_key, each.failed.code)
            async for each in caller.insights.AskInsights(request)
        ]

    assert await told(admin, board) == [("a", 2), ("b", 2), ("c", 2)]
    assert await told(admin, pb.AskInsightsRequest(insight_keys=["c", "a"])) == [("c", 2), ("a", 2)]
    assert await told(admin, pb.AskInsightsRequest(tag="none")) == []
    board.group_key, board.group_type = "acme", "company"
    assert await told(admin, board) == [("a", 1), ("b", 1), ("c", 1)]
    assert await told(portal, board) == [("b", 1)]
    board.ClearField("group_type")
    assert await told(admin, board) == [("a", "INVALID_ARGUMENT"), ("b", 1), ("c", 0)]
    for key in ("a", "none"):
        with refused(StatusCode.NOT_FOUND) as refusal:
            await told(portal, pb.AskInsightsRequest(insight_keys=["b", key], group_key="acme"))
        assert refusal.message == f"no insight '{key}' that is shown to groups"
    for request in ({"insight_keys": ["b"]}, {"insight_keys": ["none"]}, {"tag": "board"}):
        with refused(INVALID, "group_key"):
            await told(portal, pb.AskInsightsRequest(**request))
    with refused(StatusCode.NOT_FOUND):
        await told(admin, pb.AskInsightsRequest(insight_keys=["a", "none"]))
    for request in ({}, {"insight_keys": ["a"], "tag": "board"}, {"insight_keys": ["a"] * 51}):
        with refused(INVALID, "insight_keys"):
            await told(admin, pb.AskInsightsRequest(**request))


async def test_what_belongs_to_a_group_is_seen_by_it(admin, portal, loaded):
    """An event of a team is one of its company: now, and, as of the event, then; and not of the company of another."""
    await belongs(admin, "t1", "acme")
    await belongs(admin, "t2", "bolt")
    later = round(time.time() + 1) * 1_000_000
    await admin.send(
        *(
            capture_pb2.Event(event="opened", distinct_id="ann", groups={"team": team}, timestamp_micros=at)
            for team in ("t1", "t2", "t2")
            for at in (later, MIDNIGHT * 1_000_000)
        ),
        event("opened", "bob", "acme", 1),
    )
    await loaded()
    for as_of, total in ((1, 3), (2, 2)):
        trend = {"series": [{"event": "opened"}], "range": {"start": "2026-03-01", "end": "+1d"}}
        await save(admin, f"as-of-{as_of}", {"trend": {**trend, "properties_as_of": as_of}}, shown_to="company")
        answer = await ask(portal, f"as-of-{as_of}", group_key="acme")
        assert answer.answer.trend.rows[0].total == total


async def test_own_people_are_left_out_by_what_they_did_anywhere(admin, portal, loaded):
    """Whoever is of the house is so on the pages of every customer."""
    await admin.send(
        event("supported", "zoe", "bolt", 1), event("opened", "zoe", "acme", 2), event("opened", "ann", "acme", 3)
    )
    await loaded()
    criterion = {"performed": {"events": {"event": "supported"}, "range": {"start": "2026-01-01"}}}
    cohort = cohorts_pb2.Cohort(key="own", group_type="user", computed={"criterion": criterion})
    await admin.cohorts.CreateCohort(cohorts_pb2.CreateCohortRequest(cohort=cohort))
    await save(admin, shown_to="company")
    assert (await ask(portal, group_key="acme")).answer.trend.rows[0].total == 2
    environment = {"key": "production", "internal_cohort_key": "own"}
    await admin.admin.UpdateEnvironment(admin_pb2.UpdateEnvironmentRequest(**environment))
    assert (await ask(portal, group_key="acme")).answer.trend.rows[0].total == 1


async def test_readers_ask_of_all_or_of_any_group(server, admin, loaded):
    """And change nothing."""
    await admin.send(event("opened", "ann", "acme", 1), event("opened", "bob", "bolt", 2))
    await loaded()
    await save(admin)
    reader = await with_role(server, admin, "READER")
    assert (await ask(reader)).answer.trend.rows[0].total == 2
    of_one = await ask(reader, group_key="acme", group_type="company")
    assert of_one.answer.trend.rows[0].total == 1
    assert of_one.answer.trend.HasField("asked")
    with refused(INVALID, "group_type"):
        await ask(reader, group_key="acme")
    with refused(INVALID, "group_type"):
        await ask(reader, group_key="acme", group_type="planet")
    with refused(INVALID, "group_key"):
        await ask(reader, group_type="company")
    with refused(StatusCode.PERMISSION_DENIED):
        await save(reader, "b")
    await reader.channel.close()
