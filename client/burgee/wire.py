"""Between protobuf and the core's model: the only translator, on the server and in the client.

What comes from the wire may be anything: WireError names the field at fault. What comes from the core is trusted,
except for properties, which callers hand in.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from math import isfinite

from burgee.evaluation.explanation import Draw, Explanation, RuleVerdict
from burgee.evaluation.model import (
    ROLLOUT_ALL,
    USER,
    Condition,
    Context,
    Distribution,
    ErrorCode,
    Flag,
    FlagType,
    Json,
    Operator,
    Prerequisite,
    Properties,
    RampStep,
    Reason,
    Resolution,
    Rule,
    Variant,
    VariantWeight,
)
from burgee.v1 import common_pb2, flags_pb2
from google.protobuf import struct_pb2

DEEPEST = 30
"""Lists and objects inside one another: protobuf parses 100 messages deep, and each level takes three."""

_EXACT = 2.0**53

_OPERATORS = {common_pb2.Operator.Value(f"OPERATOR_{operator.name}"): operator for operator in Operator}
_FLAG_TYPES = {flags_pb2.FlagType.Value(f"FLAG_TYPE_{type_.name}"): type_ for type_ in FlagType} | {
    flags_pb2.FLAG_TYPE_UNSPECIFIED: FlagType.BOOLEAN
}
_REASONS = {flags_pb2.Reason.Value(f"REASON_{reason.name}"): reason for reason in Reason}
_ERROR_CODES = {flags_pb2.ErrorCode.Value(f"ERROR_CODE_{code.name}"): code for code in ErrorCode}
_OPERATOR_NUMBERS = {operator: number for number, operator in _OPERATORS.items()}
_FLAG_TYPE_NUMBERS = {type_: flags_pb2.FlagType.Value(f"FLAG_TYPE_{type_.name}") for type_ in FlagType}
_REASON_NUMBERS = {reason: number for number, reason in _REASONS.items()}
_ERROR_CODE_NUMBERS = {code: number for number, code in _ERROR_CODES.items()}
_VERDICT_NUMBERS = {verdict: flags_pb2.RuleVerdict.Value(f"RULE_VERDICT_{verdict.name}") for verdict in RuleVerdict}


class WireError(ValueError):
    """A message cannot be read: `field` is its path, `reason` is what would be right."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


# Values


