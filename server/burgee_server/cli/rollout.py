"""Rollouts as they are typed: `33.333%`."""

from typing import Any

import click

from burgee.evaluation import ROLLOUT_ALL


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
