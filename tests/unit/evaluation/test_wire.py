"""The translator: what goes through protobuf comes back the same, and bad input names its field."""

import pickle
from dataclasses import asdict, replace
from datetime import UTC, datetime
from math import inf, nan

import pytest
from google.protobuf import struct_pb2
from hypothesis import given

from burgee import wire
from burgee.evaluation import (
    Context,
    Distribution,
    ErrorCode,
    Flag,
    FlagSet,
    FlagType,
    Json,
    Prerequisite,
    Profiles,
    Reason,
    Resolution,
    RuleVerdict,
    with_defaults,
)
from burgee.evaluation.kinds import equal
from burgee.v1 import common_pb2, flags_pb2
from tests.fixtures.examples import examples
from tests.unit.evaluation.strategies import NOW, contexts, finite_json, flag_sets, flags, profiles


@given(finite_json)
def test_a_value_survives_the_wire(value: Json) -> None:
    """Every JSON value whose whole numbers are below 2**53."""
    sent = struct_pb2.Value.FromString(wire.value_to_proto(value).SerializeToString())
    received = wire.value_from_proto(sent, "value")
    assert equal(received, value)


def test_numbers_beyond_exact_whole_ones_stay_doubles() -> None:
    """9007199254740992 may have been 9007199254740993: nobody is told that it is exact."""
    for number, type_ in ((2.0**53 - 1, int), (-(2.0**53) + 1, int), (2.0**53, float), (1e300, float), (0.5, float)):
        received = wire.value_from_proto(struct_pb2.Value(number_value=number), "value")
        assert (received, type(received)) == (number, type_)


@given(contexts(finite_json))
def test_a_context_survives_the_wire(context: Context) -> None:
    """With its groups and all its properties."""
    sent = flags_pb2.EvaluationContext.FromString(wire.context_to_proto(context).SerializeToString())
    assert wire.context_from_proto(sent) == context


@given(flags(prerequisites=(Prerequisite("other", ("on", "off")),)))
def test_a_flag_survives_the_wire(flag: Flag) -> None:
    """With everything but the server's own record of when."""
    sent = flags_pb2.Flag.FromString(wire.flag_to_proto(flag).SerializeToString())
    assert wire.flag_from_proto(sent) == flag


@examples(13)
@given(flag_sets(), contexts(finite_json), profiles)
def test_answers_survive_the_wire(some: list[Flag], context: Context, stored: Profiles) -> None:
    """Resolutions come back the same, and an explanation carries the same resolution and outcomes."""
    flag_set = FlagSet(some)
    resolution = flag_set.evaluate(some[0].key, context, stored, NOW)
    assert wire.resolution_from_proto(wire.resolution_to_proto(resolution)) == resolution


def test_an_error_has_no_value() -> None:
    """A client can tell a resolution without a value from one whose value is null."""
    error = Resolution("f", None, "", Reason.ERROR, error_code=ErrorCode.FLAG_NOT_FOUND, error_message="none")
    message = wire.resolution_to_proto(error)
    assert not message.HasField("value")
    assert wire.resolution_from_proto(message) == error


@pytest.mark.parametrize("parents", [{}, {"company": "acme"}])
def test_a_resolution_that_came_over_the_wire_is_plain_data(parents: dict[str, str]) -> None:
    """It can be pickled, for a cache or another process, and be made a dict of."""
    given = Resolution("f", {"seats": 3}, "on", Reason.SPLIT, bucket_by="company", parent_groups=parents)
    resolution = wire.resolution_from_proto(wire.resolution_to_proto(given))
    assert pickle.loads(pickle.dumps(resolution)) == given
    assert asdict(resolution) == asdict(given)


def test_an_explanation_is_told_whole() -> None:
    """Verdicts, conditions with their actual values, draws, prerequisites and the sentence."""
    document = flags_pb2.Flag(key="f", enabled=True, prerequisites=[{"flag_key": "gone", "variants": ["on"]}])
    rule = document.rules.add(rule_id="r")
    rule.conditions.add(attribute="user.x", operator=common_pb2.OPERATOR_GT, values=[struct_pb2.Value(number_value=1)])
    rule.distribution.weights.add(variant="on", weight=1)
    flag = with_defaults(wire.flag_from_proto(document))
    failed = wire.explanation_to_proto(FlagSet([flag]).explain("f", Context("u"), {}, NOW))
    assert failed.prerequisites[0].flag_key == "gone"
    assert list(failed.prerequisites[0].expected_variants) == ["on"]
    assert not failed.prerequisites[0].passed
    flag = replace(flag, prerequisites=())
    told = wire.explanation_to_proto(FlagSet([flag]).explain("f", Context("u", properties={"x": 2}), {}, NOW))
    assert told.rules[0].verdict == flags_pb2.RULE_VERDICT_MATCHED
    assert told.rules[0].conditions[0].actual.number_value == 2
    assert told.rules[0].conditions[0].condition == rule.conditions[0]
    assert told.rules[0].draw.variant == "on"
    assert told.summary.startswith('"f" gives u "on"')
    absent = wire.explanation_to_proto(FlagSet([flag]).explain("f", Context("u"), {}, NOW))
    assert not absent.rules[0].conditions[0].HasField("actual")
    assert {flags_pb2.RuleVerdict.Value(f"RULE_VERDICT_{verdict}") for verdict in RuleVerdict} == {1, 2, 3, 4, 5}


