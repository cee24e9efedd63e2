"""Where a key falls: the two hashes behind every rollout and every split."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha1
from itertools import accumulate

# These two hashes may never change: every company's place in every rollout hangs on them, and with another hash
# each rollout would swap the companies it includes. They are PostHog's to the bit, so that a flag brought over
# keeps its assignments and PostHog's own SDKs agree with this one. The float scale is part of that: it is 2**60
# exactly, and both the numerator and the quotient are rounded to doubles.
_SCALE = float(0xFFFFFFFFFFFFFFF)


def bucket(salt: str, key: str) -> float:
    """Where `key` falls in the rollout, 0 to 1. Included: bucket <= rollout / 100,000.

    At a rollout of 0 only a hash of exactly 0 is included, one key in 2**60, as in PostHog.
    """
    return _hash01(f"{salt}.{key}")


def variant_bucket(salt: str, key: str) -> float:
    """Where `key` falls in the split by weights, 0 to 1.

    It does not depend on `bucket`, so raising a rollout moves nobody from one variant to another.
    """
    return _hash01(f"{salt}.{key}variant")


REMEMBERED = 65_536
"""Places of each kind that are kept, some 13 MB: of all flags together, of which there may be ten thousand."""

remembered_bucket = lru_cache(REMEMBERED)(bucket)
"""The same as bucket, ten times as quick for a key that comes again. Not for texts that may be of any length."""

remembered_variant_bucket = lru_cache(REMEMBERED)(variant_bucket)


def upper_bounds(weights: Sequence[int]) -> tuple[float, ...]:
    """Where the interval of each weight ends. Intervals are [min, max) and fill 0 to 1; the sum must be above 0."""
    total = sum(weights)
    return tuple(part / total for part in accumulate(weights))


def pick(bounds: Sequence[float], place: float) -> int:
    """The index of the interval that `place` falls in.

    A hash that rounds to exactly 1 is in the last interval that is not empty.
    """
    if place >= 1.0:
        return bounds.index(bounds[-1])
    return bisect_right(bounds, place)


def _hash01(text: str) -> float:
    # surrogatepass: a lone surrogate is nobody's key, but a flag check must not raise over it.
    digest = sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return int(digest[:15], 16) / _SCALE
