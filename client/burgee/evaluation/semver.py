"""Semantic versions: semver.org 2.0.0, and the tilde and caret ranges of npm."""

import re
from functools import lru_cache
from typing import TypeAlias

Version: TypeAlias = tuple[int, int, int, bool, tuple[tuple[int, int, str], ...]]
"""Ordered as semver.org rules (point 11): major, minor, patch, whether it is a release, pre-release identifiers."""

LONGEST = 256
"""Longer text is not a version: the specification advises this bound."""

_NUMBER = "(?:0|[1-9][0-9]*)"
_IDENTIFIER = f"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def parse(text: str) -> Version | None:
    """The version that `text` spells, or None. A leading "v" and missing parts ("1.2") are not semantic versions."""
    return _parse(text) if len(text) <= LONGEST else None  # what is longer is not even remembered


@lru_cache(maxsize=4096)
def _parse(text: str) -> Version | None:
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    major, minor, patch, pre_release = found.groups()
    identifiers = tuple(
        (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)
        for identifier in (pre_release.split(".") if pre_release else ())
    )
    return int(major), int(minor), int(patch), not identifiers, identifiers


def tilde(version: Version) -> Version:
    """The first version above ~version: ~1.2.3 ends before 1.3.0."""
    major, minor, *_ = version
    return _before_pre_releases(major, minor + 1, 0)


def caret(version: Version) -> Version:
    """The first version above ^version: the leftmost number that is not zero may not change.

    ^1.2.3 ends before 2.0.0, ^0.2.3 before 0.3.0, ^0.0.3 before 0.0.4.
    """
    major, minor, patch, *_ = version
    if major:
        return _before_pre_releases(major + 1, 0, 0)
    if minor:
        return _before_pre_releases(0, minor + 1, 0)
    return _before_pre_releases(0, 0, patch + 1)


def _before_pre_releases(major: int, minor: int, patch: int) -> Version:
    # By precedence 2.0.0-alpha is below 2.0.0, but nobody who writes ^1.2.3 means the alpha of 2.0.0.
    return major, minor, patch, False, ()
