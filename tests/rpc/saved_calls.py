"""Saved insights: kept, asked, and by whom."""

from burgee.v1 import admin_pb2
from burgee.v1 import saved_pb2 as pb
from tests.fixtures.server import caller

TREND = {"trend": {"series": [{"event": "opened"}], "range": {"start": "2026-03-01", "end": "2026-03-04"}}}


async def save(caller, key="opened", question=None, **fields):
    """Keep a question; the trend of an event, unless another is given."""
    insight = pb.Insight(key=key, question=pb.InsightQuestion(**(question or TREND)), **fields)
    return (await caller.insights.CreateInsight(pb.CreateInsightRequest(insight=insight))).insight


async def ask(caller, key="opened", **fields):
    """The response to a saved question."""
    return await caller.insights.AskInsight(pb.AskInsightRequest(insight_key=key, **fields))


async def with_role(server, admin, role, **fields):
    """Somebody with a key of that role, in the environment of an admin."""
    request = admin_pb2.CreateApiKeyRequest(name=role, role=admin_pb2.KeyRole.Value(f"KEY_ROLE_{role}"), **fields)
    made = await admin.admin.CreateApiKey(request)
    return caller(server.target, made.secret)
