"""Made-up saved questions by a key of one group, where groups of five types, persons and teams are shared with others.

As in test_one_group.py, each must have the answer that it has where nobody else ever sent anything.
"""

import asyncio
import json
import random

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from burgee.v1 import actions_pb2, admin_pb2, capture_pb2, cohorts_pb2, common_pb2, profiles_pb2
from tests.rpc.cohort_calls import change_members, create_cohort
from tests.rpc.insight_calls import MIDNIGHT, condition
from tests.rpc.test_one_group import KINDS, new_world, plain
from tests.rpc.test_parents import belongs
from tests.rpc.test_profiles import struct

QUESTIONS = 250
TYPES = ("user", "company", "team", "project", "region")
KEYS = tuple(f"{owner}.key" for owner in TYPES)
PROPERTIES = ("event.plan", "event.seats", "user.role", "company.tier", "project.name", "region.name")
VARIANTS = ("company.$feature/f", "project.$feature/g", "user.$feature/u", "region.$feature/f")
SINCE = {"start": "2026-01-01"}
OPENED = {"events": {"event": "opened"}}


def often(times):
    """Who opened so often."""
    return {"performed": {**OPENED, "at_least": times, "range": SINCE}}


STEPS = {"steps": [{"event": "closed"}, {"event": "shared"}], "window": {"seconds": 360_000}, "range": SINCE}
NAMED_N = {"all": {"criteria": [{"cohort_key": "busy"}, {"properties": condition("user.key", "contains", "n")}]}}
COHORTS = {
    "busy": ("user", often(3)),
    "busy-companies": ("company", often(9)),
    "busy-projects": ("project", often(7)),
    "busy-regions": ("region", often(12)),
    "fresh": ("user", {"first_performed": {**OPENED, "range": {"start": "2026-03-01"}}}),
    "stayed": ("user", {"not": {"stopped": {**OPENED, "range": {"start": "2026-03-03"}}}}),
    "in-order": ("user", {"in_order": STEPS}),
    "nested": ("user", {"any": {"criteria": [{"cohort_key": "in-order"}, NAMED_N]}}),
    "own": ("user", {"properties": condition("user.role", "equals", "staff")}),
}
SPLITS = (*KEYS, *PROPERTIES, *VARIANTS, *(f"{of}.$cohort/{key}" for key, (of, _) in COHORTS.items()))


def _event(name, user, hour, groups, **properties):
    return capture_pb2.Event(
        event=name,
        distinct_id=user,
        groups=groups,
        properties_json=json.dumps(properties),
        timestamp_micros=(MIDNIGHT + hour * 3600) * 1_000_000,
    )


def _exposed(flag, by, variant, hour, **groups):
    names = {"$feature_flag": flag, "$feature_flag_bucket_by": by, "$feature_flag_response": variant}
    return _event("$feature_flag_called", "ann", hour, groups, **names)


def _acmes():
    """By its name, and by that of its team."""
    acme = {"company": "acme", "project": "p1"}
    done = (
        ("opened", "ann"),
        ("closed", "ann"),
        ("opened", "bob"),
        ("shared", "bob"),
        ("opened", "own"),
        ("closed", "bob"),
    )
    yield from (_event(*each, 1 + 9 * n, acme, plan="pro", seats=n) for n, each in enumerate(done))
    yield _event("opened", "bob", 70, {"team": "t1"}, plan="team", seats=3)
    yield _event("opened", "cat", 80, {"team": "t1", "project": "p2"}, seats=4)
    yield _event("closed", "cat", 100, {"company": "acme"})
    yield from (_exposed(flag, by, "on", 0, **acme) for flag, by in (("f", "company"), ("g", "project"), ("u", "user")))


def _others():
    """By the same people, in the same project and region, and by a team of acme's for another company."""
    for user in ("ann", "ann-at-bolt", "bob", "cat", "secret"):
        for hour in range(-400, 140, 17):
            bolt = {"company": "bolt", "project": "p1"}
            for name in ("opened", "closed", "shared", "secret"):
                yield _event(name, user, hour, bolt, plan="secret", seats=hour + 10_000)
            for groups in (
                {"team": "t2", "project": "p2"},
                {"project": "p1"},
                {"region": "eu"},
                {"company": "bolt", "team": "t1"},
            ):
                yield _event("opened", user, hour + 1, groups, plan="secret", seats="many")
    flags = (("f", "company"), ("g", "project"), ("u", "user"))
    yield from (_exposed(flag, by, "secret", 2, company="bolt", project="p1") for flag, by in flags)
    yield _exposed("f", "region", "secret", 2, region="eu")


