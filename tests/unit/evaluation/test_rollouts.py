"""Rollouts and splits: only ever added to, in the promised shares, and independent of one another."""

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
from burgee.evaluation.bucketing import REMEMBERED, remembered_bucket, remembered_variant_bucket

COMPANIES = [f"company-{number}" for number in range(4000)]
SPLIT = (VariantWeight("one", 1), VariantWeight("two", 2), VariantWeight("three", 1))


def flag_set(rollout: int, weights: tuple[VariantWeight, ...] = SPLIT, key: str = "checkout") -> FlagSet:
    """One flag: a rollout by company with a split."""
    variants = tuple(Variant(name, name) for name in ("off", "one", "two", "three"))
    distribution = Distribution(weights, bucket_by="company", rollout=rollout)
    return FlagSet([Flag(key, FlagType.STRING, variants, "off", enabled=True, rules=(Rule("r", distribution),))])


def given(flags: FlagSet, key: str = "checkout") -> dict[str, str]:
    """What each company gets."""
    return {name: flags.evaluate(key, Context(groups={"company": name}), {}, 0.0).variant for name in COMPANIES}


def test_raising_a_rollout_only_adds_and_moves_nobody() -> None:
    """At every step a company that had a variant keeps that variant, and some get one that had none."""
    before = given(flag_set(0))
    assert set(before.values()) == {"off"}
    for rollout in (1_000, 10_000, 33_333, 50_000, 90_000, 100_000):
        after = given(flag_set(rollout))
        assert all(after[name] == variant for name, variant in before.items() if variant != "off")
        assert sum(v != "off" for v in after.values()) > sum(v != "off" for v in before.values())
        before = after
    assert "off" not in before.values()


@pytest.mark.parametrize("rollout", [1_000, 10_000, 30_000, 75_000])
def test_a_rollout_includes_its_share(rollout: int) -> None:
    """The share of companies included is the rollout, give or take four standard deviations."""
    share, count = rollout / 100_000, len(COMPANIES)
    included = sum(variant != "off" for variant in given(flag_set(rollout)).values())
    assert abs(included - share * count) <= 4 * (share * (1 - share) * count) ** 0.5


def test_weights_are_shares_of_those_included() -> None:
    """Among those included, each variant has its weight's share, give or take four standard deviations."""
    for rollout in (40_000, 100_000):
        variants = [variant for variant in given(flag_set(rollout)).values() if variant != "off"]
        for name, share in (("one", 0.25), ("two", 0.5), ("three", 0.25)):
            allowed = 4 * (share * (1 - share) * len(variants)) ** 0.5
            assert abs(variants.count(name) - share * len(variants)) <= allowed


def test_a_weight_of_nothing_gives_nobody() -> None:
    """A variant whose weight is 0 is never given, wherever it stands."""
    weights = (VariantWeight("one", 0), VariantWeight("two", 3), VariantWeight("off", 1), VariantWeight("three", 0))
    assert set(given(flag_set(100_000, weights)).values()) == {"two", "off"}


@pytest.mark.parametrize("place", [bucket, variant_bucket])
def test_places_are_uniform_for_any_flag(place: object) -> None:
    """Chi-squared over 20 bins, for 50 flags: none beyond the 1-in-100,000 value of 19 degrees of freedom."""
    assert callable(place)
    for number in range(50):
        bins = [0] * 20
        for name in COMPANIES[:1000]:
            bins[min(int(place(f"flag-{number}", name) * 20), 19)] += 1
        assert sum((seen - 50) ** 2 / 50 for seen in bins) < 58.0


def test_flags_do_not_favour_the_same_companies() -> None:
    """Being inside the 30 % of one flag says nothing of another: 9 % are inside both, give or take."""
    first = {name for name in COMPANIES if bucket("flag-a", name) <= 0.3}
    second = {name for name in COMPANIES if bucket("flag-b", name) <= 0.3}
    assert abs(len(first & second) - 0.09 * len(COMPANIES)) <= 4 * (0.09 * 0.91 * len(COMPANIES)) ** 0.5


def test_the_two_hashes_of_a_key_are_independent() -> None:
    """Those in the first tenth of a rollout are spread over the split as everybody is."""
    early = [variant_bucket("f", name) for name in COMPANIES if bucket("f", name) <= 0.1]
    assert abs(sum(place < 0.5 for place in early) - len(early) / 2) <= 2 * len(early) ** 0.5


def test_the_hashes_are_those_of_the_formula() -> None:
    """To the bit: the first 15 hexadecimal digits of sha1("beta.acme") and sha1("beta.acmevariant") over 2**60."""
    assert bucket("beta", "acme") == 0xAF2DD2884B8170C / 2.0**60
    assert variant_bucket("beta", "acme") == 0xCE4316636FFC4C9 / 2.0**60


def test_a_rollout_includes_whom_posthog_includes() -> None:
    """The first of PostHog's public vectors: "simple-flag" at 45 %, distinct_id_0 and so on, 1 where included."""
    included = [bucket("simple-flag", f"distinct_id_{number}") <= 0.45 for number in range(40)]
    assert "".join(str(int(each)) for each in included) == "0110100101011010001101001011000111100000"


def test_a_split_gives_what_posthog_gives() -> None:
    """The first of PostHog's public vectors for variants: 55 % of "multivariate-flag", weights 50, 20, 20, 5 and 5."""
    names = ("first", "second", "third", "fourth", "fifth")
    weights = tuple(VariantWeight(name, weight) for name, weight in zip(names, (50, 20, 20, 5, 5), strict=True))
    rule = Rule("r", Distribution(weights, rollout=55_000))
    variants = tuple(Variant(name, name) for name in (*names, "off"))
    flags = FlagSet([Flag("multivariate-flag", FlagType.STRING, variants, "off", enabled=True, rules=(rule,))])
    given = [flags.evaluate("multivariate-flag", Context(f"distinct_id_{n}"), {}, 0.0).variant for n in range(12)]
    assert given == [
        "second",
        "second",
        "first",
        "off",
        "off",
        "second",
        "first",
        "off",
        "off",
        "off",
        "first",
        "third",
    ]


def test_more_companies_than_are_remembered_get_the_same_again() -> None:
    """Forgetting places changes no answer, and what is remembered is bounded for all flags together."""
    evaluate = flag_set(50_000).evaluate
    names = [f"many-{number}" for number in range(REMEMBERED + 500)]
    first = [evaluate("checkout", Context(groups={"company": name}), {}, 0.0).variant for name in names]
    assert [evaluate("checkout", Context(groups={"company": name}), {}, 0.0).variant for name in names] == first
    assert remembered_bucket.cache_info().currsize == REMEMBERED


def test_text_of_any_length_is_not_remembered() -> None:
    """A property that a flag draws by may be a megabyte, and another each time."""
    rule = Rule("r", Distribution(SPLIT, bucket_by="user.essay", rollout=50_000))
    variants = tuple(Variant(name, name) for name in ("off", "one", "two", "three"))
    flags = FlagSet([Flag("essays", FlagType.STRING, variants, "off", enabled=True, rules=(rule,))])
    for cache in (remembered_bucket, remembered_variant_bucket):
        cache.cache_clear()
        for number in range(20):
            flags.evaluate("essays", Context("ann", properties={"essay": f"{number} and so on" * 100}), {}, 0.0)
        assert cache.cache_info().currsize == 0
