"""Both clients answer the conformance cases, from call to answer, on a real server with its own storage.

In `make test` every twelfth of them, since the core and the server answer each (test_core.py, test_server.py); in `make
soak` the others.

One evaluates in memory what the server streams to it; the other, with `local_evaluation=False`, asks each time. Half of
the flags and groups are there before the stream is opened, and half come through it.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import burgee
from burgee.evaluation import USER, Context, FlagSet, Resolution
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee_server.flags import Checks
from tests.conformance.cases import CASES as WRITTEN
from tests.conformance.cases import Case, Expected
from tests.conformance.conftest import Now
from tests.conformance.placing import apart, persons, put
from tests.fixtures.server import Caller, RunningServer
from tests.fixtures.serving import wait_for

CHUNK = 20
CASES = [apart(number, case) for number, case in enumerate(WRITTEN)]
PARTS = [CASES[first::12] for first in range(12)]  # cases of a kind stand together: each part has some of every kind
CHUNKS = [
    (part, cases[first : first + CHUNK]) for part, cases in enumerate(PARTS) for first in range(0, len(cases), CHUNK)
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The flags that the server was asked for."""
    asked: list[str] = []
    peek = Checks.peek

    def remembering(self: Checks, environment_id: int, flag_key: str, context: Context) -> Any:
        asked.append(flag_key)
        return peek(self, environment_id, flag_key, context)

    monkeypatch.setattr(Checks, "peek", remembering)
    return asked


def fill(local: burgee.Client, remote: burgee.Client, cases: list[Case]) -> None:
    """Put the cases onto the server, and wait until the client in memory has them all."""
    half = len(cases) // 2
    for case in cases[:half]:
        put(remote, case)
    local.resolve("begin")
    for case in cases[half:]:
        put(remote, case)
    last = flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="last"))  # changes come in their order
    remote.stub(FlagAdminServiceStub).CreateFlag(last)
    wait_for(lambda: local.resolve("last").reason is not burgee.Reason.ERROR)


def answer(client: burgee.Client, case: Case) -> Resolution:
    """What a client gives."""
    context = case.context
    return client.resolve(
        case.flag_key,
        context.distinct_id,
        groups=context.groups,
        properties=dict(context.properties),
        group_properties={name: dict(each) for name, each in context.group_properties.items()},
    )


def differs(resolution: Resolution, expected: Expected) -> bool:
    """Whether an answer is another than it should be."""
    value = resolution.value
    why = resolution.reason, resolution.rule_id, resolution.error_code, dict(resolution.parent_groups)
    given = Expected(resolution.variant, value, *why)
    return given != expected or type(value) is not type(expected.value)


def reads_person(case: Case) -> bool:
    """Whether the answer may rest on a stored property of the person, of whom there may be millions."""
    read = {each.name for each in FlagSet(case.flags).mentions_of(case.flag_key) if each.owner == USER}
    return bool(case.context.distinct_id and read - case.context.properties.keys())


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(cases, id=f"{cases[0].theme}: {cases[0].name}, …", marks=[pytest.mark.soak] if part else [])
        for part, cases in CHUNKS
    ],
)
async def test_both_clients_answer(
    server: RunningServer, admin: Caller, now: Now, asked: list[str], cases: list[Case]
) -> None:
    """Variant, value, reason, rule and error; the one in memory asks only for what rests on a person's properties."""

    def wrong(local: burgee.Client, remote: burgee.Client) -> Iterator[tuple[str, str, Resolution]]:
        for case in cases:
            now.seconds = case.now
            with persons(remote, case):
                asked.clear()
                in_memory = answer(local, case)
                if asked and not reads_person(case):
                    yield case.name, "the client in memory asked the server, and got", in_memory
                if differs(in_memory, case.expected):
                    yield case.name, "the client in memory gave", in_memory
                if differs(again := answer(local, case), case.expected):
                    yield case.name, "the client in memory gave, when it was asked again,", again
                if differs(given := answer(remote, case), case.expected):
                    yield case.name, "the client that asks gave", given

    def run() -> list[tuple[str, str, Resolution]]:
        with (
            burgee.Client(server.target, admin.secret, flag_timeout=20) as local,
            burgee.Client(server.target, admin.secret, flag_timeout=20, local_evaluation=False) as remote,
        ):
            fill(local, remote, cases)
            return list(wrong(local, remote))

    async with asyncio.timeout(60):
        assert await asyncio.to_thread(run) == []


def test_most_answers_need_no_call() -> None:
    """Cases that rest on a person's stored properties are few, else the test above would prove little."""
    assert 0 < sum(map(reads_person, CASES)) < len(CASES) / 10