async def _fill(admin, *, with_others):
    for kind, key, properties in (("region", "eu", {"name": "EU"}), ("project", "p1", {"name": "P"})):
        change = {"set": struct(**properties)}
        request = profiles_pb2.IdentifyGroupRequest(group_type=kind, group_key=key, change=change)
        await admin.profiles.IdentifyGroup(request)
    for user, role in (("ann", "admin"), ("bob", "developer"), ("own", "staff")):
        change = {"set": struct(role=role)}
        await admin.profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=user, change=change))
    await admin.profiles.AliasPerson(profiles_pb2.AliasPersonRequest(distinct_id="ann", alias="ann-at-bolt"))
    companies = (("acme", "t1"), ("bolt", "t2")) if with_others else (("acme", "t1"),)
    for company, team in companies:
        await belongs(admin, company, "eu", "company", "region", tier=f"tier of {company}")
        await belongs(admin, team, company)
    await admin.send(*_acmes(), *(_others() if with_others else ()))
    for key, (kind, criterion) in COHORTS.items():
        cohort = cohorts_pb2.Cohort(key=key, group_type=kind, computed={"criterion": criterion})
        await admin.cohorts.CreateCohort(cohorts_pb2.CreateCohortRequest(cohort=cohort))
    await create_cohort(admin, "listed", "user")
    await change_members(admin, "listed", add=["ann", "secret"])
    matchers = [{"event": "opened", "filter": condition("project.name", "equals", "P")}, {"event": "shared"}]
    action = {"key": "action", "matchers": matchers}
    await admin.actions.CreateAction(actions_pb2.CreateActionRequest(action=action))
    environment = {"key": "production", "internal_cohort_key": "own"}
    await admin.admin.UpdateEnvironment(admin_pb2.UpdateEnvironmentRequest(**environment))


def _filter(chance):
    members = [(f"{kind}.key", key) for key, (kind, _) in COHORTS.items()] + [("user.key", "listed")]
    if chance.random() < 0.5:
        attribute, value = chance.choice(members)
        return condition(attribute, chance.choice(("in_cohort", "not_in_cohort")), value)
    attribute, value = chance.choice(
        (("company.key", "bolt"), ("team.key", "t1"), *((p, "secret") for p in PROPERTIES))
    )
    return condition(attribute, chance.choice(("equals", "not_equals")), value)


def _range(chance):
    if chance.random() < 0.3:
        return common_pb2.TimeRange(start="all")
    compare = chance.choice(("", "", "previous", "-1d", "-7d"))
    return common_pb2.TimeRange(start=f"2026-03-0{chance.randint(1, 3)}", end="2026-03-06", compare=compare)


def _vary(message, chance):
    """Write into a question whatever its fields are made for."""
    for field in message.DESCRIPTOR.fields:
        name, kind, here = field.name, field.message_type, chance.random() < 0.5
        if name in ("group_type", "count_by"):
            setattr(message, name, chance.choice(TYPES) if here else getattr(message, name))
        elif name == "range":
            message.range.CopyFrom(_range(chance))
        elif name == "least":
            message.least = 1
        elif name == "filter" and kind and here:
            message.filter.CopyFrom(_filter(chance))
        elif name == "breakdown" and here:
            message.breakdown.attributes.extend(chance.sample(SPLITS, chance.choice((1, 1, 2, 3))))
            message.breakdown.limit = chance.choice((0, 0, 1, 100))
        elif name in ("event", "action") and not kind and here:
            message.ClearField("event" if name == "action" else "action")
            setattr(message, name, "action" if name == "action" else chance.choice(("", "closed", "shared", "secret")))
        elif field.type == FieldDescriptor.TYPE_ENUM and not field.is_repeated and here:
            setattr(message, name, chance.choice(field.enum_type.values).number)
        elif field.type == FieldDescriptor.TYPE_BOOL:
            setattr(message, name, chance.random() < 0.2)
        elif kind and kind.file.package == "burgee.v1" and name not in ("filter", "breakdown"):
            for each in getattr(message, name) if field.is_repeated else [getattr(message, name)]:
                if field.is_repeated or message.HasField(name):
                    _vary(each, chance)


def _question(chance):
    kind = chance.choice(KINDS).name
    question, request, asked = plain(kind)
    _vary(request, chance)
    if kind.endswith(("actors", "correlation")):  # of one column, and of one part
        asked.range.CopyFrom(common_pb2.TimeRange(start="2026-03-01", end="2026-03-06"))
        if "breakdown" in asked.DESCRIPTOR.fields_by_name:
            asked.ClearField("breakdown")
    return question


@pytest.mark.soak
async def test_no_made_up_question_leads_out_of_the_group(server, operator, loaded):
    """Splits, filters, cohorts, actions, variants, all measures, counted by every type; at least half are answered."""
    acme = {"group_type": "company", "group_key": "acme"}
    worlds = [await new_world(server, operator, f"made-up-{name}", **acme) for name in ("alone", "among-others")]
    for world, with_others in zip(worlds, (False, True), strict=True):
        await _fill(world.admin, with_others=with_others)
    await loaded()
    chance, answered = random.Random(7), 0
    for number in range(QUESTIONS):
        question = _question(chance)
        alone, among_others = await asyncio.gather(*(world.answer(number, question, group_key="") for world in worlds))
        assert alone == among_others, question
        answered += isinstance(alone, Message)
    assert answered > QUESTIONS / 2
    for world in worlds:
        await world.close()
