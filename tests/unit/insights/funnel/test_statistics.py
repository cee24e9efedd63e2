"""Intervals and tests against the figures that their authors, and textbooks, print."""

import math

import pytest

from burgee_server.insights.funnel.statistics import (
    fisher_exact,
    newcombe,
    odds_ratio,
    significance,
    two_proportion_z,
    wilson,
)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), two-sided intervals for the single proportion, table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval(count: int, of: int, low: float, high: float) -> None:
    """To the four digits printed."""
    interval = wilson(count, of)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("a", "of_a", "b", "of_b", "low", "high"),
    [
        (
            56,
            70,
            48,
            80,
            0.0524,
            0.3339,
        ),  # Newcombe (1998), interval estimation for the difference, table II, method 10
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1.0),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_newcombes_interval(a: int, of_a: int, b: int, of_b: int, low: float, high: float) -> None:
    """To the four digits printed, at the edges too."""
    interval = newcombe(a, of_a, b, of_b)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_of_nobody_a_difference_may_be_anything() -> None:
    """No division by zero, and no certainty."""
    interval = newcombe(0, 0, 5, 10)
    assert interval.low < -0.5 < 0.5 < interval.high
    assert significance(0, 0, 5, 10)[0] == 1
    assert significance(0, 0, 0, 0)[0] == 1


def test_fishers_exact_test() -> None:
    """Fisher's tea (3 of 4 cups): 34/70. And Fisher's own twins, 2 of 15 and 10 of 12: 0.0005367."""
    assert fisher_exact(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert fisher_exact(2, 17, 10, 13) == pytest.approx(0.0005367, abs=1e-6)
    assert fisher_exact(0, 5, 0, 5) == pytest.approx(1)


def test_the_pooled_z_test_is_the_square_root_of_chi_square() -> None:
    """p of z is p of Pearson's chi-square with one degree of freedom: 2 x 2 of 56, 14, 48, 32."""
    chi_square = 150 * (56 * 32 - 14 * 48) ** 2 / (70 * 80 * 104 * 46)
    assert two_proportion_z(56, 70, 48, 80) == pytest.approx(math.erfc(math.sqrt(chi_square / 2)))
    assert two_proportion_z(5, 5, 5, 5) == 1


def test_small_numbers_are_tested_exactly() -> None:
    """Where a cell expects less than five; else the z-test, which agrees with it to roughly where they are large."""
    assert significance(3, 4, 1, 4) == (pytest.approx(34 / 70), True)
    p, is_exact = significance(560, 700, 480, 800)
    assert not is_exact
    assert p == pytest.approx(two_proportion_z(560, 700, 480, 800))
    assert fisher_exact(560, 7000, 480, 8000) == pytest.approx(two_proportion_z(560, 7000, 480, 8000), rel=0.25)


def test_the_odds_ratio() -> None:
    """Doll and Hill (1950), smoking and lung cancer, men: 647, 622, 2, 27. A zero gets a half everywhere."""
    ratio, interval = odds_ratio(647, 622, 2, 27)
    assert (round(ratio, 2), round(interval.low, 2), round(interval.high, 2)) == (14.04, 3.33, 59.30)
    assert odds_ratio(5, 0, 1, 4)[0] == pytest.approx(5.5 * 4.5 / (0.5 * 1.5))
    assert odds_ratio(0, 0, 0, 0)[0] == 1
