"""Whatever the flags, the stored properties and the context: memory answers as the server does."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import burgee
from burgee import wire
from burgee.evaluation import USER, Context, Flag, FlagType, Prerequisite, Profiles, Properties, Resolution
from burgee.v1 import flag_admin_pb2, flags_pb2, profiles_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.conformance.conftest import Now
from tests.fixtures.server import Caller, RunningServer
from tests.unit.evaluation.strategies import NOW, VARIANTS, contexts, finite_json, flags, names

EXAMPLES = [pytest.param(40, id="40 worlds"), pytest.param(4_000, id="4,000 worlds", marks=pytest.mark.soak)]
TYPES = dict(zip(("switch", "text", "number", "settings"), FlagType, strict=True))
"""A flag of each type: what it gives may change, and its type may not."""


@st.composite
def saved_flags(draw: st.DrawFn) -> list[Flag]:
    """Flags as a server takes them: each may need those before it."""
    made: list[Flag] = []
    for key, type_ in TYPES.items():
        needed = draw(st.lists(st.sampled_from(made), max_size=1)) if made else []
        wanted = st.lists(st.sampled_from(VARIANTS), min_size=1, unique=True).map(tuple)
        prerequisites = tuple(Prerequisite(each.key, draw(wanted)) for each in needed)
        made.append(replace(draw(flags(key, prerequisites, type_)), archived=False))
    return made


stored_profiles = st.dictionaries(
    st.tuples(st.sampled_from([USER, "company", "team"]), st.sampled_from(["acme", "globex", "ann", "日本"])),
    st.dictionaries(names.filter(bool), finite_json, max_size=4),
    max_size=4,
)
worlds = st.tuples(saved_flags(), stored_profiles, st.lists(contexts(), min_size=1, max_size=6))


class World:
    """One environment of a server, which becomes one world after the other, and two clients of it."""

    def __init__(self, local: burgee.Client, remote: burgee.Client) -> None:
        self._local = local
        self._remote = remote
        self._admin = remote.stub(FlagAdminServiceStub)
        self._profiles = remote.stub(ProfileServiceStub)
        self._stored: dict[tuple[str, str], frozenset[str]] = {}
        for key in (*TYPES, "last"):
            type_ = TYPES.get(key, FlagType.BOOLEAN)
            variants = [flags_pb2.Variant(key="one", value=wire.value_to_proto(_ANY[type_]))]
            flag = flags_pb2.Flag(key=key, type=f"FLAG_TYPE_{type_.name}", variants=variants, off_variant="one")
            self._admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag))

    def become(self, saved: Sequence[Flag], profiles: Profiles) -> None:
        """Save these flags, store these profiles and no others, and wait until the client in memory has it all."""
        for flag in (*(replace(each, prerequisites=()) for each in saved), *saved):
            self._admin.UpdateFlag(flag_admin_pb2.UpdateFlagRequest(flag=wire.flag_to_proto(flag)))
        for identity in self._stored.keys() | profiles.keys():
            self._store(*identity, dict(profiles.get(identity, {})))
        last = self._admin.GetFlag(flag_admin_pb2.GetFlagRequest(flag_key="last")).flag
        version = self._admin.UpdateFlag(flag_admin_pb2.UpdateFlagRequest(flag=last)).flag.version
        while self._local.resolve("last").flag_version != version:
            pass

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
            local, remote = (
                client.resolve(key, context.distinct_id, **asked)  # type: ignore[arg-type]
                for client in (self._local, self._remote)
            )
            assert as_text(local) == as_text(remote)
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
            def agree(drawn: tuple[list[Flag], Profiles, list[Context]]) -> None:
                saved, profiles, asked = drawn
                world.become(saved, profiles)
                for context in asked:
                    world.agree(context)

            agree()

    await asyncio.to_thread(run)
