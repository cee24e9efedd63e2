"""ProfileService over real gRPC."""

from uuid import UUID

import pytest
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

from burgee.v1 import capture_pb2
from burgee.v1 import profiles_pb2 as pb
from burgee_server.rpc.paging import page_token
from tests.rpc.conftest import refused


def struct(**properties):
    """A Struct of these properties."""
    message = Struct()
    message.update(properties)
    return message


def event(minute=0, **fields):
    """An event at some minute of 2026-03-01 12:00 UTC."""
    named = {"event": "opened", "distinct_id": "ann", **fields}
    return capture_pb2.Event(timestamp_micros=1_772_366_400_000_000 + minute * 60_000_000, **named)


async def test_a_change_sets_fills_and_removes(admin):
    """set, set_once, unset; and the answer is the profile after the change."""
    identify = admin.profiles.IdentifyGroup
    company = {"group_type": "company", "group_key": "acme"}
    await identify(pb.IdentifyGroupRequest(**company, change={"set": struct(plan="free", seats=3, old=True)}))
    change = {"set": struct(plan="pro"), "set_once": struct(seats=99, region="eu"), "unset": ["old"]}

    answered = (await identify(pb.IdentifyGroupRequest(**company, change=change))).group
    found = (await admin.profiles.GetGroup(pb.GetGroupRequest(**company))).group

    assert dict(answered.properties) == {"plan": "pro", "seats": 3, "region": "eu"}
    assert found == answered


async def test_a_person_is_there_from_the_first_change(admin):
    """Identify makes the person."""
    await admin.profiles.IdentifyPerson(
        pb.IdentifyPersonRequest(distinct_id="ann", change={"set": struct(role="admin")})
    )

    person = (await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id="ann"))).person

    assert (person.distinct_id, dict(person.properties)) == ("ann", {"role": "admin"})
    assert not person.HasField("first_seen_at")


async def test_who_was_only_seen_in_events_is_there_too_with_first_and_last_time(admin, loaded):
    """Nobody has to be identified to be listed."""
    await admin.send(event(5, groups={"company": "acme"}), event(1, groups={"company": "acme"}))
    await loaded()

    person = (await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id="ann"))).person
    company = (await admin.profiles.GetGroup(pb.GetGroupRequest(group_type="company", group_key="acme"))).group

    for seen in (person, company):
        assert (seen.first_seen_at.seconds, seen.last_seen_at.seconds) == (1_772_366_460, 1_772_366_700)


async def test_lists_hold_the_identified_and_the_seen_once_each_page_by_page(admin, loaded):
    """Two sources, one list in byte order of the keys, with the properties and times of both."""
    for key in ("b", "é", "d"):
        await admin.profiles.IdentifyGroup(
            pb.IdentifyGroupRequest(group_type="company", group_key=key, change={"set": struct(name=key)})
        )
    await admin.send(*(event(groups={"company": key}) for key in ("a", "b", "Z", "日")))
    await loaded()

    pages, token = [], ""
    while not pages or token:
        request = pb.ListGroupsRequest(group_type="company", page_size=2, page_token=token)
        answer = await admin.profiles.ListGroups(request)
        pages.append([(g.group_key, dict(g.properties), g.HasField("first_seen_at")) for g in answer.groups])
        token = answer.next_page_token

    assert [entry for page in pages for entry in page] == [
        ("Z", {}, True),
        ("a", {}, True),
        ("b", {"name": "b"}, True),
        ("d", {"name": "d"}, False),
        ("é", {"name": "é"}, False),
        ("日", {}, True),
    ]
    assert all(len(page) <= 2 for page in pages)


async def test_persons_are_listed_in_the_same_way(admin, loaded):
    """ListPersons has the identified and the seen."""
    await admin.profiles.IdentifyPerson(pb.IdentifyPersonRequest(distinct_id="bob"))
    await admin.send(event(distinct_id="ann"))
    await loaded()

    persons = (await admin.profiles.ListPersons(pb.ListPersonsRequest())).persons

    assert [person.distinct_id for person in persons] == ["ann", "bob"]


