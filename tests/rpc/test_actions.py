"""ActionService over real gRPC, and actions in questions."""

from grpc import StatusCode

from burgee.v1 import actions_pb2 as pb
from burgee.v1 import capture_pb2, funnel_pb2, trend_pb2
from tests.rpc.conftest import refused
from tests.rpc.insight_calls import condition

LARGE = {"condition": {"attribute": "event.rows", "operator": "OPERATOR_GT", "values": [{"number_value": 100}]}}


async def create(caller, key="activated", matchers=({"event": "invited"}, {"event": "imported", "filter": LARGE})):
    """Create an action."""
    request = pb.CreateActionRequest(action=pb.Action(key=key, matchers=matchers, description="aha"))
    return (await caller.actions.CreateAction(request)).action


async def test_an_action_is_created_read_changed_listed_and_deleted(admin):
    """With everything the server fills in."""
    created = await create(admin)
    await create(admin, "a")
    found = (await admin.actions.GetAction(pb.GetActionRequest(action_key="activated"))).action
    first = await admin.actions.ListActions(pb.ListActionsRequest(page_size=1))
    second = await admin.actions.ListActions(pb.ListActionsRequest(page_token=first.next_page_token))

    assert found == created
    assert (found.version, found.description, found.created_at) == (1, "aha", found.updated_at)
    assert [each.event for each in found.matchers] == ["invited", "imported"]
    assert found.matchers[1].filter.condition.attribute == "event.rows"
    assert [[action.key for action in page.actions] for page in (first, second)] == [["a"], ["activated"]]
    assert not second.next_page_token

    del found.matchers[0]
    saved = (await admin.actions.UpdateAction(pb.UpdateActionRequest(action=found, expected_version=1))).action
    assert (saved.version, len(saved.matchers)) == (2, 1)
    with refused(StatusCode.ABORTED):
        await admin.actions.UpdateAction(pb.UpdateActionRequest(action=found, expected_version=1))
    await admin.actions.DeleteAction(pb.DeleteActionRequest(action_key="activated"))
    with refused(StatusCode.NOT_FOUND):
        await admin.actions.GetAction(pb.GetActionRequest(action_key="activated"))


async def test_questions_ask_for_actions(admin, loaded):
    """A trend and a funnel; a change of the action is in force at once, for the past too."""
    await create(admin)
    await admin.send(
        capture_pb2.Event(event="imported", distinct_id="ann", properties_json='{"rows": 500}'),
        capture_pb2.Event(event="imported", distinct_id="bob", properties_json='{"rows": 5}'),
        capture_pb2.Event(event="invited", distinct_id="bob"),
    )
    await loaded()
    trend = trend_pb2.QueryTrendRequest(series=[{"action": "activated"}], range={"start": "-1d", "end": "+1d"})
    funnel = funnel_pb2.QueryFunnelRequest(steps=[{"event": "imported"}, {"action": "activated"}], range=trend.range)

    assert (await admin.insights.QueryTrend(trend)).rows[0].total == 2
    assert [step.count for step in (await admin.insights.QueryFunnel(funnel)).rows[0].steps] == [2, 1]
    everything = pb.Action(key="activated", matchers=[{"event": "imported"}, {"event": "invited"}])
    await admin.actions.UpdateAction(pb.UpdateActionRequest(action=everything))
    assert (await admin.insights.QueryTrend(trend)).rows[0].total == 3


async def test_bad_actions_are_refused_with_the_field(admin):
    """Before anything is kept; and a question with the path of an action that is not there."""
    bad = [
        (pb.Action(key="no good", matchers=[{"event": "a"}]), "action.key"),
        (pb.Action(key="a"), "action.matchers"),
        (pb.Action(key="a", matchers=[{"event": "a"}] * 51), "action.matchers"),
        (pb.Action(key="a", matchers=[{"event": "a"}, {}]), "action.matchers[1]"),
        (pb.Action(key="a", matchers=[{"filter": {"not": {}}}]), "action.matchers[0].filter.not"),
        (
            pb.Action(key="a", matchers=[{"event": "a"}, {"filter": condition("event.x", "matches", "\\pL{500}")}]),
            "action.matchers[1].filter.condition.values[0]",
        ),
        (pb.Action(key="a", matchers=[{"event": "a"}], description="x" * 2001), "action.description"),
    ]
    for action, field in bad:
        with refused(StatusCode.INVALID_ARGUMENT, field):
            await admin.actions.CreateAction(pb.CreateActionRequest(action=action))
    with refused(StatusCode.INVALID_ARGUMENT, "expected_version"):
        await admin.actions.UpdateAction(pb.UpdateActionRequest(action=bad[1][0], expected_version=-1))
    with refused(StatusCode.INVALID_ARGUMENT, "action_key"):
        await admin.actions.DeleteAction(pb.DeleteActionRequest())
    with refused(StatusCode.INVALID_ARGUMENT, "series[0].action"):
        await admin.insights.QueryTrend(trend_pb2.QueryTrendRequest(series=[{"action": "a"}]))
    assert not (await admin.actions.ListActions(pb.ListActionsRequest())).actions
