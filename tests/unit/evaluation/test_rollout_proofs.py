"""What is promised of rollouts, over many keys: raising one only adds, shares are exact, and no flag favours anybody.

Nothing here is random: the same keys and flags fall into the same places in every run, so a bound that holds once holds
always. Bounds are those of a fair draw: four standard deviations, or one in a million for chi-squared.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from statistics import NormalDist

import pytest

from burgee.evaluation import (
    Context,
    Distribution,
    Flag,
    FlagSet,
    FlagType,
    Rule,
    Variant,
    VariantWeight,
    bucket,
    variant_bucket,
)

KEYS = [pytest.param(30_000, id="30,000 keys"), pytest.param(1_000_000, id="a million keys", marks=pytest.mark.soak)]
SPLIT = (VariantWeight("one", 5), VariantWeight("two", 3), VariantWeight("three", 2))
FLAGS = ["flag-1", "flag-2", "beta", "a"]
BINS = 100


def keys(count: int) -> Iterator[str]:
    """Keys as products have them: numbers, numbers with a name before them, and something like a UUID."""
    for number in range(count):
        yield (str(number), f"company-{number}", f"{number * 2654435761 % 2**32:08x}-4b1d-4c3a-9f00-{number:012x}")[
            number % 3
        ]


def rolled_out(rollout: int) -> Callable[[str], str]:
    """What a company gets of a flag that gives three variants to a share of companies."""
    variants = tuple(Variant(name, name) for name in ("off", "one", "two", "three"))
    rule = Rule("r", Distribution(SPLIT, bucket_by="company", rollout=rollout))
    evaluate = FlagSet([Flag("checkout", FlagType.STRING, variants, "off", enabled=True, rules=(rule,))]).evaluate
    return lambda key: evaluate("checkout", Context(groups={"company": key}), {}, 0.0).variant


def chi_squared(observed: list[int], expected: float) -> float:
    """How far counts are from what they would be if nothing were favoured."""
    return sum((count - expected) ** 2 / expected for count in observed)


def limit(freedom: int) -> float:
    """Beyond it is one fair draw in a million (Wilson and Hilferty's approximation)."""
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + NormalDist().inv_cdf(1 - 1e-6) * part**0.5) ** 3)


@pytest.mark.parametrize("count", KEYS)
def test_raising_a_rollout_only_adds_and_moves_nobody_between_variants(count: int) -> None:
    """From 10 % to 20 %, 50 % and 100 %: who had a variant keeps that one, and the shares are the rollouts'."""
    allowed = 4 * (0.25 / count) ** 0.5 if count < 1_000_000 else 0.001
    steps = [rolled_out(rollout) for rollout in (10_000, 20_000, 50_000, 100_000)]
    included: Counter[int] = Counter()
    given: Counter[str] = Counter()
    for key in keys(count):
        variants = [step(key) for step in steps]
        included.update(index for index, variant in enumerate(variants) if variant != "off")
        given[variants[-1]] += 1
        assert all(before in ("off", after) for before, after in pairwise(variants)), key
    for index, share in enumerate((0.1, 0.2, 0.5, 1.0)):
        assert abs(included[index] / count - share) <= allowed
    for name, share in (("one", 0.5), ("two", 0.3), ("three", 0.2)):
        assert abs(given[name] / count - share) <= allowed


@pytest.mark.parametrize("count", KEYS)
def test_no_flag_favours_anybody(count: int) -> None:
    """Chi-squared over a hundred places, for rollouts and for splits of each flag, and for all flags together."""
    for place in (bucket, variant_bucket):
        together = [0] * BINS
        for flag in FLAGS:
            bins = [0] * BINS
            for key in keys(count):
                bins[min(int(place(flag, key) * BINS), BINS - 1)] += 1
            assert chi_squared(bins, count / BINS) < limit(BINS - 1), (place, flag)
            together = [sum(pair) for pair in zip(together, bins, strict=True)]
        assert chi_squared(together, count * len(FLAGS) / BINS) < limit(BINS - 1), place


@pytest.mark.parametrize("count", KEYS)
def test_being_in_one_flag_says_nothing_of_another(count: int) -> None:
    """Chi-squared of the deciles of any two flags, and of a flag's rollout beside its split: all 100 pairs alike."""
    draws = {flag: [int(bucket(flag, key) * 10) for key in keys(count)] for flag in FLAGS}
    draws["the split of beta"] = [int(variant_bucket("beta", key) * 10) for key in keys(count)]
    for (name, one), (other_name, other) in combinations(draws.items(), 2):
        pairs = Counter(zip(one, other, strict=True))
        assert chi_squared([pairs[i, j] for i in range(10) for j in range(10)], count / 100) < limit(99), (
            name,
            other_name,
        )
