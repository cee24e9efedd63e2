"""Numbers as rows of blocks, for a terminal."""

import math
from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
WIDTH = 40


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """One block a value, or a block for the mean of several where there are more than `width`; gaps for NaN."""
    points = [_mean(values[begin:end]) for begin, end in _slices(len(values), width)]
    top = max((point for point in points if point > 0), default=1.0)
    return "".join(" " if math.isnan(p) else _LEVELS[max(0, min(7, round(p / top * 7)))] for p in points)


def bar(value: float, top: float, width: int = WIDTH) -> str:
    """A bar as long as the value's share of `top`."""
    if not (top > 0 and value > 0):
        return ""
    eighths = round(value / top * width * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _slices(count: int, width: int) -> Sequence[tuple[int, int]]:
    parts = min(count, width)
    return [(part * count // parts, (part + 1) * count // parts) for part in range(parts)]


def _mean(values: Sequence[float]) -> float:
    numbers = [value for value in values if not math.isnan(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan
