"""Groups that belong to groups, over real gRPC: profiles, flags, previews, the past, and questions."""

import asyncio
from datetime import UTC, datetime

import pytest
from grpc import StatusCode

import burgee
from burgee.v1 import capture_pb2
from burgee.v1 import flag_admin_pb2 as admin_pb
from burgee.v1 import flags_pb2 as flags
from burgee.v1 import profiles_pb2 as pb
from tests.fixtures.serving import wait_for
from tests.rpc.cohort_calls import change_members, create_cohort, member_keys
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import actions, by_company, create, identify
from tests.rpc.test_computed_cohorts import compute
from tests.rpc.test_erasure import delete_company, done
from tests.rpc.test_preview import preview
from tests.rpc.test_profiles import struct

INVALID = StatusCode.INVALID_ARGUMENT
TEAM = {"group_type": "team", "group_key": "t1"}


async def belongs(caller, key, parent_key, group_type="team", parent_type="company", **properties):
    """Let a team belong to a company."""
    request = pb.IdentifyGroupRequest(
        group_type=group_type,
        group_key=key,
        change={"set": struct(**properties)},
        parent={"group_type": parent_type, "group_key": parent_key},
    )
    return (await caller.profiles.IdentifyGroup(request)).group


async def children(caller, parent_key, group_type="team", **fields):
    """The keys of those that belong to a group."""
    request = pb.ListGroupsRequest(group_type=group_type, parent_key=parent_key, **fields)
    return [group.group_key for group in (await caller.profiles.ListGroups(request)).groups]


async def evaluate(caller, **groups):
    """What "beta" gives these groups."""
    request = flags.EvaluateRequest(flag_key="beta", context={"groups": groups})
    return (await caller.flags.Evaluate(request)).resolution


async def identify_team(caller, parent=None, **change):
    """Change the properties of t1."""
    request = pb.IdentifyGroupRequest(**TEAM, change=change, parent=parent)
    return (await caller.profiles.IdentifyGroup(request)).group


