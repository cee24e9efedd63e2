"""PreviewFlag over real gRPC: what it says is what happens."""

from grpc import StatusCode

from burgee.v1 import capture_pb2, profiles_pb2
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flags_pb2 as flags
from tests.fixtures.server import caller
from tests.rpc.cohort_calls import change_members, create_cohort, for_members
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import by_company, create, identify, update, variant


async def preview(caller, flag, **fields):
    """What a change would do: {group key: (before, after)}, parts, totals."""
    metadata = [("authorization", f"Bearer {caller.secret}")]
    changed, parts, totals = {}, [], []
    async for response in caller.flag_admin.PreviewFlag(pb.PreviewFlagRequest(flag=flag, **fields), metadata=metadata):
        for change in response.changes:
            for key in change.group_keys:
                assert key not in changed
                changed[key] = change.variant_before, change.variant_after
        parts += response.parts
        totals += [response.totals] if response.HasField("totals") else []
    assert len(totals) == 1
    return changed, parts, totals[0]


def by_variant(part):
    """Totals as {variant: (before, after)}."""
    return {each.variant: (each.before, each.after) for each in part.variants}


class TestPreview:
    async def test_it_says_exactly_which_companies_change_and_saves_nothing(self, admin, loaded):
        """Those identified and those only seen in events; what it says is what happens once the change is saved."""
        companies = [f"company-{number}" for number in range(120)]
        for number, company in enumerate(companies[:60]):
            await identify(admin, company, plan=("pro", "free")[number % 2])
        await admin.send(
            *(
                capture_pb2.Event(event="seen", distinct_id="ann", groups={"company": company}, properties_json="{}")
                for company in companies[40:]
            )
        )
        await loaded()
        flag = await create(admin, by_company(30_000))
        flag.rules[0].distribution.rollout = 60_000
        flag.rules[0].conditions.add(attribute="company.plan", operator="OPERATOR_NOT_EQUALS").values.add(
            string_value="free"
        )
        before = {company: await variant(admin, company) for company in companies}

        changed, parts, totals = await preview(admin, flag, breakdown_property="plan")

        assert {company: await variant(admin, company) for company in companies} == before
        await update(admin, flag)
        after = {company: await variant(admin, company) for company in companies}
        assert changed == {key: (before[key], after[key]) for key in companies if before[key] != after[key]}
        assert {("on", "off"), ("off", "on")} == set(changed.values())
        assert (totals.group_type, totals.groups, totals.changed) == ("company", 120, len(changed))
        count = lambda given: {name: list(given.values()).count(name) for name in ("on", "off")}  # noqa: E731
        assert by_variant(totals) == {name: (count(before)[name], count(after)[name]) for name in ("on", "off")}
        assert [(part.value.string_value, part.groups) for part in parts] == [("", 60), ("free", 30), ("pro", 30)]
        assert [part.HasField("value") for part in parts] == [False, True, True]
        assert by_variant(parts[1])["on"][1] == 0
        assert sum(part.changed for part in parts) == len(changed)

    async def test_a_new_flag_takes_everybody_from_no_flag(self, admin):
        """Before there is none: an empty variant."""
        await identify(admin, "acme")

        changed, _, totals = await preview(admin, by_company(100_000))

        assert changed == {"acme": ("", "on")}
        assert by_variant(totals) == {"on": (0, 1), "off": (0, 0), "": (1, 0)}

    async def test_prerequisites_and_the_switch_count(self, admin):
        """A flag that is switched on, of which only some meet the prerequisite."""
        for company, plan in (("acme", "pro"), ("globex", "free")):
            await identify(admin, company, plan=plan)
        await create(admin, by_company(100_000, "pro", key="other"))
        flag = by_company(100_000, prerequisites=[{"flag_key": "other", "variants": ["on"]}])
        flag.enabled = False
        flag = await create(admin, flag)
        flag.enabled = True

        assert (await preview(admin, flag))[0] == {"acme": ("off", "on")}

    async def test_members_of_cohorts_count(self, admin, loaded, monkeypatch):
        """Page by page, before and after, and in a prerequisite; a person's cohort says nothing about a company."""
        monkeypatch.setattr("burgee_server.profiles.known.PAGE", 7)
        companies = [f"company-{number:02}" for number in range(30)]
        for company in companies[:20]:
            await identify(admin, company)
        seen = (
            capture_pb2.Event(event="seen", distinct_id="ann", groups={"company": company}, properties_json="{}")
            for company in companies
        )
        await admin.send(*seen)
        await loaded()
        for key, members in (("beta", companies[::2]), ("gold", companies[::3])):
            await create_cohort(admin, key)
            await change_members(admin, key, add=members)
        await create_cohort(admin, "people", "user")
        await change_members(admin, "people", add=companies)
        await create(admin, for_members("beta", key="needed"))
        await create(admin, by_company(100_000))
        flag = for_members("gold", prerequisites=[{"flag_key": "needed", "variants": ["on"]}])

        changed, _, totals = await preview(admin, flag)
        by_person, _, of_person = await preview(
            admin, for_members("people", attribute="user.key"), group_type="company"
        )

        assert changed == {key: ("on", "off") for key in companies if key not in companies[::6]}
        assert (totals.groups, list(totals.unknown_attributes)) == (30, [])
        await update(admin, flag)
        assert [await variant(admin, company) for company in companies[:7]] == ["on", *["off"] * 5, "on"]
        assert by_person.keys() == set(companies)
        assert list(of_person.unknown_attributes) == ["user.key"]

    async def test_whom_it_looks_at_follows_from_the_first_rule_unless_it_is_said(self, admin):
        """And what a group alone does not have is told."""
        await identify(admin, "acme")
        await admin.profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id="ann"))
        by_user = flags.Flag(key="x", enabled=True, rules=[{"distribution": {"rollout": 100_000}}])
        with_role = by_company(50_000)
        with_role.rules[0].conditions.add(attribute="user.role", operator="OPERATOR_IS_SET")

        for flag, asked, expected, unknown in (
            (by_user, "", "user", []),
            (by_user, "company", "company", []),
            (flags.Flag(key="x"), "", "company", []),
            (with_role, "", "company", ["user.role"]),
            (with_role, "user", "user", ["company"]),
        ):
            _, _, totals = await preview(admin, flag, group_type=asked)
            assert (totals.group_type, totals.groups, totals.unknown_attributes) == (expected, 1, unknown)

    async def test_values_of_a_breakdown_are_told_apart_as_json(self, admin):
        """1 and 1.0 are one; true, "1" and [1] are others."""
        for number, value in enumerate((1, 1.0, True, "1", [1], None)):
            await identify(admin, f"company-{number}", v=value)

        _, parts, _ = await preview(admin, by_company(100_000), breakdown_property="v")

        assert sorted(part.groups for part in parts) == [1, 1, 1, 1, 2]

    async def test_what_could_not_be_saved_cannot_be_previewed(self, server, admin):
        """INVALID_ARGUMENT with the path; an unknown type names those there are; no key is UNAUTHENTICATED."""
        with refused(StatusCode.INVALID_ARGUMENT, "flag.off_variant"):
            await preview(admin, by_company(0, off_variant="nope"))
        await identify(admin, "acme")
        with refused(StatusCode.INVALID_ARGUMENT, "group_type") as refusal:
            await preview(admin, by_company(0), group_type="team")
        assert "company" in refusal.fields["group_type"]
        nobody = caller(server.target, "")
        with refused(StatusCode.UNAUTHENTICATED):
            async for _ in nobody.flag_admin.PreviewFlag(pb.PreviewFlagRequest(flag=by_company(0))):
                pass
        await nobody.channel.close()

    async def test_more_groups_than_a_page_holds_are_each_looked_at_once(self, admin, loaded, monkeypatch):
        """The pages of the store and of the warehouse are put together without a gap and without an overlap."""
        monkeypatch.setattr("burgee_server.profiles.known.PAGE", 7)
        for number in range(0, 30, 2):
            await identify(admin, f"company-{number}")
        await admin.send(
            *(
                capture_pb2.Event(
                    event="seen", distinct_id="ann", groups={"company": f"company-{number}"}, properties_json="{}"
                )
                for number in range(0, 90, 3)
            )
        )
        await loaded()

        changed, _, totals = await preview(admin, by_company(100_000))

        expected = {f"company-{number}" for number in (*range(0, 30, 2), *range(0, 90, 3))}
        assert (changed.keys(), totals.groups) == (expected, len(expected))