async def test_group_types_appear_by_being_used(admin):
    """In an event, or by identifying a group."""
    await admin.send(event(groups={"workspace": "w"}))
    await admin.profiles.IdentifyGroup(pb.IdentifyGroupRequest(group_type="company", group_key="acme"))

    types = (await admin.profiles.ListGroupTypes(pb.ListGroupTypesRequest())).group_types

    assert [known.name for known in types] == ["company", "workspace"]
    assert all(known.created_at.seconds for known in types)


async def test_a_timeline_is_newest_first_and_paged_without_gaps_also_where_times_are_equal(admin, loaded):
    """Events of one moment are ordered by uuid, so that pages neither repeat nor skip."""
    sent = [event(minute // 3, event=f"e{minute}", groups={"company": "acme"}) for minute in range(9)]
    await admin.send(*sent, event(event="elsewhere", groups={"company": "other"}))
    await loaded()

    found, token = [], ""
    while not found or token:
        request = pb.ListEventsRequest(group_type="company", group_key="acme", page_size=2, page_token=token)
        answer = await admin.profiles.ListEvents(request)
        found += answer.events
        token = answer.next_page_token

    assert sorted(e.event for e in found) == sorted(e.event for e in sent)
    assert [e.timestamp_micros for e in found] == sorted((e.timestamp_micros for e in sent), reverse=True)


async def test_a_timeline_can_be_of_one_person_and_of_some_events(admin, loaded):
    """Filters by person and by event name go together."""
    await admin.send(event(1), event(2, event="closed"), event(3, distinct_id="bob"))
    await loaded()

    request = pb.ListEventsRequest(distinct_id="ann", event_names=["closed"])
    events = (await admin.profiles.ListEvents(request)).events

    assert [(e.event, e.distinct_id) for e in events] == [("closed", "ann")]


async def test_whoever_was_never_heard_of_is_not_found(admin):
    """NOT_FOUND says who."""
    with refused(StatusCode.NOT_FOUND) as refusal:
        await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id="nobody"))
    assert "'nobody'" in refusal.message
    with refused(StatusCode.NOT_FOUND):
        await admin.profiles.GetGroup(pb.GetGroupRequest(group_type="company", group_key="nobody"))


BAD_CHANGES = {
    "no distinct_id": ({"distinct_id": ""}, "distinct_id"),
    "distinct_id too long": ({"distinct_id": "x" * 201}, "distinct_id"),
    "empty property name": ({"distinct_id": "a", "change": {"set": struct(**{"": 1})}}, "change.set."),
    "NaN": ({"distinct_id": "a", "change": {"set": struct(x=float("nan"))}}, "change.set.x"),
    "Infinity deep down": (
        {"distinct_id": "a", "change": {"set_once": struct(x=[float("inf")])}},
        "change.set_once.x[0]",
    ),
    "over 64 KB": ({"distinct_id": "a", "change": {"set": struct(x="y" * 65_536)}}, "change"),
}


@pytest.mark.parametrize(("request_", "field"), BAD_CHANGES.values(), ids=BAD_CHANGES.keys())
async def test_a_bad_change_is_refused_and_changes_nothing(admin, request_, field):
    """INVALID_ARGUMENT with the field."""
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await admin.profiles.IdentifyPerson(pb.IdentifyPersonRequest(**request_))
    assert not (await admin.profiles.ListPersons(pb.ListPersonsRequest())).persons


@pytest.mark.parametrize("name", ["", "a.b", "user", "event", "x" * 201])
async def test_a_bad_group_type_is_refused(admin, name):
    """Names that would be ambiguous in "company.plan" cannot be types."""
    with refused(StatusCode.INVALID_ARGUMENT, "group_type"):
        await admin.profiles.IdentifyGroup(pb.IdentifyGroupRequest(group_type=name, group_key="k"))


