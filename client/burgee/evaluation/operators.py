"""What each operator means, for a value that is there.

A missing attribute (or null) never gets here: negative operators are then true, all others false. A value of a type
that the operator does not compare makes any condition false. Nothing raises. Text is compared code point by code
point: case counts, nothing is normalized.

equals, not_equals, in, not_in   any JSON value, see kinds.equal: no conversion, "5" is not 5, true is not 1, 1 is 1.0
contains, not_contains           text that holds any of the values; a list that has any of them as a member
starts_with, ends_with           text that begins or ends with any of the values
matches                          text of at most 2,048 characters in which the RE2 pattern is found anywhere
gt, gte, lt, lte                 numbers; text that looks like one is not one
before, after                    text that times.parse reads, strictly earlier or later; a number is not a time
semver_*                         text that semver.parse reads; ranges as in semver.py, pre-releases by precedence
is_set, is_not_set               anything

in_cohort and not_in_cohort do not look at the value alone: their meaning is in cohorts.py.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

from burgee.evaluation import semver, times
from burgee.evaluation.kinds import equal, is_list, is_number, kind
from burgee.evaluation.model import Json, Operator
from burgee.evaluation.pattern import Pattern

Test: TypeAlias = Callable[[Any, float], bool]
"""Whether a value that is there passes, at this Unix time."""

NEGATIVE = frozenset(
    {Operator.NOT_EQUALS, Operator.NOT_IN, Operator.NOT_CONTAINS, Operator.IS_NOT_SET, Operator.NOT_IN_COHORT}
)
"""The operators that a missing attribute passes."""

EQUALITIES = frozenset({Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN})
CONTAINMENTS = frozenset({Operator.CONTAINS, Operator.NOT_CONTAINS})
LONGEST_SEARCHED = 2_048
"""Patterns look at no longer text, in characters: linear in the text is not quick in a text of a megabyte."""

TEXTS = frozenset({Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.MATCHES})
NUMBERS = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
TIMES = frozenset({Operator.BEFORE, Operator.AFTER})
VERSIONS = frozenset(operator for operator in Operator if operator.startswith("semver_"))
PRESENCES = frozenset({Operator.IS_SET, Operator.IS_NOT_SET})
COHORTS = frozenset({Operator.IN_COHORT, Operator.NOT_IN_COHORT})


def test_of(operator: Operator, values: tuple[Json, ...]) -> Test:
    """The test that a condition makes, of any operator but COHORTS.

    The values are those that conditions.condition_violations lets through.
    """
    return _TESTS[operator](values)


def wrong_type(operator: Operator, value: Json) -> str:
    """Why a value cannot be compared by this operator, in words; empty if it can."""
    if operator is Operator.MATCHES and isinstance(value, str) and len(value) > LONGEST_SEARCHED:
        return f"expected text of at most {LONGEST_SEARCHED:,} characters, got {len(value):,}"
    if operator in NUMBERS and not is_number(value):
        return f"expected a number, got {kind(value)}"
    if operator in CONTAINMENTS and not isinstance(value, str) and not is_list(value):
        return f"expected text or a list, got {kind(value)}"
    if operator not in TEXTS | TIMES | VERSIONS:
        return ""
    expected = "a time" if operator in TIMES else "a semantic version" if operator in VERSIONS else "text"
    if not isinstance(value, str):
        return f"expected {expected}, got {kind(value)}"
    if operator in TIMES and times.parse(value) is None:
        return "expected a time, got text that is neither an RFC 3339 timestamp nor a date"
    if operator in VERSIONS and semver.parse(value) is None:
        return "expected a semantic version, got text that is none"
    return ""


def _equals(values: tuple[Json, ...]) -> Test:
    expected = values[0]
    if isinstance(expected, str):
        return lambda value, _now: value == expected
    return lambda value, _now: equal(value, expected)


def _in(values: tuple[Json, ...]) -> Test:
    texts = frozenset(value for value in values if isinstance(value, str))
    others = [value for value in values if not isinstance(value, str)]

    def test(value: Any, _now: float) -> bool:
        return value in texts if isinstance(value, str) else any(equal(value, other) for other in others)

    return test


def _contains(values: tuple[Json, ...], wanted: bool) -> Test:
    texts = [value for value in values if isinstance(value, str)]

    def test(value: Any, _now: float) -> bool:
        if isinstance(value, str):
            return any(text in value for text in texts) is wanted
        return is_list(value) and any(equal(member, other) for member in value for other in values) is wanted

    return test


def _starts_with(values: tuple[Json, ...]) -> Test:
    beginnings = tuple(str(value) for value in values)
    return lambda value, _now: isinstance(value, str) and value.startswith(beginnings)


def _ends_with(values: tuple[Json, ...]) -> Test:
    endings = tuple(str(value) for value in values)
    return lambda value, _now: isinstance(value, str) and value.endswith(endings)


def _matches(values: tuple[Json, ...]) -> Test:
    pattern = Pattern.compile(str(values[0]))
    return lambda value, _now: isinstance(value, str) and len(value) <= LONGEST_SEARCHED and pattern.found_in(value)


_PLAIN_NUMBERS = frozenset({int, float})
"""What nearly every number is: to ask for the class is four times as quick as is_number."""


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[tuple[Json, ...]], Test]:
    def factory(values: tuple[Json, ...]) -> Test:
        bound = values[0]
        return lambda value, _now: (value.__class__ in _PLAIN_NUMBERS or is_number(value)) and compare(value, bound)

    return factory


def _time(compare: Callable[[Any, Any], bool]) -> Callable[[tuple[Json, ...]], Test]:
    def factory(values: tuple[Json, ...]) -> Test:
        moment = times.moment(str(values[0]))
        if moment is None:
            raise ValueError(f"not a time: {values[0]!r}")

        def test(value: Any, now: float) -> bool:
            time = times.parse(value) if isinstance(value, str) else None
            return time is not None and compare(time, moment(now))

        return test

    return factory


def _version(holds: Callable[[semver.Version, semver.Version], bool]) -> Callable[[tuple[Json, ...]], Test]:
    def factory(values: tuple[Json, ...]) -> Test:
        bound = semver.parse(str(values[0]))
        if bound is None:
            raise ValueError(f"not a semantic version: {values[0]!r}")

        def test(value: Any, _now: float) -> bool:
            version = semver.parse(value) if isinstance(value, str) else None
            return version is not None and holds(version, bound)

        return test

    return factory


def _negated(factory: Callable[[tuple[Json, ...]], Test]) -> Callable[[tuple[Json, ...]], Test]:
    def negative(values: tuple[Json, ...]) -> Test:
        test = factory(values)
        return lambda value, now: not test(value, now)

    return negative


_TESTS: dict[Operator, Callable[[tuple[Json, ...]], Test]] = {
    Operator.EQUALS: _equals,
    Operator.NOT_EQUALS: _negated(_equals),
    Operator.IN: _in,
    Operator.NOT_IN: _negated(_in),
    Operator.CONTAINS: lambda values: _contains(values, True),
    Operator.NOT_CONTAINS: lambda values: _contains(values, False),
    Operator.STARTS_WITH: _starts_with,
    Operator.ENDS_WITH: _ends_with,
    Operator.MATCHES: _matches,
    Operator.GT: _number(gt),
    Operator.GTE: _number(ge),
    Operator.LT: _number(lt),
    Operator.LTE: _number(le),
    Operator.BEFORE: _time(lt),
    Operator.AFTER: _time(gt),
    Operator.SEMVER_EQ: _version(lambda version, bound: version == bound),
    Operator.SEMVER_GT: _version(gt),
    Operator.SEMVER_GTE: _version(ge),
    Operator.SEMVER_LT: _version(lt),
    Operator.SEMVER_LTE: _version(le),
    Operator.SEMVER_TILDE: _version(lambda version, bound: bound <= version < semver.tilde(bound)),
    Operator.SEMVER_CARET: _version(lambda version, bound: bound <= version < semver.caret(bound)),
    Operator.IS_SET: lambda _values: lambda _value, _now: True,
    Operator.IS_NOT_SET: lambda _values: lambda _value, _now: False,
}
