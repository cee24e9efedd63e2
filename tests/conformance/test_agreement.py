"""Whatever the flags, the stored properties and the context: memory answers as the server does."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import burgee
from burgee import wire
from burgee.evaluation import (
    USER,
    Condition,
    Context,
    Distribution,
    Flag,
    FlagType,
    Prerequisite,
    Profiles,
    Properties,
    Resolution,
    Rule,
    VariantWeight,
)
from burgee.evaluation.operators import COHORTS, CONTAINMENTS, EQUALITIES
from burgee.v1 import cohorts_pb2, flag_admin_pb2, flags_pb2, profiles_pb2
from burgee.v1.cohorts_pb2_grpc import CohortServiceStub
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.conformance.conftest import Now
from tests.fixtures.server import Caller, RunningServer
from tests.fixtures.serving import wait_for
from tests.unit.evaluation.strategies import NOW, VARIANTS, conditions, contexts, finite_json, flags

EXAMPLES = [pytest.param(3, id="3 worlds"), pytest.param(2_000, id="2,000 worlds", marks=pytest.mark.soak)]
TYPES = dict(zip(("switch", "text", "number", "settings"), FlagType, strict=True))
"""A flag of each type: what it gives may change, and its type may not."""


# Few names, few keys and few values, so that conditions meet what they ask for, or something that is nearly that.
OWNERS = (USER, "company", "team")
KEYS = ("acme", "globex")
NAMES = ("plan", "seats")
COHORT_KEYS = tuple(f"{owner}-{name}" for owner in OWNERS for name in ("beta", "gold"))
EVERYBODY = Distribution((VariantWeight("one", 1),))
VALUES = (
    *("pro", "", "5", "日本", "2026-02-01T00:00:00Z", "2026-02-01", "1.2.3", "1.2.3-rc.1"),
    *(5, 5.0, 0, -1, 5.5, 2**53 + 1, 1e300, True, False, [5], ["pro", True], {"a": 5}, {}, []),
)
near = st.sampled_from(VALUES)
properties = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, near | st.none() | finite_json))
sometimes = st.sampled_from((True, False, False))


@st.composite
def probes(draw: st.DrawFn) -> tuple[Rule, ...]:
    """Rules that each ask for one thing that may well be stored: the answer says which was the first to hold."""
    asked = draw(st.lists(conditions, min_size=4, max_size=4))
    rules = []
    for number, condition in enumerate(asked):
        name = "key" if condition.operator in COHORTS else draw(st.sampled_from(NAMES))
        attribute = f"{draw(st.sampled_from(OWNERS[number % 2 :]))}.{name}"
        values = (draw(near),) if condition.operator in EQUALITIES | CONTAINMENTS else condition.values
        rules.append(Rule(f"probe-{number}", EVERYBODY, (Condition(attribute, condition.operator, values),)))
    return tuple(rules)


@st.composite
def saved_flags(draw: st.DrawFn) -> list[Flag]:
    """Flags as a server takes them: two with probes, and two of any kind, which may need one of those before them."""
    made: list[Flag] = []
    for key, type_ in TYPES.items():
        if len(made) < 2:
            flag = replace(draw(flags(key, (), type_)), enabled=True, rules=draw(probes()))
        else:
            wanted = draw(st.lists(st.sampled_from(VARIANTS), min_size=1, unique=True).map(tuple))
            needed = (Prerequisite(draw(st.sampled_from(made)).key, wanted),) if draw(st.booleans()) else ()
            flag = draw(flags(key, needed, type_))
        rules = tuple(replace(rule, conditions=tuple(map(_of_its_own_kind, rule.conditions))) for rule in flag.rules)
        made.append(replace(flag, rules=rules, archived=False))
    return made


def _of_its_own_kind(condition: Condition) -> Condition:
    """A condition on cohorts asks for those that are made of what it looks at."""
    if condition.operator not in COHORTS:
        return condition
    owner = condition.attribute.partition(".")[0]
    return replace(condition, values=tuple(f"{owner}-{name}" for name in condition.values))


@st.composite
def near_contexts(draw: st.DrawFn) -> Context:
    """Somebody of a company and a team that may be stored, of whom the caller may know something else."""
    return Context(
        draw(st.sampled_from((*KEYS, ""))),
        {group_type: draw(st.sampled_from(KEYS)) for group_type in OWNERS[1:] if not draw(sometimes)},
        draw(properties) if draw(sometimes) else {},
        {group_type: draw(properties) for group_type in OWNERS[1:] if draw(sometimes)},
    )


stored_profiles = st.fixed_dictionaries({(owner, key): properties for owner in OWNERS for key in KEYS})
stored_members = st.fixed_dictionaries({cohort_key: st.sets(st.sampled_from(KEYS)) for cohort_key in COHORT_KEYS})
asked_contexts = st.lists(near_contexts(), min_size=5, max_size=5)
worlds = st.tuples(saved_flags(), stored_profiles, stored_members, asked_contexts, contexts())


class World:
    """One environment of a server, which becomes one world after the other, and two clients of it."""

    def __init__(self, local: burgee.Client, remote: burgee.Client) -> None:
        self._local = local
        self._remote = remote
        self._admin = remote.stub(FlagAdminServiceStub)
        self._profiles = remote.stub(ProfileServiceStub)
        self._cohorts = remote.stub(CohortServiceStub)
        self._stored: dict[tuple[str, str], frozenset[str]] = {}
        for cohort_key in COHORT_KEYS:
            cohort = cohorts_pb2.Cohort(key=cohort_key, group_type=cohort_key.partition("-")[0], listed={})
            self._cohorts.CreateCohort(cohorts_pb2.CreateCohortRequest(cohort=cohort))
        for key in (*TYPES, "last"):
            type_ = TYPES.get(key, FlagType.BOOLEAN)
            variants = [flags_pb2.Variant(key="one", value=wire.value_to_proto(_ANY[type_]))]
            flag = flags_pb2.Flag(key=key, type=f"FLAG_TYPE_{type_.name}", variants=variants, off_variant="one")
            self._admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag))

    def become(self, saved: Sequence[Flag], profiles: Profiles, members: Mapping[str, set[str]]) -> None:
        """Save these flags, store these profiles and members and no others, and wait until memory has it all."""
        for flag in (*(replace(each, prerequisites=()) for each in saved), *saved):
            self._admin.UpdateFlag(flag_admin_pb2.UpdateFlagRequest(flag=wire.flag_to_proto(flag)))
        for identity in self._stored.keys() | profiles.keys():
            self._store(*identity, dict(profiles.get(identity, {})))
        for cohort_key, keys in members.items():
            change = cohorts_pb2.ChangeCohortMembersRequest(cohort_key=cohort_key, add=keys, remove={*KEYS} - keys)
            self._cohorts.ChangeCohortMembers(change)
        last = self._admin.GetFlag(flag_admin_pb2.GetFlagRequest(flag_key="last")).flag
        version = self._admin.UpdateFlag(flag_admin_pb2.UpdateFlagRequest(flag=last)).flag.version
        wait_for(lambda: self._local.resolve("last").flag_version == version)

    def _store(self, owner: str, key: str, properties: Properties) -> None:
        gone = self._stored.get((owner, key), frozenset()) - properties.keys()
        change = profiles_pb2.PropertyChange(set=wire.properties_to_struct(properties), unset=gone)
        if owner == USER:
            self._profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=key, change=change))
        else:
            request = profiles_pb2.IdentifyGroupRequest(group_type=owner, group_key=key, change=change)
            self._profiles.IdentifyGroup(request)
        self._stored[owner, key] = frozenset(properties)

    def agree(self, context: Context) -> None:
        """Raise AssertionError unless both clients answer the same, flag by flag and all at once."""
        given = {"groups": context.groups, "properties": context.properties}
        asked = {**given, "group_properties": context.group_properties}
        for key in (*TYPES, "nothing"):
            local, again, remote = (
                client.resolve(key, context.distinct_id, **asked)  # type: ignore[arg-type]
                for client in (self._local, self._local, self._remote)
            )
            assert as_text(local) == as_text(again) == as_text(remote)
        everything, as_asked = (
            client.all_flags(context.distinct_id, **asked)  # type: ignore[arg-type]
            for client in (self._local, self._remote)
        )
        assert list(map(as_text, everything.values())) == list(map(as_text, as_asked.values()))


_ANY = {FlagType.BOOLEAN: True, FlagType.STRING: "", FlagType.NUMBER: 0, FlagType.JSON: {}}


def as_text(resolution: Resolution) -> str:
    """Everything that a resolution says; unlike Python's ==, it tells true from 1."""
    return f"{replace(resolution, value=None)} {json.dumps(resolution.value, sort_keys=True)}"


@pytest.mark.parametrize("examples", EXAMPLES)
async def test_memory_and_server_never_differ(server: RunningServer, admin: Caller, now: Now, examples: int) -> None:
    """Value, variant, reason, rule, version and error are the same, through every change of flags and properties."""
    now.seconds = NOW

    def run() -> None:
        with (
            burgee.Client(server.target, admin.secret, flag_timeout=20) as local,
            burgee.Client(server.target, admin.secret, flag_timeout=20, local_evaluation=False) as remote,
        ):
            world = World(local, remote)

            @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
            @given(worlds)
            def agree(drawn: tuple[list[Flag], Profiles, Mapping[str, set[str]], list[Context], Context]) -> None:
                saved, profiles, members, asked, anybody = drawn
                world.become(saved, profiles, members)
                for context in (*asked, anybody):
                    world.agree(context)

            agree()

    await asyncio.to_thread(run)
