"""What a flag check asks and answers: contexts, resolutions, explanations."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from burgee.evaluation.explanation import Draw, Explanation, RuleVerdict
from burgee.evaluation.model import Context, ErrorCode, Reason, Resolution
from burgee.v1 import flags_pb2
from burgee.wire.flags import condition_to_proto
from burgee.wire.values import (
    WireError,
    fill_struct,
    fill_value,
    properties_from_struct,
    value_from_proto,
    value_to_proto,
)

_NONE: Mapping[str, Any] = MappingProxyType({})

_REASONS = {flags_pb2.Reason.Value(f"REASON_{reason.name}"): reason for reason in Reason}
_REASON_NUMBERS = {reason: number for number, reason in _REASONS.items()}
_ERROR_CODES = {flags_pb2.ErrorCode.Value(f"ERROR_CODE_{code.name}"): code for code in ErrorCode}
_ERROR_CODE_NUMBERS = {code: number for number, code in _ERROR_CODES.items()}
_VERDICT_NUMBERS = {verdict: flags_pb2.RuleVerdict.Value(f"RULE_VERDICT_{verdict.name}") for verdict in RuleVerdict}


def context_from_proto(message: flags_pb2.EvaluationContext, path: str = "context") -> Context:
    """A context. Raises WireError."""
    # On every flag check: a map is three times as quick to read key by key, and a field that is not there to skip.
    groups = message.groups
    properties = _NONE
    if message.HasField("properties"):
        properties = properties_from_struct(message.properties, f"{path}.properties")
    group_properties = _NONE
    if message.group_properties:
        group_properties = {
            group_type: properties_from_struct(struct, f"{path}.group_properties.{group_type}")
            for group_type, struct in message.group_properties.items()
        }
    return Context(message.distinct_id, {name: groups[name] for name in groups}, properties, group_properties)


def context_to_proto(context: Context) -> flags_pb2.EvaluationContext:
    """A context as a message. Raises WireError naming a property that is not JSON."""
    message = flags_pb2.EvaluationContext(distinct_id=context.distinct_id, groups=context.groups)
    if context.properties:
        fill_struct(message.properties, context.properties, "properties", 0)
    for group_type, properties in context.group_properties.items():
        fill_struct(message.group_properties[group_type], properties, f"group_properties.{group_type}", 0)
    return message


def resolution_to_proto(resolution: Resolution) -> flags_pb2.Resolution:
    """A resolution as a message, without a value if its reason is ERROR."""
    message = flags_pb2.Resolution(
        flag_key=resolution.flag_key,
        variant=resolution.variant,
        reason=_REASON_NUMBERS[resolution.reason],
        rule_id=resolution.rule_id,
        flag_version=resolution.flag_version,
        bucket_by=resolution.bucket_by,
    )
    if resolution.reason is not Reason.ERROR:
        fill_value(message.value, resolution.value, "value", 0)
    if resolution.error_code is not None:
        message.error_code = _ERROR_CODE_NUMBERS[resolution.error_code]
    if resolution.error_message:
        message.error_message = resolution.error_message
    if resolution.parent_groups:
        message.parent_groups.update(resolution.parent_groups)
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
        message.bucket_by,
        dict(message.parent_groups),
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
        parents=[flags_pb2.ParentGroup(**each._asdict()) for each in explanation.parents],
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
