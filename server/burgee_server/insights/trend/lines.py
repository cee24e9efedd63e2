"""What is made of the numbers of a line once they are counted: running totals and moving averages."""

import math
from collections.abc import Sequence
from itertools import accumulate


def running_total(values: Sequence[float]) -> tuple[float, ...]:
    """Of each column and all before it."""
    return tuple(accumulate(values))


def moving_average(values: Sequence[float], columns: int) -> tuple[float, ...]:
    """Of each column and those before it, `columns` in all or as many as there are; columns without a number left out.

    NaN where none has one.
    """
    return tuple(_mean(values[max(0, end - columns) : end]) for end in range(1, len(values) + 1))


def _mean(values: Sequence[float]) -> float:
    there = [value for value in values if not math.isnan(value)]
    return math.fsum(there) / len(there) if there else math.nan
