"""Rollouts as they are typed, `33.333%`, and flags as they are told in a line."""

from typing import Any

import click

from burgee.evaluation import ROLLOUT_ALL, Condition, Distribution, Flag


class RolloutType(click.ParamType[int]):
    """Reads a percentage with up to three decimals into parts per 100,000."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parts per 100,000."""
        try:
            parts = round(float(str(value).rstrip("%")) * 1_000)
        except (ValueError, OverflowError):
            parts = -1
        if not 0 <= parts <= ROLLOUT_ALL:
            self.fail(f"{value!r} is not a percentage from 0% to 100%", param, ctx)
        return parts


ROLLOUT = RolloutType()


def describe(flag: Flag) -> str:
    """Who gets what, in a line."""
    parts = [
        f"{_distribution(rule.distribution)}{' if ' + _conditions(rule.conditions) if rule.conditions else ''}"
        for rule in flag.rules
    ]
    parts.append(f"else {_distribution(flag.fallthrough) if flag.fallthrough else flag.off_variant}")
    return "; ".join(parts)


def _distribution(distribution: Distribution) -> str:
    variants = "/".join(weight.variant for weight in distribution.weights)
    if distribution.ramp:
        return f"{variants} to a ramp by {distribution.bucket_by}"
    if distribution.rollout == ROLLOUT_ALL and len(distribution.weights) == 1:
        return variants
    return f"{variants} to {distribution.rollout / 1_000:g}% by {distribution.bucket_by}"


def _conditions(conditions: tuple[Condition, ...]) -> str:
    return " and ".join(f"{c.attribute} {c.operator} {', '.join(map(str, c.values))}".rstrip() for c in conditions)
