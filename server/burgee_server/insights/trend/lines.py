"""What is made of the numbers of a line once they are counted: running totals and moving averages."""

import math
from collections.abc import Sequence
from itertools import accumulate

_PRECISION = 1074
"""The smallest double above 0 is 2 ** -1074 (IEEE 754)."""


def running_total(values: Sequence[float]) -> tuple[float, ...]:
    """Of each column and all before it."""
    return tuple(accumulate(values))


def moving_average(values: Sequence[float], columns: int) -> tuple[float, ...]:
    """Of each column and those before it, `columns` in all or as many as there are; columns without a number left out.

    NaN where none has one. What a formula made too large for a number is none. In one pass, however many columns: the
    sums are whole numbers of the smallest part that a number can have, and so exact.
    """
    parts = [_parts(value) if math.isfinite(value) else None for value in values]
    means, total, there = list[float](), 0, 0
    for end, entering in enumerate(parts):
        leaving = parts[end - columns] if end >= columns else None
        total += (entering or 0) - (leaving or 0)
        there += (entering is not None) - (leaving is not None)
        means.append(total / (there << _PRECISION) if there else math.nan)
    return tuple(means)


def _parts(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()  # the denominator is a power of two
    return numerator << (_PRECISION + 1 - denominator.bit_length())