class TestProfiles:
    async def test_a_group_says_which_one_it_belongs_to(self, admin):
        """The first parent of a type makes it one of all; it is a property, and the parent is there from then on."""
        answered = await belongs(admin, "t1", "acme", plan="x")

        found = (await admin.profiles.GetGroup(pb.GetGroupRequest(**TEAM))).group
        parent = (await admin.profiles.GetGroup(pb.GetGroupRequest(group_type="company", group_key="acme"))).group
        types = (await admin.profiles.ListGroupTypes(pb.ListGroupTypesRequest())).group_types
        assert answered == found
        assert dict(found.properties) == {"plan": "x", "company": "acme"}
        assert found.parent == pb.GroupName(group_type="company", group_key="acme")
        assert not parent.HasField("parent")
        assert [(each.name, each.parent_type) for each in types] == [("company", ""), ("team", "company")]
        assert await actions(admin, 1) == [("group_type.update", "belongs to company")]

    async def test_a_parent_changes_like_every_property(self, admin):
        """By another parent, by the property, and by taking it away."""
        await belongs(admin, "t1", "acme")
        await belongs(admin, "t2", "acme")
        await belongs(admin, "t1", "globex")
        assert (await children(admin, "acme"), await children(admin, "globex")) == (["t2"], ["t1"])

        await identify_team(admin, set=struct(company="initech"))
        assert (await children(admin, "globex"), await children(admin, "initech")) == ([], ["t1"])
        there = (await admin.profiles.ListGroups(pb.ListGroupsRequest(group_type="company"))).groups
        assert [group.group_key for group in there] == ["acme", "globex", "initech"]

        group = await identify_team(admin, unset=["company"])
        assert not group.HasField("parent")
        assert await children(admin, "initech") == []

    async def test_children_come_in_pages(self, admin):
        """By key, and no further than there are."""
        for number in range(5):
            await belongs(admin, f"t{number}", ("acme", "globex")[number % 2])
        request = pb.ListGroupsRequest(group_type="team", parent_key="acme", page_size=2)
        first = await admin.profiles.ListGroups(request)
        request.page_token = first.next_page_token
        second = await admin.profiles.ListGroups(request)
        assert [group.group_key for group in (*first.groups, *second.groups)] == ["t0", "t2", "t4"]
        assert not second.next_page_token

    async def test_types_are_a_forest(self, admin):
        """No circle, whoever closes it, and one parent type each; what is refused changes nothing."""
        update = admin.profiles.UpdateGroupType
        await belongs(admin, "t1", "acme")
        await belongs(admin, "acme", "h1", "company", "holding")
        circle = pb.UpdateGroupTypeRequest(name="holding", parent_type="team")
        with refused(INVALID, "parent_type") as refusal:
            await update(circle)
        assert "holding → team → company → holding" in refusal.fields["parent_type"]
        for child, parent in (("holding", "team"), ("holding", "holding"), ("team", "workspace"), ("team", "user")):
            with refused(INVALID, "parent.group_type"):
                await belongs(admin, "x", "y", child, parent)
        for name, parent_type, field in (
            ("user", "a", "name"),
            ("a", "b.c", "parent_type"),
            ("a", "key", "parent_type"),
        ):
            with refused(INVALID, field):
                await update(pb.UpdateGroupTypeRequest(name=name, parent_type=parent_type))

        for name in ("company", "new"):
            updated = (await update(pb.UpdateGroupTypeRequest(name=name))).group_type
            assert (updated.name, updated.parent_type) == (name, "")
        assert (await update(circle)).group_type.parent_type == "team"

    async def test_what_is_no_parent_is_refused_with_its_field(self, admin):
        """A key that is none, two that differ, and children of a type that belongs to none."""
        await belongs(admin, "t1", "acme")
        with refused(INVALID, "parent.group_key"):
            await belongs(admin, "t1", "")
        with refused(INVALID, "change.set.company"):
            await belongs(admin, "t1", "acme", company="globex")
        with refused(INVALID, "change.set.company"):
            await identify_team(admin, set=struct(company=5))
        with refused(INVALID, "change.set_once.company"):
            await identify_team(admin, set_once=struct(company=""))
        for change in ({"set_once": struct(company="globex")}, {"unset": ["company"]}):
            [(part, _)] = change.items()
            with refused(INVALID, f"change.{part}.company"):
                await identify_team(admin, **change, parent={"group_type": "company", "group_key": "acme"})
        with refused(INVALID, "parent_key"):
            await children(admin, "acme", "company")

    async def test_a_refused_change_leaves_types_and_groups_as_they_were(self, admin):
        """A profile that may not be so, or not be so large, says nothing of its type, and names no parent."""
        for wrong in ({"x" * 300: 1}, {"notes": "x" * 65_536}):
            with refused(INVALID):
                await belongs(admin, "t1", "acme", **wrong)
        await belongs(admin, "t2", "w1", parent_type="workspace")
        with refused(INVALID, "parent.group_type"):
            await belongs(admin, "t1", "acme")

        types = (await admin.profiles.ListGroupTypes(pb.ListGroupTypesRequest())).group_types
        assert [(each.name, each.parent_type) for each in types] == [("team", "workspace"), ("workspace", "")]
        teams = (await admin.profiles.ListGroups(pb.ListGroupsRequest(group_type="team"))).groups
        assert [group.group_key for group in teams] == ["t2"]

    async def test_a_value_that_is_no_key_is_no_parent(self, admin):
        """One that a profile had before its type belonged to another: an object, or a text that no key may be."""
        values = [{"name": "acme"}, ["acme"], "x" * 201, "a\nb", "x" * 200]
        for number, value in enumerate(values):
            request = pb.IdentifyGroupRequest(group_type="team", group_key=f"t{number}")
            request.change.set.update({"company": value})
            await admin.profiles.IdentifyGroup(request)
        await admin.profiles.UpdateGroupType(pb.UpdateGroupTypeRequest(name="team", parent_type="company"))
        for number in range(len(values)):
            request = pb.IdentifyGroupRequest(group_type="team", group_key=f"t{number}")
            request.change.set_once.update({"company": "globex"})
            await admin.profiles.IdentifyGroup(request)
        companies = (await admin.profiles.ListGroups(pb.ListGroupsRequest(group_type="company"))).groups
        assert [group.group_key for group in companies] == ["x" * 200]

        flag = by_company(100_000)
        changed, _, _ = await preview(admin, flag, group_type="team")
        await create(admin, flag)
        assert {key: after for key, (_, after) in changed.items()} == {
            f"t{number}": (await evaluate(admin, team=f"t{number}")).variant for number in range(len(values))
        }
        assert [changed[f"t{number}"][1] for number in range(len(values))] == ["off", "off", "off", "on", "on"]

    async def test_at_most_twenty_types_belong_to_others(self, admin):
        """A question by the uppermost looks at each."""
        types = [pb.UpdateGroupTypeRequest(name=f"type-{number}", parent_type="company") for number in range(21)]
        for each in types[:20]:
            await admin.profiles.UpdateGroupType(each)
        with refused(INVALID, "parent_type"):
            await admin.profiles.UpdateGroupType(types[20])

    async def test_children_stay_when_their_parent_is_deleted(self, admin):
        """And go on naming it."""
        await belongs(admin, "t1", "acme")
        assert (await done(admin, await delete_company(admin, "acme"))).state == pb.ERASURE_STATE_DONE
        with refused(StatusCode.NOT_FOUND):
            await admin.profiles.GetGroup(pb.GetGroupRequest(group_type="company", group_key="acme"))
        assert await children(admin, "acme") == ["t1"]


