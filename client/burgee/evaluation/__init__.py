"""The core: what a flag gives whom. Pure: no I/O, no clock, no randomness, no protobuf, no third party."""

from burgee.evaluation.attributes import Attribute
from burgee.evaluation.bucketing import bucket, variant_bucket
from burgee.evaluation.check import violations
from burgee.evaluation.conditions import CompiledCondition, compile_condition, condition_violations
from burgee.evaluation.defaults import with_defaults
from burgee.evaluation.document import DocumentError, context_from_document, flag_from_document, flag_to_document
from burgee.evaluation.explanation import (
    ConditionOutcome,
    Draw,
    Explanation,
    PrerequisiteOutcome,
    RuleOutcome,
    RuleVerdict,
)
from burgee.evaluation.filter import AllOf, AnyOf, Filter, Not
from burgee.evaluation.flag_set import FlagSet
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
    Profiles,
    Properties,
    RampStep,
    Reason,
    Resolution,
    Rule,
    Variant,
    VariantWeight,
)
from burgee.evaluation.pattern import Pattern, PatternError

__all__ = [
    "ROLLOUT_ALL",
    "USER",
    "AllOf",
    "AnyOf",
    "Attribute",
    "CompiledCondition",
    "Condition",
    "ConditionOutcome",
    "Context",
    "Distribution",
    "DocumentError",
    "Draw",
    "ErrorCode",
    "Explanation",
    "Filter",
    "Flag",
    "FlagSet",
    "FlagType",
    "Json",
    "Not",
    "Operator",
    "Pattern",
    "PatternError",
    "Prerequisite",
    "PrerequisiteOutcome",
    "Profiles",
    "Properties",
    "RampStep",
    "Reason",
    "Resolution",
    "Rule",
    "RuleOutcome",
    "RuleVerdict",
    "Variant",
    "VariantWeight",
    "bucket",
    "compile_condition",
    "condition_violations",
    "context_from_document",
    "flag_from_document",
    "flag_to_document",
    "variant_bucket",
    "violations",
    "with_defaults",
]
