"""What a flag is: flags and conditions."""

from datetime import UTC

from burgee.evaluation.model import (
    ROLLOUT_ALL,
    USER,
    Condition,
    Distribution,
    Flag,
    FlagType,
    Operator,
    Prerequisite,
    RampStep,
    Rule,
    Variant,
    VariantWeight,
)
from burgee.v1 import common_pb2, flags_pb2
from burgee.wire.values import WireError, value_from_proto, value_to_proto

_OPERATORS = {common_pb2.Operator.Value(f"OPERATOR_{operator.name}"): operator for operator in Operator}
_OPERATOR_NUMBERS = {operator: number for number, operator in _OPERATORS.items()}
_FLAG_TYPE_NUMBERS = {type_: flags_pb2.FlagType.Value(f"FLAG_TYPE_{type_.name}") for type_ in FlagType}
_FLAG_TYPES = {number: type_ for type_, number in _FLAG_TYPE_NUMBERS.items()} | {
    flags_pb2.FLAG_TYPE_UNSPECIFIED: FlagType.BOOLEAN
}


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