def test_an_absent_rollout_is_everybody_and_a_zero_is_nobody() -> None:
    """The two are not the same on the wire, nor in the core."""
    assert wire.flag_from_proto(flags_pb2.Flag(fallthrough={})).fallthrough == Distribution(weights=())
    nobody = wire.flag_from_proto(flags_pb2.Flag(fallthrough={"rollout": 0})).fallthrough
    assert nobody is not None
    assert nobody.rollout == 0
    assert wire.flag_from_proto(flags_pb2.Flag()).fallthrough is None
    assert wire.flag_from_proto(flags_pb2.Flag()).type is FlagType.BOOLEAN


def test_moments_of_a_ramp_are_utc() -> None:
    """To the microsecond."""
    message = flags_pb2.Flag()
    message.fallthrough.ramp.add(rollout=5).at.FromDatetime(datetime(2026, 3, 1, 1, 2, 3, 4, tzinfo=UTC))
    fallthrough = wire.flag_from_proto(message).fallthrough
    assert fallthrough is not None
    assert fallthrough.ramp[0].at == datetime(2026, 3, 1, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (flags_pb2.Flag(type=99), "flag.type"),
        (flags_pb2.Flag(variants=[{"key": "on"}]), "flag.variants[0].value"),
        (flags_pb2.Flag(rules=[{}, {"conditions": [{"attribute": "a.b"}]}]), "flag.rules[1].conditions[0].operator"),
        (flags_pb2.Flag(rules=[{"conditions": [{"operator": 77}]}]), "flag.rules[0].conditions[0].operator"),
        (
            flags_pb2.Flag(rules=[{"conditions": [{"operator": 1, "values": [struct_pb2.Value()]}]}]),
            "flag.rules[0].conditions[0].values[0]",
        ),
        (flags_pb2.Flag(fallthrough={"ramp": [{"rollout": 1}]}), "flag.fallthrough.ramp[0].at"),
        (flags_pb2.Flag(fallthrough={"ramp": [{"at": {"seconds": 10**15}}]}), "flag.fallthrough.ramp[0].at"),
    ],
)
def test_a_flag_that_cannot_be_read_names_its_field(message: flags_pb2.Flag, field: str) -> None:
    """Unknown enum values, absent values and absent moments."""
    with pytest.raises(wire.WireError) as error:
        wire.flag_from_proto(message)
    assert error.value.field == field


def test_a_context_that_cannot_be_read_names_its_field() -> None:
    """Struct lets infinities and empty values through; JSON does not."""
    message = flags_pb2.EvaluationContext()
    message.group_properties["company"].fields["x"].list_value.values.add(number_value=inf)
    with pytest.raises(wire.WireError, match=r"^context\.group_properties\.company\.x\[0\]: "):
        wire.context_from_proto(message)


@pytest.mark.parametrize(
    "value",
    [nan, inf, 10**400, b"bytes", {1, 2}, datetime(2026, 1, 1, tzinfo=UTC), object(), "\ud800", {1: 2}, [[nan]]],
)
def test_a_property_that_is_not_json_is_named(value: object) -> None:
    """ValueError with the property's name, before anything is sent."""
    with pytest.raises(ValueError, match=r"^properties\.odd"):
        wire.properties_to_struct({"fine": 1, "odd": value})  # type: ignore[dict-item]


def test_nesting_that_no_server_could_read_is_refused() -> None:
    """What is let through can be parsed again; what is deeper is named."""
    deep: Json = 1
    for _ in range(30):
        deep = {"a": deep}
    struct = wire.properties_to_struct({"x": deep})
    message = flags_pb2.EvaluateRequest(context={"group_properties": {"company": struct}})
    assert flags_pb2.EvaluateRequest.FromString(message.SerializeToString()) == message
    with pytest.raises(ValueError, match=r"^properties\.x.*nested"):
        wire.properties_to_struct({"x": [deep]})
