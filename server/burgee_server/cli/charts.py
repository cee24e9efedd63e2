"""Numbers as blocks, in a cell of a table that may have less room than they would like."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.text import Text

_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
LEAST, MOST = 8, 40
"""Characters."""


@dataclass(frozen=True, slots=True)
class Bar:
    """As long as the value's share of `top`, which is as long as there is room."""

    value: float
    top: float

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(LEAST, MOST)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        share = self.value / self.top if self.top > 0 and self.value > 0 else 0.0
        eighths = round(share * options.max_width * 8)
        yield Text("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip())


@dataclass(frozen=True, slots=True)
class Sparkline:
    """One block a value, or a block for the mean of several where there is room for fewer; gaps for NaN."""

    values: Sequence[float]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(LEAST, len(self.values)), min(MOST, len(self.values)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        points = [_mean(self.values[begin:end]) for begin, end in _slices(len(self.values), options.max_width)]
        top = max((point for point in points if point > 0), default=1.0)
        yield Text("".join(" " if math.isnan(p) else _LEVELS[max(0, min(7, round(p / top * 7)))] for p in points))


def _slices(count: int, width: int) -> Sequence[tuple[int, int]]:
    parts = min(count, width)
    return [(part * count // parts, (part + 1) * count // parts) for part in range(parts)]


def _mean(values: Sequence[float]) -> float:
    numbers = [value for value in values if not math.isnan(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan
