"""Conditions: what makes one well-formed, and how one becomes a function."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from burgee.evaluation import attributes, operators, semver, times
from burgee.evaluation.attributes import Attribute, Read
from burgee.evaluation.kinds import is_number, kind
from burgee.evaluation.model import Condition, Context, Json, Operator, Profiles
from burgee.evaluation.operators import Test
from burgee.evaluation.pattern import Pattern, PatternError

_SEVERAL = frozenset({Operator.IN, Operator.NOT_IN, Operator.STARTS_WITH, Operator.ENDS_WITH}) | operators.CONTAINMENTS


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition, ready to be asked: it holds if what `read` finds passes `test`, or is missing and that will do."""

    condition: Condition
    attribute: Attribute
    read: Read
    test: Test
    when_missing: bool
    timed: bool
    """Whether it compares with a time that moves with now."""

    def holds(self, context: Context, profiles: Profiles, now: float) -> bool:
        """Whether it holds at a Unix time."""
        value = self.read(context, profiles)
        return self.when_missing if value is None else self.test(value, now)


def compile_condition(condition: Condition) -> CompiledCondition:
    """Compile a condition that has no violations; raises ValueError for another."""
    attribute = attributes.parse(condition.attribute)
    if attribute is None:
        raise ValueError(f"not an attribute: {condition.attribute!r}")
    read = attributes.reader(attribute)
    test = operators.test_of(condition.operator, condition.values)
    when_missing = condition.operator in operators.NEGATIVE
    timed = condition.operator in operators.TIMES and any(times.parse(str(each)) is None for each in condition.values)
    return CompiledCondition(condition, attribute, read, test, when_missing, timed)


def condition_violations(condition: Condition, path: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a condition: the path of the field, and what would be right."""
    if attributes.parse(condition.attribute) is None:
        yield f"{path}.attribute", 'an attribute has two parts, such as "user.plan" or "company.key"'
    operator, values = condition.operator, condition.values
    if operator in operators.PRESENCES:
        if values:
            yield f"{path}.values", f"{operator} takes no values"
        return
    if not values:
        yield f"{path}.values", f"{operator} takes {'at least one value' if operator in _SEVERAL else 'one value'}"
    elif len(values) > 1 and operator not in _SEVERAL:
        yield f"{path}.values", f"{operator} takes exactly one value"
    for index, value in enumerate(values):
        message = _value_violation(operator, value)
        if message:
            yield f"{path}.values[{index}]", message


def _value_violation(operator: Operator, value: Json) -> str:
    if value is None:
        return "null is what a missing attribute has: use is_set or is_not_set"
    if not is_json(value):
        return "not a JSON value"
    if operator in operators.NUMBERS:
        return "" if is_number(value) else f"{operator} takes a number, not {kind(value)}"
    if operator in operators.EQUALITIES | operators.CONTAINMENTS:
        return ""
    if not isinstance(value, str):
        return f"{operator} takes text, not {kind(value)}"
    if operator in operators.TIMES and times.moment(value) is None:
        return 'not a time: give RFC 3339 ("2026-03-01T09:30:00Z"), a date ("2026-03-01"), "now" or relative ("-30d")'
    if operator in operators.VERSIONS and semver.parse(value) is None:
        return 'not a semantic version, such as "1.4.0" or "2.0.0-beta.1"'
    if operator is Operator.MATCHES:
        try:
            Pattern.compile(value)
        except PatternError as error:
            return f"not a pattern: {error}"
    return ""


def is_json(value: object) -> bool:
    """Whether a value can be written as JSON: no infinities, no other kinds of object."""
    if is_number(value):
        try:
            return isfinite(value)  # type: ignore[arg-type] # a number, as was just asked
        except OverflowError:
            return False
    match kind(value):
        case "an object":
            return all(isinstance(name, str) and is_json(item) for name, item in value.items())  # type: ignore[attr-defined]
        case "a list":
            return not isinstance(value, bytes) and all(map(is_json, value))  # type: ignore[call-overload]
        case "nothing" | "true or false" | "text":
            return True
        case _:
            return False
