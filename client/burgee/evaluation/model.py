"""What a flag is, what is asked of it, and what it answers: plain frozen values, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
Properties: TypeAlias = Mapping[str, Json]

ROLLOUT_ALL = 100_000
"""A rollout counts parts per 100,000."""

USER = "user"
"""Stands where a group type could: the person that the distinct_id names."""

COHORT = ".cohort"
"""Stands where a group type could, among profiles: no type has a dot in its name."""


class Operator(StrEnum):
    """How a condition compares; the meaning of each is in operators.py."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BEFORE = "before"
    AFTER = "after"
    SEMVER_EQ = "semver_eq"
    SEMVER_GT = "semver_gt"
    SEMVER_GTE = "semver_gte"
    SEMVER_LT = "semver_lt"
    SEMVER_LTE = "semver_lte"
    SEMVER_TILDE = "semver_tilde"
    SEMVER_CARET = "semver_caret"
    IS_SET = "is_set"
    IS_NOT_SET = "is_not_set"
    IN_COHORT = "in_cohort"
    NOT_IN_COHORT = "not_in_cohort"


class FlagType(StrEnum):
    """The kind of value that a flag's variants have."""

    BOOLEAN = "boolean"
    STRING = "string"
    NUMBER = "number"
    JSON = "json"


class Reason(StrEnum):
    """Why a resolution is what it is: OpenFeature's reason codes."""

    STATIC = "STATIC"
    TARGETING_MATCH = "TARGETING_MATCH"
    SPLIT = "SPLIT"
    DEFAULT = "DEFAULT"
    DISABLED = "DISABLED"
    STALE = "STALE"
    ERROR = "ERROR"


class ErrorCode(StrEnum):
    """What went wrong: OpenFeature's error codes."""

    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    TARGETING_KEY_MISSING = "TARGETING_KEY_MISSING"
    INVALID_CONTEXT = "INVALID_CONTEXT"
    PARSE_ERROR = "PARSE_ERROR"
    PROVIDER_NOT_READY = "PROVIDER_NOT_READY"
    GENERAL = "GENERAL"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `attribute` is `user.<property>`, `<group type>.<property>` or `<either>.key`."""

    attribute: str
    operator: Operator
    values: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the things a flag can give."""

    key: str
    value: Json


@dataclass(frozen=True, slots=True)
class VariantWeight:
    """A share of those included, relative to the sum of the weights."""

    variant: str
    weight: int


@dataclass(frozen=True, slots=True)
class RampStep:
    """From `at` (UTC) on, `rollout` parts per 100,000 are included."""

    at: datetime
    rollout: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """A deterministic draw by `bucket_by`: `user`, a group type, or an attribute such as `company.region`.

    A ramp, if there is one, stands in place of `rollout`. An empty salt means the flag's.
    """

    weights: tuple[VariantWeight, ...]
    bucket_by: str = USER
    rollout: int = ROLLOUT_ALL
    ramp: tuple[RampStep, ...] = ()
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """If all conditions hold, the distribution decides."""

    rule_id: str
    distribution: Distribution
    conditions: tuple[Condition, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """Another flag, and the variants of it that will do."""

    flag_key: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as configured in one environment. An empty salt means the flag's key."""

    key: str
    type: FlagType
    variants: tuple[Variant, ...]
    off_variant: str
    enabled: bool = False
    rules: tuple[Rule, ...] = ()
    fallthrough: Distribution | None = None
    salt: str = ""
    prerequisites: tuple[Prerequisite, ...] = ()
    archived: bool = False
    version: int = 0
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Context:
    """Who asks: the user, the groups they act for, and what the caller knows of them.

    `properties` are the user's, `group_properties` are by group type. Both override what is stored.
    """

    # Not frozen, as the rest is: one is made for every check, and freezing it would take 0.3 of its 2 microseconds.

    distinct_id: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    properties: Properties = field(default_factory=dict)
    group_properties: Mapping[str, Properties] = field(default_factory=dict)


Profiles: TypeAlias = Mapping[tuple[str, str], Properties]
"""What is stored: properties by (`user` or group type, distinct_id or group key), and the members of cohorts by
(COHORT, cohort key), as cohorts.cohort makes them."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a flag gives. `value` means nothing with Reason.ERROR; it is the flag's own object, not to be changed."""

    flag_key: str
    value: Json
    variant: str
    reason: Reason
    rule_id: str = ""
    flag_version: int = 0
    error_code: ErrorCode | None = None
    error_message: str = ""
    bucket_by: str = ""
    """What the rule or the fallthrough that decided draws by: `user`, a group type, or an attribute. Where none
    decided, what the flag's fallthrough draws by, else its last rule, else `user`. Empty with Reason.ERROR."""
    parent_groups: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The groups, by type, that the context did not name and the flag took from those that it names: their parents."""