class TestFlags:
    async def test_a_check_that_names_the_team_is_one_of_its_company(self, admin):
        """Drawn by the company and asked by its plan, at once and after every change; the explanation says whence."""
        await create(admin, by_company(100_000, "pro"))
        await identify(admin, "acme", plan="pro")
        assert (await evaluate(admin, team="t1")).variant == "off"

        await belongs(admin, "t1", "acme")
        given = await evaluate(admin, team="t1")
        assert (given.variant, dict(given.parent_groups)) == ("on", {"company": "acme"})
        assert (await evaluate(admin, team="t1", company="globex")).variant == "off"
        everything = await admin.flags.EvaluateAll(flags.EvaluateAllRequest(context={"groups": {"team": "t1"}}))
        assert list(everything.resolutions) == [given]

        asked = flags.ExplainRequest(flag_key="beta", context={"groups": {"team": "t1"}})
        explained = await admin.flags.Explain(asked)
        assert explained.resolution == given
        assert list(explained.parents) == [
            flags.ParentGroup(group_type="company", group_key="acme", child_type="team", child_key="t1")
        ]
        assert "company acme is taken from team t1" in explained.summary

        await identify(admin, "acme", plan="free")
        assert (await evaluate(admin, team="t1")).variant == "off"
        await belongs(admin, "t1", "globex")
        await identify(admin, "globex", plan="pro")
        assert (await evaluate(admin, team="t1")).variant == "on"
        await admin.profiles.UpdateGroupType(pb.UpdateGroupTypeRequest(name="team"))
        assert (await evaluate(admin, team="t1")).variant == "off"

    async def test_the_past_has_the_parents_of_then(self, admin):
        """Of the groups, and of the types."""
        await create(admin, by_company(100_000, "pro"))
        await identify(admin, "acme", plan="pro")
        await identify(admin, "globex", plan="free")
        moments = []
        for company in ("", "acme", "globex", "acme"):
            if company:
                await belongs(admin, "t1", company)
            moments.append(datetime.now(UTC))
            while datetime.now(UTC) <= moments[-1]:
                pass
        await admin.profiles.UpdateGroupType(pb.UpdateGroupTypeRequest(name="team"))
        moments.append(datetime.now(UTC))

        given = []
        for moment in moments:
            request = admin_pb.EvaluateAtRequest(flag_key="beta", context={"groups": {"team": "t1"}})
            request.as_of.FromDatetime(moment)
            given.append((await admin.flag_admin.EvaluateAt(request)).resolution)
        assert [each.variant for each in given] == ["off", "on", "off", "on", "off"]
        assert dict(given[2].parent_groups) == {"company": "globex"}

    async def test_a_preview_of_teams_knows_their_companies(self, admin):
        """What it says is what happens: by plan, key and cohort of the company; and no attribute is unknown to it."""
        for number in range(6):
            await identify(admin, f"c{number}", plan=("pro", "free")[number % 2])
            await belongs(admin, f"t{number}", f"c{number}")
        await create_cohort(admin, "beta", group_type="company")
        await change_members(admin, "beta", add=["c1"])
        flag = by_company(100_000, "pro")
        flag.rules.add(distribution={"bucket_by": "company"}).conditions.add(
            attribute="company.key", operator="OPERATOR_IN_COHORT"
        ).values.add(string_value="beta")
        changed, _, totals = await preview(admin, flag, group_type="team")
        await create(admin, flag)

        assert not totals.unknown_attributes
        assert {key: after for key, (_, after) in changed.items()} == {
            f"t{number}": (await evaluate(admin, team=f"t{number}")).variant for number in range(6)
        }
        assert {key for key, (_, after) in changed.items() if after == "on"} == {"t0", "t1", "t2", "t4"}


