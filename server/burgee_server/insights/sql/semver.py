"""Semantic versions in SQL: texts whose order, byte by byte, is that of the versions (semver.org, point 11)."""

from burgee.evaluation.semver import LONGEST, Version

_NUMBER = "(?:0|[1-9][0-9]*)"
_IDENTIFIER = f"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD = "(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?"
_VERSION = f"^({_NUMBER})[.]({_NUMBER})[.]({_NUMBER})(?:-({_IDENTIFIER}(?:[.]{_IDENTIFIER})*))?{_BUILD}$"

# A number is its length and its digits. Identifiers begin with 1 (numeric) or 2, a release has a 3 in their place.
_RELEASE = "3"


def sort_key_sql(text: str) -> str:
    """SQL for the sort key of a version; NULL for a text that is none."""
    number = "concat(leftPad(toString(length({0})), 3, '0'), {0})"
    identifier = f"if(match(i, '^[0-9]+$'), concat('1', {number.format('i')}), concat('2', i, ' '))"
    identifiers = f"arrayStringConcat(arrayMap(i -> {identifier}, splitByChar('.', g[4])))"
    core = ", ".join(number.format(f"g[{part}]") for part in (1, 2, 3))
    key = f"concat({core}, if(g[4] = '', '{_RELEASE}', {identifiers}))"
    is_version = f"ifNull(length({text}) <= {LONGEST} AND match({text}, '{_VERSION}'), 0)"
    return f"if({is_version}, arrayMap(g -> {key}, [extractGroups(assumeNotNull({text}), '{_VERSION}')])[1], NULL)"


def sort_key(version: Version) -> str:
    """The same key of a parsed version, or of a bound that lies before all pre-releases of its numbers."""
    *core, is_release, identifiers = version
    key = "".join(_number(part) for part in core if isinstance(part, int))
    if is_release:
        return key + _RELEASE
    return key + "".join("2" + text + " " if text else "1" + _number(number) for _, number, text in identifiers)


def _number(number: int) -> str:
    digits = str(number)
    return f"{len(digits):03d}{digits}"
