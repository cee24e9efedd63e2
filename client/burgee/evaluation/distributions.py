"""Distributions, compiled: who is included in a rollout, and which variant they get."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from burgee.evaluation import attributes, bucketing
from burgee.evaluation.attributes import KEY, Attribute, ReadKey
from burgee.evaluation.bucketing import pick, upper_bounds
from burgee.evaluation.model import ROLLOUT_ALL, USER, Context, Distribution, Profiles, RampStep, Resolution

Give: TypeAlias = Callable[[Context, Profiles, float], Resolution | None]
"""What a distribution gives a context at a Unix time. None: the context has no key, or is not included."""

Answer: TypeAlias = Callable[[str, bool], Resolution]
"""The resolution for a variant, and whether a draw decided."""


@dataclass(frozen=True, slots=True)
class CompiledDistribution:
    """A distribution, ready to draw; `give` is the whole in one function, for speed.

    A draw is real if the rollout is below 100 % or more than one variant has weight: only then is anything left to
    chance. A distribution by `user`, which is what nobody has to choose, needs no distinct_id unless its draw is
    real. One by a group or a property is for those who have it, whatever the rollout.
    """

    distribution: Distribution
    attribute: Attribute
    salt: str
    key_needed: bool
    read_key: ReadKey
    rollout_at: Callable[[float], int]
    bounds: tuple[float, ...]
    answers: tuple[Resolution, ...]
    """By variant, where a draw decided."""
    certain: Resolution | None
    """Where nothing was left to chance; None with several variants."""
    give: Give


def compile_distribution(distribution: Distribution, flag_salt: str, answer: Answer) -> CompiledDistribution:
    """Compile a distribution that has no violations; raises ValueError for another."""
    attribute = attributes.bucketing_attribute(distribution.bucket_by)
    total = sum(weight.weight for weight in distribution.weights)
    if attribute is None or not total:
        raise ValueError("a distribution needs something to bucket by, and weights")
    salt = distribution.salt or flag_salt
    bounds = upper_bounds([weight.weight for weight in distribution.weights])
    weighty = [weight.variant for weight in distribution.weights if weight.weight]
    certain = answer(weighty[0], False) if len(weighty) == 1 else None
    answers = tuple(answer(weight.variant, True) for weight in distribution.weights)
    read_key = attributes.key_reader(attribute)
    unrolled = not distribution.ramp and distribution.rollout >= ROLLOUT_ALL
    key_needed = distribution.bucket_by != USER or certain is None or not unrolled
    rollout_at = _ramp(distribution.ramp) if distribution.ramp else lambda _now: distribution.rollout

    bucket, variant_bucket = bucketing.bucket, bucketing.variant_bucket
    if attribute.name == KEY:  # keys are short; a property may be a megabyte of text
        bucket, variant_bucket = bucketing.remembered_bucket, bucketing.remembered_variant_bucket
    sole = None if certain is None else answers[bounds.index(1.0)]

    def drawn(key: str) -> Resolution:
        return answers[pick(bounds, variant_bucket(salt, key))]

    def give_everybody(_context: Context, _profiles: Profiles, _now: float) -> Resolution | None:
        return certain

    def give_holders(context: Context, profiles: Profiles, _now: float) -> Resolution | None:
        return certain if read_key(context, profiles) else None

    threshold = distribution.rollout / ROLLOUT_ALL

    def give_included(context: Context, profiles: Profiles, _now: float) -> Resolution | None:
        key = read_key(context, profiles)
        return (sole or drawn(key)) if key and bucket(salt, key) <= threshold else None

    def give_by_time(context: Context, profiles: Profiles, now: float) -> Resolution | None:
        key = read_key(context, profiles)
        if not key:
            return None
        rollout = rollout_at(now)
        if rollout >= ROLLOUT_ALL and certain is not None:
            return certain
        return (sole or drawn(key)) if bucket(salt, key) <= rollout / ROLLOUT_ALL else None

    if distribution.ramp:
        give: Give = give_by_time
    elif not key_needed:
        give = give_everybody
    elif unrolled and certain is not None:
        give = give_holders
    else:
        give = give_included
    return CompiledDistribution(
        distribution, attribute, salt, key_needed, read_key, rollout_at, bounds, answers, certain, give
    )


def _ramp(steps: tuple[RampStep, ...]) -> Callable[[float], int]:
    """The rollout at a Unix time: that of the last step begun; nobody before the first."""
    begins = [step.at.timestamp() for step in steps]
    rollouts = [0, *(step.rollout for step in steps)]
    return lambda now: rollouts[bisect_right(begins, now)]
