"""Saving what a command asks, as an insight."""

from typing import Any

import click

import burgee
from burgee.insights.saved import KINDS
from burgee.v1 import saved_pb2 as pb
from burgee.v1.insights_pb2_grpc import InsightServiceStub


def save(client: burgee.Client, insight_key: str, question: burgee.Query[Any], *, over: bool) -> None:
    """Keep a question under a key: a new one, or that of an insight that is there. Says so beside the answer."""
    kind = next(kind for kind, query in KINDS.items() if isinstance(question, query))
    asked = pb.InsightQuestion(**{kind: question.write()})
    if over:
        insight = get(client, insight_key)
        insight.question.CopyFrom(asked)
        saved = update(client, insight, "")
    else:
        insight = pb.Insight(key=insight_key, question=asked)
        saved = stub(client).CreateInsight(pb.CreateInsightRequest(insight=insight)).insight
    click.echo(f"saved as {saved.key}, version {saved.version}", err=True)


def update(client: burgee.Client, insight: pb.Insight, note: str) -> pb.Insight:
    """Change an insight as it was read."""
    request = pb.UpdateInsightRequest(insight=insight, expected_version=insight.version, change_note=note)
    return stub(client).UpdateInsight(request).insight


def get(client: burgee.Client, insight_key: str) -> pb.Insight:
    """A saved insight."""
    return stub(client).GetInsight(pb.GetInsightRequest(insight_key=insight_key)).insight


def stub(client: burgee.Client) -> InsightServiceStub:
    """What saved insights are asked of."""
    made: InsightServiceStub = client.stub(InsightServiceStub)
    return made