async def test_a_list_of_an_unknown_group_type_is_refused_with_the_types_there_are(admin):
    """A misspelt type is not an empty list."""
    await admin.profiles.IdentifyGroup(pb.IdentifyGroupRequest(group_type="company", group_key="acme"))

    with refused(StatusCode.INVALID_ARGUMENT, "group_type") as refusal:
        await admin.profiles.ListGroups(pb.ListGroupsRequest(group_type="compny"))
    assert "company" in refusal.message
    with refused(StatusCode.INVALID_ARGUMENT, "group_type"):
        await admin.profiles.ListEvents(pb.ListEventsRequest(group_type="compny", group_key="acme"))


async def test_bad_pages_are_refused(admin):
    """Sizes beyond the limit, and tokens that are not ours."""
    with refused(StatusCode.INVALID_ARGUMENT, "page_size"):
        await admin.profiles.ListPersons(pb.ListPersonsRequest(page_size=1001))
    for token in ("x", "bnVsbA==", "W10=", page_token("\ud800"), page_token("a\0"), "W1tb" * 60_000):
        with refused(StatusCode.INVALID_ARGUMENT, "page_token"):
            await admin.profiles.ListPersons(pb.ListPersonsRequest(page_token=token))
    for position in ((10**30, "x"), (-1, "x"), (2**62, str(UUID(int=1))), (0, "no uuid"), (0, "")):
        with refused(StatusCode.INVALID_ARGUMENT, "page_token"):
            await admin.profiles.ListEvents(pb.ListEventsRequest(page_token=page_token(*position)))
    with refused(StatusCode.INVALID_ARGUMENT, "group_key"):
        await admin.profiles.ListEvents(pb.ListEventsRequest(group_type="company"))


async def test_text_that_is_not_utf8_is_refused_with_its_field(admin):
    """The field is named, although the message could not be read."""
    identify = admin.channel.unary_unary("/burgee.v1.ProfileService/IdentifyGroup")

    with refused(StatusCode.INVALID_ARGUMENT, "group_key"):
        await identify(b"\x0a\x01c\x12\x02\xff\xfe")
    with refused(StatusCode.INVALID_ARGUMENT, "change.unset[1]"):
        await identify(b"\x0a\x01c\x12\x01k\x1a\x06\x1a\x01a\x1a\x01\xff")


async def test_a_profile_cannot_grow_beyond_what_it_may_hold(admin):
    """Each change is small, all of them together are not."""

    async def set_page(number):
        change = {"set": struct(**{f"page-{number}": "x" * 10_000})}
        await admin.profiles.IdentifyPerson(pb.IdentifyPersonRequest(distinct_id="ann", change=change))

    for number in range(6):
        await set_page(number)
    with refused(StatusCode.INVALID_ARGUMENT, "change"):
        await set_page(6)
    person = (await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id="ann"))).person
    assert len(person.properties.fields) == 6


def inside(field, message):
    """A message as a field of another: its key, three bytes of length, itself."""
    size = len(message)
    return bytes([field << 3 | 2, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + message


async def test_a_message_nested_without_end_is_refused_at_once(admin):
    """Hundreds of kilobytes of nothing but depth cost neither time nor memory."""
    negated = b""
    while len(negated) < 300_000:
        negated = inside(4, negated)
    query = admin.channel.unary_unary("/burgee.v1.InsightService/QueryTrend")

    with refused(StatusCode.INVALID_ARGUMENT, "message"):
        await query(inside(5, negated))


async def test_a_refusal_arrives_however_long_the_names_in_it_are(admin):
    """Errors travel as headers, and those have a limit: the code and the field still get through."""
    for character in ("x", "ж", "🚩"):
        with refused(StatusCode.INVALID_ARGUMENT, "group_type"):
            await admin.profiles.ListGroups(pb.ListGroupsRequest(group_type=character * 250_000))
