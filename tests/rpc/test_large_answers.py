"""Answers that would be larger than a client takes: pages end early, and what has no pages says what to ask for."""

import pytest
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

from burgee.v1 import actions_pb2, admin_pb2, capture_pb2, cohorts_pb2, flag_admin_pb2, flags_pb2, profiles_pb2
from burgee_server.rpc import flags, paging
from tests.rpc.cohort_calls import create_cohort
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import create, update

NAMES = [f"n{number}" for number in range(3)]


async def walk(method, request):
    """How many items each page of a list has, and all items."""
    sizes, items = [], []
    request.page_size = paging.MAX_PAGE
    while True:
        page = await method(request)
        [(_, found)] = [field for field in page.ListFields() if field[0].name != "next_page_token"] or [(None, [])]
        sizes.append(len(found))
        items += found
        if not page.next_page_token:
            return sizes, items
        request.page_token = page.next_page_token


async def test_every_list_has_all_its_items_when_pages_end_early(admin, loaded, monkeypatch):
    """Here after each item, since each is larger than what a page may be; the last page is known to be the last.

    The quarantine's is in test_quarantine.py, which fills one.
    """
    for name in NAMES:
        await create(admin, flags_pb2.Flag(key=name, enabled=True))
        await create_cohort(admin, name)
        action = actions_pb2.Action(key=name, matchers=[actions_pb2.EventMatcher(event="e")])
        await admin.actions.CreateAction(actions_pb2.CreateActionRequest(action=action))
        await admin.profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=name))
        group = profiles_pb2.IdentifyGroupRequest(group_type="company", group_key=name)
        await admin.profiles.IdentifyGroup(group)
        await admin.send(capture_pb2.Event(event=name, distinct_id="n0", timestamp_micros=1_767_225_600_000_000))
        await update(admin, flags_pb2.Flag(key="n0", enabled=True, description=name))
    await loaded()
    monkeypatch.setattr(paging, "MAX_PAGE_BYTES", 1)

    lists = {
        "flags": (admin.flag_admin.ListFlags, flag_admin_pb2.ListFlagsRequest(), lambda flag: flag.key),
        "cohorts": (admin.cohorts.ListCohorts, cohorts_pb2.ListCohortsRequest(), lambda cohort: cohort.key),
        "actions": (admin.actions.ListActions, actions_pb2.ListActionsRequest(), lambda action: action.key),
        "persons": (admin.profiles.ListPersons, profiles_pb2.ListPersonsRequest(), lambda each: each.distinct_id),
        "groups": (
            admin.profiles.ListGroups,
            profiles_pb2.ListGroupsRequest(group_type="company"),
            lambda group: group.group_key,
        ),
        "events": (
            admin.profiles.ListEvents,
            profiles_pb2.ListEventsRequest(distinct_id="n0"),
            lambda event: event.event,
        ),
    }
    for name, (method, request, key) in lists.items():
        sizes, items = await walk(method, request)
        assert (sizes, sorted(map(key, items))) == ([1, 1, 1], NAMES), name

    request = flag_admin_pb2.ListFlagVersionsRequest(flag_key="n0")
    sizes, versions = await walk(admin.flag_admin.ListFlagVersions, request)
    assert (sizes, [each.flag.version for each in versions]) == ([1] * 4, [4, 3, 2, 1])
    sizes, entries = await walk(admin.admin.ListAuditEntries, admin_pb2.ListAuditEntriesRequest())
    assert set(sizes) == {1}
    assert len(entries) >= 12


async def test_a_page_of_large_profiles_is_taken_by_a_client_that_takes_4_mb(admin):
    """Which is what gRPC's own take, unless they are told otherwise."""
    properties = Struct()
    properties["text"] = "x" * 60_000
    change = profiles_pb2.PropertyChange(set=properties)
    for number in range(65):
        request = profiles_pb2.IdentifyPersonRequest(distinct_id=f"{number:02}", change=change)
        await admin.profiles.IdentifyPerson(request)

    sizes, persons = await walk(admin.profiles.ListPersons, profiles_pb2.ListPersonsRequest())

    assert sizes == [52, 13]
    assert [person.distinct_id for person in persons] == [f"{number:02}" for number in range(65)]


@pytest.mark.parametrize("asked", [1, 20])
async def test_flag_checks_whose_answers_are_too_large_are_refused_with_what_to_do(admin, monkeypatch, asked):
    """Of many contexts fewer can be asked for; if one is too many, flags can be named."""
    variants = [flags_pb2.Variant(key="on", value={"string_value": "x" * 1_000})]
    await create(
        admin, flags_pb2.Flag(key="f", type="FLAG_TYPE_STRING", enabled=True, variants=variants, off_variant="on")
    )
    context = flags_pb2.EvaluationContext(distinct_id="ann")
    batch = flags_pb2.BatchEvaluateRequest(contexts=[context] * asked)
    assert len((await admin.flags.BatchEvaluate(batch)).results) == asked

    monkeypatch.setattr(flags, "MAX_ANSWER_BYTES", 1_000 * asked)
    with refused(StatusCode.INVALID_ARGUMENT, "contexts") as refusal:
        await admin.flags.BatchEvaluate(batch)
    assert ("fewer than" in refusal.message) is (asked > 1)
    with refused(StatusCode.INVALID_ARGUMENT, "context") if asked == 1 else monkeypatch.context():
        await admin.flags.EvaluateAll(flags_pb2.EvaluateAllRequest(context=context))
