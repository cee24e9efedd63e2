"""Flags in words: what people read in tables and in the history of a flag."""

import json

from burgee.evaluation import ROLLOUT_ALL, Condition, Distribution, Flag, Json, RampStep
from burgee.evaluation.model import USER


def describe(flag: Flag) -> str:
    """Who gets what, in a line."""
    parts = [rule_text(rule.distribution, rule.conditions) for rule in flag.rules]
    parts.append(f"else {distribution_text(flag.fallthrough) if flag.fallthrough else flag.off_variant}")
    return "; ".join(parts)


def rule_text(distribution: Distribution, conditions: tuple[Condition, ...]) -> str:
    """What a rule gives whom."""
    return f"{distribution_text(distribution)}{' if ' + conditions_text(conditions) if conditions else ''}"


def distribution_text(distribution: Distribution) -> str:
    """Who is included, and what they get; without the weights and the steps of a ramp."""
    variants = "/".join(weight.variant for weight in distribution.weights)
    if distribution.ramp:
        return f"{variants} to a ramp by {distribution.bucket_by}"
    if distribution.rollout == ROLLOUT_ALL and len(distribution.weights) == 1 and distribution.bucket_by == USER:
        return variants
    return f"{variants} to {percent(distribution.rollout)} by {distribution.bucket_by}"


def conditions_text(conditions: tuple[Condition, ...]) -> str:
    """Conditions as they are typed on the command line."""
    return " and ".join(
        f"{c.attribute} {c.operator} {', '.join(map(value_text, c.values))}".rstrip() for c in conditions
    )


def ramp_text(ramp: tuple[RampStep, ...]) -> str:
    """Every step of a ramp."""
    return ", ".join(f"{percent(step.rollout)} from {step.at:%Y-%m-%dT%H:%M:%SZ}" for step in ramp)


def percent(rollout: int) -> str:
    """Parts per 100,000 as a percentage."""
    return f"{rollout / 1_000:g}%"


def value_text(value: Json) -> str:
    """Text as it is, unless it would be read as something else; anything else as JSON."""
    if isinstance(value, str) and value and value == value.strip() and "," not in value:
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False)