class TestClients:
    @pytest.mark.parametrize("local", [True, False])
    async def test_a_client_has_parents_in_memory_and_exposes_what_was_drawn(self, server, admin, loaded, local):
        """It sees each change of a parent, counts a check of the team for the company, and says for which it was."""
        await create(admin, by_company(100_000, "pro"))
        await identify(admin, "acme", plan="pro")

        def story():
            with burgee.Client(server.target, admin.secret, flag_timeout=20, local_evaluation=local) as client:
                assert not client.is_enabled("beta", "ann", team="t1")
                client.group("team", "t1", {"size": 3}, parent=("company", "acme"))
                client.group("team", "t2", parent=("company", "acme"))
                client.capture("report_created", "ann", team="t1")
                assert client.flush()
                wait_for(lambda: client.is_enabled("beta", "ann", team="t2"))
                wait_for(lambda: client.is_enabled("beta", "ann", team="t1"))
                assert not client.is_enabled("beta", "ann", team="t2", company="globex")
                assert client.resolve("beta", team="t1").parent_groups == {"company": "acme"}
                assert "taken from team t1" in client.explain("beta", team="t1").summary
                assert client.flush()

        await asyncio.to_thread(story)
        await loaded()
        async with burgee.AsyncClient(server.target, admin.secret) as client:
            answer = await client.trend("report_created", breakdown="company.plan")
            assert [(str(row.part), row.total) for row in answer.rows] == [("pro", 1)]
            given_on = burgee.where("event.$feature_flag_response", "equals", "on")
            exposed = await client.trend("$feature_flag_called", breakdown="company.key", where=given_on)
            assert [(str(row.part), row.total) for row in exposed.rows] == [("acme", 1)]


async def test_a_computed_cohort_of_companies_has_those_whose_teams_did_it(admin, loaded):
    """With those whose events name the company itself."""
    for number in range(3):
        await belongs(admin, f"t{number}", f"c{number % 2}")
    await admin.send(
        *(
            capture_pb2.Event(event="opened", distinct_id="ann", groups={"team": f"t{number}"}, properties_json="{}")
            for number in range(3)
        ),
        capture_pb2.Event(event="opened", distinct_id="ann", groups={"company": "c7"}, properties_json="{}"),
    )
    await loaded()
    await compute(admin, {"performed": {"events": {"event": "opened"}, "at_least": 1}})
    assert await member_keys(admin, "active") == ["c0", "c1", "c7"]
