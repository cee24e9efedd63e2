"""How sure a difference of two shares is. Plain functions of counts; formulas are those of the textbooks they name."""

import math
from dataclasses import dataclass
from statistics import NormalDist

_EXPECTED_AT_LEAST = 5
"""Cochran's rule: with fewer expected in any cell, the normal distribution is too rough."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From low to high."""

    low: float
    high: float


def wilson(count: int, of: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share (1927). Of nobody, anything from 0 to 1."""
    if of == 0:
        return Interval(0.0, 1.0)
    z = _z(confidence)
    share, square = count / of, z * z / of
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / of + square / (4 * of))
    low = 0.0 if count == 0 else max(middle - half, 0.0)
    return Interval(low, 1.0 if count == of else min(middle + half, 1.0))


def newcombe(a: int, of_a: int, b: int, of_b: int, confidence: float = 0.95) -> Interval:
    """The interval of a/of_a - b/of_b: Newcombe's hybrid score method without correction (1998, method 10)."""
    first, second = wilson(a, of_a, confidence), wilson(b, of_b, confidence)
    share_a, share_b = (a / of_a if of_a else 0.5), (b / of_b if of_b else 0.5)
    difference = share_a - share_b
    low = difference - math.hypot(share_a - first.low, second.high - share_b)
    high = difference + math.hypot(first.high - share_a, share_b - second.low)
    return Interval(max(low, -1.0), min(high, 1.0))


def two_proportion_z(a: int, of_a: int, b: int, of_b: int) -> float:
    """Two-sided p of the pooled z-test that two shares are the same; 1 where nothing can be said."""
    if not of_a or not of_b:
        return 1.0
    pooled = (a + b) / (of_a + of_b)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / of_a + 1 / of_b))
    if spread == 0:
        return 1.0
    return math.erfc(abs(a / of_a - b / of_b) / spread / math.sqrt(2))


def fisher_exact(a: int, of_a: int, b: int, of_b: int) -> float:
    """Two-sided p of Fisher's exact test: the tables as likely as this one or less, with its margins."""
    total, hits = of_a + of_b, a + b
    lowest, highest = max(0, hits - of_b), min(hits, of_a)

    def log_likelihood(x: int) -> float:
        return _log_choose(of_a, x) + _log_choose(of_b, hits - x) - _log_choose(total, hits)

    # Tables that are as likely but for rounding count, too.
    limit = log_likelihood(a) + 1e-7
    likelihoods = map(log_likelihood, range(lowest, highest + 1))
    return min(math.fsum(math.exp(each) for each in likelihoods if each <= limit), 1.0)


def significance(a: int, of_a: int, b: int, of_b: int) -> tuple[float, bool]:
    """Two-sided p that two shares are the same, and whether it is exact: Fisher's where a cell expects less than 5."""
    total = of_a + of_b
    hits = a + b
    least = min(of_a, of_b) * min(hits, total - hits) / total if total else 0.0
    if least < _EXPECTED_AT_LEAST:
        return fisher_exact(a, of_a, b, of_b), True
    return two_proportion_z(a, of_a, b, of_b), False


def odds_ratio(a: int, b: int, c: int, d: int, confidence: float = 0.95) -> tuple[float, Interval]:
    """Of (a : b) to (c : d), with Woolf's interval (1955); a half is added to each if one is 0 (Haldane's)."""
    cells = [float(a), float(b), float(c), float(d)]
    if 0 in cells:
        cells = [cell + 0.5 for cell in cells]
    log = math.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    half = _z(confidence) * math.sqrt(math.fsum(1 / cell for cell in cells))
    return math.exp(log), Interval(math.exp(log - half), math.exp(log + half))


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