def value_from_proto(value: struct_pb2.Value, path: str) -> Json:
    """A JSON value. Whole numbers below 2**53 become int. Raises WireError for a value that is not JSON."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            if number.is_integer() and -_EXACT < number < _EXACT:
                return int(number)
            if not isfinite(number):
                raise WireError(path, "JSON has no infinities and no NaN")
            return number
        case "bool_value":
            return value.bool_value
        case "null_value":
            return None
        case "struct_value":
            return properties_from_struct(value.struct_value, path)
        case "list_value":
            return [value_from_proto(item, f"{path}[{index}]") for index, item in enumerate(value.list_value.values)]
        case _:
            raise WireError(path, "a value is missing")


def properties_from_struct(struct: struct_pb2.Struct, path: str) -> dict[str, Json]:
    """Properties as plain values. Raises WireError."""
    # Text and truth values are most of what there is: the shortest way for them saves a third of an Evaluate call.
    properties: dict[str, Json] = {}
    fields = struct.fields
    for name in fields:
        value = fields[name]
        kind = value.WhichOneof("kind")
        if kind == "string_value":
            properties[name] = value.string_value
        elif kind == "bool_value":
            properties[name] = value.bool_value
        else:
            properties[name] = value_from_proto(value, f"{path}.{name}")
    return properties


def value_to_proto(value: Json, path: str = "value") -> struct_pb2.Value:
    """A JSON value as a message. Raises WireError, which is a ValueError, naming what is not JSON."""
    message = struct_pb2.Value()
    _fill_value(message, value, path, 0)
    return message


def properties_to_struct(properties: Properties, path: str = "properties") -> struct_pb2.Struct:
    """Properties as a Struct. Raises WireError, which is a ValueError, naming the property that is not JSON.

    A Struct has doubles only: whole numbers of 2**53 and more lose digits, and travel better as text.
    """
    struct = struct_pb2.Struct()
    _fill_struct(struct, properties, path, 0)
    return struct


def _fill_struct(struct: struct_pb2.Struct, properties: Properties, path: str, depth: int) -> None:
    fields = struct.fields
    for name, value in properties.items():
        if not isinstance(name, str):
            raise WireError(path, f"the name of a property is text, not {type(name).__name__}")
        _fill_value(fields[name], value, f"{path}.{name}", depth)


def _fill_value(message: struct_pb2.Value, value: object, path: str, depth: int) -> None:
    if depth > DEEPEST:
        raise WireError(path, f"lists and objects are nested more than {DEEPEST} deep")
    match value:
        case str():
            try:
                message.string_value = value
            except UnicodeEncodeError:
                raise WireError(path, "not text: it has half a surrogate pair") from None
        case bool():
            message.bool_value = value
        case int() | float():
            try:
                number = float(value)
            except OverflowError:
                raise WireError(path, "the number is too large for a double") from None
            if not isfinite(number):
                raise WireError(path, "JSON has no infinities and no NaN")
            message.number_value = number
        case None:
            message.null_value = struct_pb2.NULL_VALUE
        case Mapping():
            message.struct_value.SetInParent()
            _fill_struct(message.struct_value, value, path, depth + 1)
        case bytes() | bytearray() | memoryview():
            raise WireError(path, "bytes are not JSON")
        case Sequence():
            message.list_value.SetInParent()
            for index, item in enumerate(value):
                _fill_value(message.list_value.values.add(), item, f"{path}[{index}]", depth + 1)
        case _:
            raise WireError(path, f"{type(value).__name__} is not JSON")


# What is asked


def context_from_proto(message: flags_pb2.EvaluationContext, path: str = "context") -> Context:
    """A context. Raises WireError."""
    return Context(
        message.distinct_id,
        dict(message.groups),
        properties_from_struct(message.properties, f"{path}.properties"),
        {
            group_type: properties_from_struct(struct, f"{path}.group_properties.{group_type}")
            for group_type, struct in message.group_properties.items()
        },
    )


def context_to_proto(context: Context) -> flags_pb2.EvaluationContext:
    """A context as a message. Raises WireError naming a property that is not JSON."""
    message = flags_pb2.EvaluationContext(distinct_id=context.distinct_id, groups=context.groups)
    if context.properties:
        _fill_struct(message.properties, context.properties, "properties", 0)
    for group_type, properties in context.group_properties.items():
        _fill_struct(message.group_properties[group_type], properties, f"group_properties.{group_type}", 0)
    return message


# What is answered


def resolution_to_proto(resolution: Resolution) -> flags_pb2.Resolution:
    """A resolution as a message, without a value if its reason is ERROR."""
    message = flags_pb2.Resolution(
        flag_key=resolution.flag_key,
        variant=resolution.variant,
        reason=_REASON_NUMBERS[resolution.reason],
        rule_id=resolution.rule_id,
        flag_version=resolution.flag_version,
    )
    if resolution.reason is not Reason.ERROR:
        _fill_value(message.value, resolution.value, "value", 0)
    if resolution.error_code is not None:
        message.error_code = _ERROR_CODE_NUMBERS[resolution.error_code]
    if resolution.error_message:
        message.error_message = resolution.error_message
    return message


def resolution_from_proto(message: flags_pb2.Resolution) -> Resolution:
    """A resolution. A reason that a newer server has and this client does not know raises WireError."""
    reason = _REASONS.get(message.reason)
    if reason is None:
        raise WireError("reason", f"unknown: {message.reason}")
    return Resolution(
        message.flag_key,
        value_from_proto(message.value, "value") if message.HasField("value") else None,
        message.variant,
        reason,
        message.rule_id,
        message.flag_version,
        _ERROR_CODES.get(message.error_code, ErrorCode.GENERAL) if message.error_code else None,
        message.error_message,
    )


def explanation_to_proto(explanation: Explanation) -> flags_pb2.ExplainResponse:
    """An explanation as a message."""
    return flags_pb2.ExplainResponse(
        resolution=resolution_to_proto(explanation.resolution),
        prerequisites=[
            flags_pb2.PrerequisiteOutcome(
                flag_key=each.flag_key,
                expected_variants=each.expected_variants,
                actual_variant=each.actual_variant,
                passed=each.passed,
            )
            for each in explanation.prerequisites
        ],
        rules=[
            flags_pb2.RuleOutcome(
                rule_id=rule.rule_id,
                description=rule.description,
                verdict=_VERDICT_NUMBERS[rule.verdict],
                conditions=[
                    flags_pb2.ConditionOutcome(
                        condition=condition_to_proto(each.condition),
                        actual=None if each.actual is None else value_to_proto(each.actual),
                        passed=each.passed,
                        note=each.note,
                    )
                    for each in rule.conditions
                ],
                draw=_draw_to_proto(rule.draw),
            )
            for rule in explanation.rules
        ],
        fallthrough=_draw_to_proto(explanation.fallthrough),
        summary=explanation.summary,
    )


def _draw_to_proto(draw: Draw | None) -> flags_pb2.Draw | None:
    if draw is None:
        return None
    return flags_pb2.Draw(
        bucket_by=draw.bucket_by,
        bucketing_key=draw.bucketing_key,
        bucket=draw.bucket,
        threshold=draw.threshold,
        included=draw.included,
        variant_bucket=draw.variant_bucket,
        variant=draw.variant,
    )


# What a flag is


def condition_from_proto(message: common_pb2.Condition, path: str) -> Condition:
    """A condition. Raises WireError; whether it can be evaluated is conditions.condition_violations' to say."""
    operator = _OPERATORS.get(message.operator)
    if operator is None:
        raise WireError(f"{path}.operator", "give one of the operators")
    values = tuple(value_from_proto(value, f"{path}.values[{index}]") for index, value in enumerate(message.values))
    return Condition(message.attribute, operator, values)


def condition_to_proto(condition: Condition) -> common_pb2.Condition:
    """A condition as a message."""
    return common_pb2.Condition(
        attribute=condition.attribute,
        operator=_OPERATOR_NUMBERS[condition.operator],
        values=[value_to_proto(value, f"values[{index}]") for index, value in enumerate(condition.values)],
    )


def flag_from_proto(message: flags_pb2.Flag, path: str = "flag") -> Flag:
    """A flag, as it is: see defaults.with_defaults and check.violations. Raises WireError.

    created_at and updated_at are the server's record of a version, and not part of what a flag is.
    """
    type_ = _FLAG_TYPES.get(message.type)
    if type_ is None:
        raise WireError(f"{path}.type", "give one of the types")
    return Flag(
        key=message.key,
        type=type_,
        variants=tuple(
            Variant(variant.key, value_from_proto(variant.value, f"{path}.variants[{index}].value"))
            for index, variant in enumerate(message.variants)
        ),
        off_variant=message.off_variant,
        enabled=message.enabled,
        rules=tuple(_rule_from_proto(rule, f"{path}.rules[{index}]") for index, rule in enumerate(message.rules)),
        fallthrough=(
            _distribution_from_proto(message.fallthrough, f"{path}.fallthrough")
            if message.HasField("fallthrough")
            else None
        ),
        salt=message.salt,
        prerequisites=tuple(Prerequisite(each.flag_key, tuple(each.variants)) for each in message.prerequisites),
        archived=message.archived,
        version=message.version,
        description=message.description,
        owner=message.owner,
        tags=tuple(message.tags),
    )


def flag_to_proto(flag: Flag) -> flags_pb2.Flag:
    """A flag as a message, without created_at and updated_at."""
    return flags_pb2.Flag(
        key=flag.key,
        description=flag.description,
        type=_FLAG_TYPE_NUMBERS[flag.type],
        enabled=flag.enabled,
        variants=[flags_pb2.Variant(key=variant.key, value=value_to_proto(variant.value)) for variant in flag.variants],
        off_variant=flag.off_variant,
        rules=[
            flags_pb2.Rule(
                rule_id=rule.rule_id,
                description=rule.description,
                conditions=[condition_to_proto(condition) for condition in rule.conditions],
                distribution=_distribution_to_proto(rule.distribution),
            )
            for rule in flag.rules
        ],
        fallthrough=None if flag.fallthrough is None else _distribution_to_proto(flag.fallthrough),
        salt=flag.salt,
        prerequisites=[
            flags_pb2.Prerequisite(flag_key=each.flag_key, variants=each.variants) for each in flag.prerequisites
        ],
        tags=flag.tags,
        owner=flag.owner,
        archived=flag.archived,
        version=flag.version,
    )


def _rule_from_proto(message: flags_pb2.Rule, path: str) -> Rule:
    return Rule(
        message.rule_id,
        _distribution_from_proto(message.distribution, f"{path}.distribution"),
        tuple(
            condition_from_proto(condition, f"{path}.conditions[{index}]")
            for index, condition in enumerate(message.conditions)
        ),
        message.description,
    )


def _distribution_from_proto(message: flags_pb2.Distribution, path: str) -> Distribution:
    return Distribution(
        weights=tuple(VariantWeight(each.variant, each.weight) for each in message.weights),
        bucket_by=message.bucket_by or USER,
        rollout=message.rollout if message.HasField("rollout") else ROLLOUT_ALL,
        ramp=tuple(_ramp_step_from_proto(step, f"{path}.ramp[{index}]") for index, step in enumerate(message.ramp)),
        salt=message.salt,
    )


def _ramp_step_from_proto(message: flags_pb2.RampStep, path: str) -> RampStep:
    if not message.HasField("at"):
        raise WireError(f"{path}.at", "a step of a ramp needs its moment")
    try:
        return RampStep(message.at.ToDatetime(UTC), message.rollout)
    except (ValueError, OverflowError):
        raise WireError(f"{path}.at", "a moment is between the years 1 and 9999") from None


def _distribution_to_proto(distribution: Distribution) -> flags_pb2.Distribution:
    message = flags_pb2.Distribution(
        bucket_by=distribution.bucket_by,
        weights=[flags_pb2.VariantWeight(variant=each.variant, weight=each.weight) for each in distribution.weights],
        salt=distribution.salt,
    )
    if distribution.rollout != ROLLOUT_ALL:
        message.rollout = distribution.rollout
    for step in distribution.ramp:
        message.ramp.add(rollout=step.rollout).at.FromDatetime(step.at)
    return message
