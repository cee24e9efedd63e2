"""Prints why a flag gives what it gives."""

import json

import click
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Value

from burgee.v1 import common_pb2
from burgee.v1 import flags_pb2 as pb
from burgee.wire.values import value_from_proto
from burgee_server.cli.output import print_json


def print_explanation(explanation: pb.ExplainResponse, *, as_json: bool) -> None:
    """A sentence, then every step that led to it."""
    if as_json:
        print_json(MessageToDict(explanation, preserving_proto_field_name=True))
        return
    click.echo(explanation.summary)
    for prerequisite in explanation.prerequisites:
        expected = " or ".join(prerequisite.expected_variants)
        click.echo(
            f"  {_mark(prerequisite.passed)} needs {prerequisite.flag_key} to give {expected}; "
            f"it gives {prerequisite.actual_variant}"
        )
    for number, rule in enumerate(explanation.rules, 1):
        verdict = pb.RuleVerdict.Name(rule.verdict).removeprefix("RULE_VERDICT_").lower().replace("_", " ")
        click.echo(f"  rule {number} ({rule.description or rule.rule_id}): {verdict}")
        for outcome in rule.conditions:
            click.echo(f"    {_mark(outcome.passed)} {_condition(outcome.condition)}; {_actual(outcome)}")
        if rule.HasField("draw"):
            click.echo(f"    {_draw(rule.draw)}")
    if explanation.HasField("fallthrough"):
        click.echo(f"  everybody else: {_draw(explanation.fallthrough)}")


def _mark(passed: bool) -> str:
    return "✓" if passed else "✗"


def _condition(condition: common_pb2.Condition) -> str:
    operator = common_pb2.Operator.Name(condition.operator).removeprefix("OPERATOR_").lower()
    return f"{condition.attribute} {operator} {', '.join(map(_value, condition.values))}".rstrip()


def _actual(outcome: pb.ConditionOutcome) -> str:
    actual = f"it is {_value(outcome.actual)}" if outcome.HasField("actual") else "it is missing"
    return f"{actual} ({outcome.note})" if outcome.note else actual


def _value(value: Value) -> str:
    return json.dumps(value_from_proto(value, "value"), ensure_ascii=False)


def _draw(draw: pb.Draw) -> str:
    if not draw.bucketing_key:
        return f"drawn by {draw.bucket_by}, which this context does not have"
    side = "inside" if draw.included else "outside"
    text = f"drawn by {draw.bucket_by}: {draw.bucketing_key} falls at {draw.bucket:.3%}, {side} {draw.threshold:.3%}"
    return f"{text}, and gets {draw.variant}" if draw.included else text
