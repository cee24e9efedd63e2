"""The core: what a flag gives whom. Pure: no I/O, no clock, no randomness, no protobuf, no third party."""

from burgee.evaluation.attributes import Attribute
from burgee.evaluation.bucketing import bucket, variant_bucket
from burgee.evaluation.check import violations
from burgee.evaluation.cohorts import cohort, named_cohorts
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
    COHORT,
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
from burgee.evaluation.parents import Link, ParentGroup, ParentTypes, asked_of, completed, links_of, parent_groups
from burgee.evaluation.pattern import Pattern, PatternError

__all__ = [
    "COHORT",
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
    "Link",
    "Not",
    "Operator",
    "ParentGroup",
    "ParentTypes",
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
    "asked_of",
    "bucket",
    "cohort",
    "compile_condition",
    "completed",
    "condition_violations",
    "context_from_document",
    "flag_from_document",
    "flag_to_document",
    "links_of",
    "named_cohorts",
    "parent_groups",
    "variant_bucket",
    "violations",
    "with_defaults",
]
