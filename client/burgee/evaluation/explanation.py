"""What an explanation says: the values behind ExplainResponse."""

from dataclasses import dataclass
from enum import StrEnum

from burgee.evaluation.model import Condition, Json, Resolution
from burgee.evaluation.parents import ParentGroup


class RuleVerdict(StrEnum):
    """What became of a rule."""

    MATCHED = "MATCHED"
    CONDITION_FAILED = "CONDITION_FAILED"
    NOT_INCLUDED = "NOT_INCLUDED"
    GROUP_MISSING = "GROUP_MISSING"
    TARGETING_KEY_MISSING = "TARGETING_KEY_MISSING"


@dataclass(frozen=True, slots=True)
class ConditionOutcome:
    """One condition's part. `actual` None: the attribute is missing, or null."""

    condition: Condition
    actual: Json
    passed: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw, in numbers from 0 to 1. An empty `bucketing_key`: the context has none, and nothing was drawn."""

    bucket_by: str
    bucketing_key: str
    bucket: float
    threshold: float
    included: bool
    variant_bucket: float
    variant: str


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule's part: its conditions up to the first that failed, and its draw if all held."""

    rule_id: str
    description: str
    verdict: RuleVerdict
    conditions: tuple[ConditionOutcome, ...] = ()
    draw: Draw | None = None


@dataclass(frozen=True, slots=True)
class PrerequisiteOutcome:
    """What became of a prerequisite. An empty `actual_variant`: the flag is missing, broken or part of a cycle."""

    flag_key: str
    expected_variants: tuple[str, ...]
    actual_variant: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a flag gives a context what it gives. `rules` end with the one that decided.

    `parents` are the groups that the context does not name and the flag took from those that it names.
    """

    resolution: Resolution
    prerequisites: tuple[PrerequisiteOutcome, ...] = ()
    rules: tuple[RuleOutcome, ...] = ()
    fallthrough: Draw | None = None
    summary: str = ""
    parents: tuple[ParentGroup, ...] = ()
