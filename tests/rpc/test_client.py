"""The client for asyncio against a whole server: checks, exposures that can be asked about, contexts at the limits."""

import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from burgee import AsyncClient, FlagState, Reason, where
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from tests.fixtures.server import Caller, RunningServer
from tests.unit.client.test_context import LARGE, TOO_LONG

HALF = flags_pb2.Flag(key="new-reports", enabled=True, fallthrough={"bucket_by": "company", "rollout": 50_000})


@pytest.fixture
async def client(server: RunningServer, admin: Caller) -> AsyncIterator[AsyncClient]:
    """Of an environment with a flag that half of all companies have: acme does, globex does not."""
    await admin.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=HALF))
    async with AsyncClient(server.target, admin.secret, flag_timeout=20) as client:
        yield client


async def test_flags_events_and_questions_go_through_the_whole_server(client: AsyncClient, loaded: Any) -> None:
    """One story, all awaited: ready, check, change, capture, flush, ask, explain."""
    assert await client.ready()
    assert client.flag_status.state is FlagState.READY
    assert await client.is_enabled("new-reports", "ann", company="acme")
    assert (await client.resolve("new-reports", company="globex")).bucket_by == "company"
    client.group("company", "acme", {"plan": "pro"})
    client.capture("report_created", "ann", company="acme")
    assert await client.flush()
    await loaded()
    trend = await client.trend("report_created", measure="unique_groups", group_type="company")
    assert trend.rows[0].total == 1
    assert "inside the 50 % rollout" in (await client.explain("new-reports", company="acme")).summary
    async for message in client.stub(FlagServiceStub).Watch(flags_pb2.WatchRequest()):
        assert message.snapshot
        break
    with pytest.raises(grpc.RpcError):
        await client.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=HALF))


async def test_exposures_can_be_counted_by_company_and_once_for_all_processes(
    server: RunningServer, admin: Caller, client: AsyncClient, loaded: Any
) -> None:
    """Three clients, local and remote, with and without a user: one event for each company and variant in the hour."""
    hour = time.time() // 3_600
    async with (
        AsyncClient(server.target, admin.secret, flag_timeout=20) as another,
        AsyncClient(server.target, admin.secret, flag_timeout=20, local_evaluation=False) as remote,
    ):
        for each in (client, another, remote):
            for company in ("acme", "globex", "initech"):
                await each.is_enabled("new-reports", "ann", company=company)
            await each.is_enabled("new-reports", company="umbrella")
            await each.is_enabled("no-such-flag", "ann", company="acme")
            assert await each.flush()
            assert each.stats.sent == 4
    await loaded()
    if time.time() // 3_600 != hour:
        pytest.skip("the hour of the clock ended in the middle of this")
    of_flag = where("event.$feature_flag", "equals", "new-reports")
    asked: dict[str, Any] = {"breakdown": "event.$feature_flag_response", "where": of_flag}
    total = await client.trend("$feature_flag_called", **asked)
    companies = await client.trend("$feature_flag_called", measure="unique_groups", group_type="company", **asked)
    assert {str(row.part): row.total for row in total.rows} == {"on": 1, "off": 3}
    assert {str(row.part): row.total for row in companies.rows} == {"on": 1, "off": 3}


@pytest.mark.parametrize("who", [*LARGE, *TOO_LONG])
async def test_the_server_refuses_the_contexts_that_the_client_refuses(
    client: AsyncClient, who: dict[str, Any]
) -> None:
    """INVALID_ARGUMENT where memory says INVALID_CONTEXT."""
    assert await client.is_enabled("new-reports", company="acme")
    refused = await client.resolve("new-reports", **who)
    assert refused.reason is Reason.ERROR
    context = flags_pb2.EvaluationContext(distinct_id=who.get("distinct_id", ""), groups=who.get("groups", {}))
    context.properties.update(who.get("properties", {}))
    for group_type, properties in who.get("group_properties", {}).items():
        context.group_properties[group_type].update(properties)
    with pytest.raises(grpc.RpcError) as raised:
        await client.stub(FlagServiceStub).Evaluate(flags_pb2.EvaluateRequest(flag_key="f", context=context))
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert raised.value.details().removeprefix("context: ").split(": ", 1)[-1] in refused.error_message
