"""Sets of characters: ranges, Unicode categories, and case folding as RE2 does it."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias
from unicodedata import category

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Inclusive code points."""

HIGHEST = 0x10FFFF
EVERYTHING: Ranges = ((0, HIGHEST),)
DIGIT: Ranges = ((0x30, 0x39),)
SPACE: Ranges = ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20))
WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
POSIX: dict[str, Ranges] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": DIGIT,
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": WORD,
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}
CATEGORIES = frozenset(
    {"Cc", "Cf", "Cn", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No"}
    | {"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs"}
)
CASED = frozenset({"Lu", "Ll", "Lt"})


@dataclass(frozen=True, slots=True)
class Characters:
    """A set of characters. Build it with `characters`, which sorts the ranges and joins those that touch."""

    ranges: Ranges
    categories: frozenset[str] = frozenset()
    negated: bool = False
    _starts: tuple[int, ...] = field(init=False, compare=False, repr=False, default=())

    def __post_init__(self) -> None:
        """Keep what `__contains__` searches."""
        object.__setattr__(self, "_starts", tuple(low for low, _ in self.ranges))

    def __contains__(self, character: str) -> bool:
        """Whether the character is in the set."""
        code = ord(character)
        at = bisect_right(self._starts, code) - 1
        found = at >= 0 and code <= self.ranges[at][1]
        if not found and self.categories:
            found = category(character) in self.categories
        return found is not self.negated


def characters(
    ranges: Iterable[tuple[int, int]], categories: frozenset[str] = frozenset(), negated: bool = False
) -> Characters:
    """The set of these ranges and categories, or of all the others."""
    return Characters(_joined(ranges), categories, negated)


def complement(ranges: Ranges) -> Ranges:
    """Every code point that is not in the ranges."""
    gaps, start = [], 0
    for low, high in _joined(ranges):
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= HIGHEST:
        gaps.append((start, HIGHEST))
    return tuple(gaps)


def folded(ranges: Ranges) -> Ranges:
    """The ranges and every character that differs from one of theirs by case only."""
    orbits = _ascii_orbits() if all(high < 0x80 for _, high in ranges) else _orbits()
    more = [(other, other) for low, high in ranges for code in orbits if low <= code <= high for other in orbits[code]]
    return (*ranges, *more)


def _joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


@lru_cache(maxsize=1)
def _ascii_orbits() -> dict[int, tuple[int, ...]]:
    # Beyond a-z and A-Z, Unicode folds the Kelvin sign to k and the long s to s.
    orbits = {}
    for lower in range(0x61, 0x7B):
        orbit = (lower - 32, lower, *{0x6B: (0x212A,), 0x73: (0x17F,)}.get(lower, ()))
        orbits[lower] = orbits[lower - 32] = orbit
    return orbits


@lru_cache(maxsize=1)
def _orbits() -> dict[int, tuple[int, ...]]:
    # Takes some 20 ms, and is only needed for patterns that ignore the case of letters beyond ASCII.
    by_fold: dict[str, list[int]] = {}
    for code in range(0x1E944):
        character = chr(code)
        upper = character.upper()
        fold = (upper if len(upper) == 1 else character).lower()
        # The dotless i folds to i in Turkish only.
        if len(fold) == 1 and code != 0x131 and (fold != character or upper != character):
            by_fold.setdefault(fold, []).append(code)
    return {code: tuple(orbit) for orbit in by_fold.values() if len(orbit) > 1 for code in orbit}
