"""Flags that cannot be evaluated, over real gRPC: none is ever saved."""

from math import nan

import pytest
from google.protobuf.struct_pb2 import Value
from grpc import StatusCode

from burgee.v1 import common_pb2
from burgee.v1 import flag_admin_pb2 as admin_pb
from burgee.v1 import flags_pb2 as pb
from tests.rpc.conftest import refused
from tests.rpc.test_flags import create, text


def with_rule(**fields):
    """A flag with one rule."""
    return pb.Flag(key="x", rules=[pb.Rule(distribution=pb.Distribution(**fields))])


def with_condition(**fields):
    """A flag with one condition."""
    return pb.Flag(
        key="x", rules=[pb.Rule(conditions=[common_pb2.Condition(**fields)], distribution=pb.Distribution())]
    )


BAD_FLAGS = {
    "no key": (pb.Flag(), "flag.key"),
    "key too long": (pb.Flag(key="x" * 201), "flag.key"),
    "key with a blank": (pb.Flag(key="a b"), "flag.key"),
    "unknown type": (pb.Flag(key="x", type=9), "flag.type"),
    "value of another type": (
        pb.Flag(key="x", variants=[pb.Variant(key="a", value=Value(string_value="s"))]),
        "flag.variants[0].value",
    ),
    "unknown off variant": (pb.Flag(key="x", off_variant="nope"), "flag.off_variant"),
    "unknown variant": (
        with_rule(weights=[pb.VariantWeight(variant="nope", weight=1)]),
        "flag.rules[0].distribution.weights[0].variant",
    ),
    "weights that sum to zero": (
        with_rule(weights=[pb.VariantWeight(variant="on", weight=0)]),
        "flag.rules[0].distribution.weights",
    ),
    "rollout over 100,000": (with_rule(rollout=100_001), "flag.rules[0].distribution.rollout"),
    "no operator": (with_condition(attribute="user.a"), "flag.rules[0].conditions[0].operator"),
    "unknown operator": (with_condition(attribute="user.a", operator=99), "flag.rules[0].conditions[0].operator"),
    "no values": (with_condition(attribute="user.a", operator=1), "flag.rules[0].conditions[0].values"),
    "attribute without a dot": (
        with_condition(attribute="plan", operator=1, values=text("x")),
        "flag.rules[0].conditions[0].attribute",
    ),
    "event attribute": (
        with_condition(attribute="event.plan", operator=1, values=text("x")),
        "flag.rules[0].conditions[0].attribute",
    ),
    "bad pattern": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_MATCHES, values=text("(")),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "a lookahead": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_MATCHES, values=text("(?=a)")),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "an attribute of no group type": (
        with_condition(attribute=".plan", operator=1, values=text("x")),
        "flag.rules[0].conditions[0].attribute",
    ),
    "a draw by no group type": (with_rule(bucket_by=".region"), "flag.rules[0].distribution.bucket_by"),
    "a draw by no property": (with_rule(bucket_by="company."), "flag.rules[0].distribution.bucket_by"),
    "deep inside": (
        pb.Flag(
            key="x",
            rules=[
                pb.Rule(),
                pb.Rule(),
                pb.Rule(conditions=[common_pb2.Condition(attribute="user.a", operator=common_pb2.OPERATOR_IN)]),
            ],
        ),
        "flag.rules[2].conditions[0].values",
    ),
    "text for a number": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_GT, values=text("5")),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "no number": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_GT, values=[Value(number_value=nan)]),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "no value": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_EQUALS, values=[Value()]),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "no time": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_BEFORE, values=text("soon")),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "no version": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_SEMVER_GT, values=text("1.2")),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "one too many": (
        with_condition(attribute="user.a", operator=common_pb2.OPERATOR_EQUALS, values=text("a", "b")),
        "flag.rules[0].conditions[0].values",
    ),
    "a pattern too large": (
        with_condition(
            attribute="user.a", operator=common_pb2.OPERATOR_MATCHES, values=text("(a\\w{900}|b\\d{900}|c\\s{900})")
        ),
        "flag.rules[0].conditions[0].values[0]",
    ),
    "two weights of one variant": (
        with_rule(weights=[pb.VariantWeight(variant="on", weight=1)] * 2),
        "flag.rules[0].distribution.weights[1].variant",
    ),
    "unknown variant in the fallthrough": (
        pb.Flag(key="x", fallthrough=pb.Distribution(weights=[pb.VariantWeight(variant="nope", weight=1)])),
        "flag.fallthrough.weights[0].variant",
    ),
    "a ramp without its moment": (with_rule(ramp=[pb.RampStep(rollout=5)]), "flag.rules[0].distribution.ramp[0].at"),
    "a ramp that goes back in time": (
        with_rule(ramp=[pb.RampStep(at={"seconds": 9}, rollout=5), pb.RampStep(at={"seconds": 8}, rollout=6)]),
        "flag.rules[0].distribution.ramp[1].at",
    ),
    "a ramp beyond everybody": (
        with_rule(ramp=[pb.RampStep(at={"seconds": 9}, rollout=100_001)]),
        "flag.rules[0].distribution.ramp[0].rollout",
    ),
    "two rules of one id": (
        pb.Flag(key="x", rules=[pb.Rule(rule_id="a"), pb.Rule(rule_id="a")]),
        "flag.rules[1].rule_id",
    ),
    "its own prerequisite": (
        pb.Flag(key="x", prerequisites=[pb.Prerequisite(flag_key="x", variants=["on"])]),
        "flag.prerequisites[0].flag_key",
    ),
    "missing prerequisite": (
        pb.Flag(key="x", prerequisites=[pb.Prerequisite(flag_key="gone", variants=["on"])]),
        "flag.prerequisites[0].flag_key",
    ),
}


@pytest.mark.parametrize(("flag", "field"), BAD_FLAGS.values(), ids=BAD_FLAGS.keys())
async def test_a_flag_that_cannot_be_evaluated_cannot_be_saved(shared_admin, flag, field):
    """INVALID_ARGUMENT with the path of what is wrong; nothing is kept."""
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await create(shared_admin, flag)
    assert not (await shared_admin.flag_admin.ListFlags(admin_pb.ListFlagsRequest())).flags
