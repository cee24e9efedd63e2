"""The server answers every conformance case, from wire to wire, with the profiles stored and not passed.

grpc_testing drives the servicer without a network; it knows sync servicers only, hence the bridge.
"""

import asyncio
from collections.abc import Iterator
from contextvars import copy_context
from functools import partial
from types import MappingProxyType

import grpc
import grpc_testing
import pytest

from burgee import wire
from burgee.evaluation import Flag, FlagSet, Properties, Reason
from burgee.v1 import flags_pb2
from burgee_server.cohorts import Memberships
from burgee_server.flags import Answers, Checks, Stored
from burgee_server.rpc import call
from burgee_server.rpc.flags import FlagServicer
from tests.conformance.cases import CASES, THEMES, Case

SERVICE = flags_pb2.DESCRIPTOR.services_by_name["FlagService"]


class CaseWorld:
    """The flags, the stored profiles, the cohorts and the time of one case, where the server looks for them."""

    def __init__(self, case: Case) -> None:
        self._case = case
        flags = [wire.flag_from_proto(wire.flag_to_proto(flag)) for flag in case.flags]
        self._flags = FlagSet(flags, case.parent_types)

    def peek(self, environment_id: int, *_identity: str) -> FlagSet | None:
        return None if _identity else self._flags

    async def get(self, environment_id: int, *identity: str) -> FlagSet | Properties:
        return self._case.profiles.get(identity, MappingProxyType({})) if identity else self._flags

    async def containing(self, environment_id: int, group_type: str, key: str) -> frozenset[str]:
        cohorts = self._case.cohorts.items()
        return frozenset(name for name, each in cohorts if each.group_type == group_type and key in each.members)

    def unix_seconds(self) -> float:
        return self._case.now


class Bridge:
    """A servicer that waits for the coroutines of another."""

    def __init__(self, servicer: FlagServicer, runner: asyncio.Runner) -> None:
        self._servicer = servicer
        self._runner = runner

    def __getattr__(self, name: str):
        method = getattr(self._servicer, name)

        async def inside(request, context):
            call.name(())
            call.enter(PRINCIPAL)
            if name == "Evaluate":  # reads and writes its bytes itself
                return flags_pb2.EvaluateResponse.FromString(await method(request.SerializeToString(), context))
            return await method(request, context)

        return lambda request, context: self._runner.run(inside(request, context), context=copy_context())


class _Principal:
    environment_id = 1


PRINCIPAL = _Principal()


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """An event loop, for one call after the other."""
    with asyncio.Runner() as runner:
        yield runner


def ask(runner: asyncio.Runner, case: Case, method: str, request):
    """The answer of the server to one request."""
    world = CaseWorld(case)
    stored = Stored(world, Memberships(world, 10))
    servicer = FlagServicer(Checks(world, stored, world), Answers(world, stored, 1), None)
    server = grpc_testing.server_from_dictionary({SERVICE: Bridge(servicer, runner)}, grpc_testing.strict_real_time())
    called = server.invoke_unary_unary(SERVICE.methods_by_name[method], (), request, None)
    response, _, code, details = called.termination()
    assert code is grpc.StatusCode.OK, details
    return response


@pytest.mark.parametrize("cases", THEMES.values(), ids=THEMES)
def test_the_server_answers(each, runner: asyncio.Runner, cases: tuple[Case, ...]) -> None:
    """Variant, value, reason, rule and error come over the wire as the specification asks, and are explained so."""
    each(cases, partial(check, runner))


def check(runner: asyncio.Runner, case: Case) -> None:
    """An answer and its explanation."""
    context = wire.context_to_proto(case.context)
    request = flags_pb2.EvaluateRequest(flag_key=case.flag_key, context=context)
    answer = ask(runner, case, "Evaluate", request).resolution
    explained = ask(runner, case, "Explain", flags_pb2.ExplainRequest(flag_key=case.flag_key, context=context))

    resolution = wire.resolution_from_proto(answer)
    expected = case.expected
    assert (resolution.variant, resolution.reason) == (expected.variant, expected.reason)
    assert resolution.value == expected.value or resolution.reason is Reason.ERROR
    assert (resolution.rule_id, resolution.error_code) == (expected.rule_id, expected.error_code)
    assert resolution.parent_groups == expected.parent_groups
    assert explained.resolution == answer


def test_flags_survive_the_wire() -> None:
    """Every flag of every case is the same after a journey to protobuf and back."""
    flags: list[Flag] = [flag for case in CASES for flag in case.flags]
    assert len(flags) > 400
    for flag in flags:
        assert wire.flag_from_proto(wire.flag_to_proto(flag)) == flag
