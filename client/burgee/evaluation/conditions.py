"""Conditions: what makes one well-formed, and how one becomes a function."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

from burgee.evaluation import attributes, operators, semver, times
from burgee.evaluation.attributes import Attribute, Read
from burgee.evaluation.cohorts import membership
from burgee.evaluation.kinds import is_number, kind
from burgee.evaluation.model import Condition, Context, Json, Operator, Profiles
from burgee.evaluation.operators import Test
from burgee.evaluation.pattern import Pattern, PatternError

_SEVERAL = (
    frozenset({Operator.IN, Operator.NOT_IN, Operator.STARTS_WITH, Operator.ENDS_WITH})
    | operators.CONTAINMENTS
    | operators.COHORTS
)


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition, ready to be asked: it holds if what `ask` finds passes `test`, or is missing and that will do."""

    condition: Condition
    attribute: Attribute
    read: Read
    """The attribute's value."""
    ask: Read
    """What the test is of: the value, or for a cohort whether that is a member."""
    test: Test
    when_missing: bool
    timed: bool
    """Whether it compares with a time that moves with now."""
    note: Callable[[Json, Profiles], str]
    """Words for a value that does not speak for itself, else none."""

    def holds(self, context: Context, profiles: Profiles, now: float) -> bool:
        """Whether it holds at a Unix time."""
        value = self.ask(context, profiles)
        return self.when_missing if value is None else self.test(value, now)


def compile_condition(condition: Condition) -> CompiledCondition:
    """Compile a condition that has no violations; raises ValueError for another."""
    attribute = attributes.parse(condition.attribute)
    if attribute is None:
        raise ValueError(f"not an attribute: {condition.attribute!r}")
    operator, read = condition.operator, attributes.reader(attribute)
    when_missing = operator in operators.NEGATIVE
    if operator in operators.COHORTS:
        ask, note = membership(read, map(str, condition.values))
        wanted = not when_missing
        return CompiledCondition(
            condition, attribute, read, ask, lambda is_member, _now: is_member is wanted, when_missing, False, note
        )
    timed = operator in operators.TIMES and any(times.parse(str(each)) is None for each in condition.values)
    return CompiledCondition(
        condition,
        attribute,
        read,
        read,
        operators.test_of(operator, condition.values),
        when_missing,
        timed,
        lambda value, _profiles: operators.wrong_type(operator, value),
    )


def condition_violations(condition: Condition, path: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a condition: the path of the field, and what would be right."""
    operator, values = condition.operator, condition.values
    attribute = attributes.parse(condition.attribute)
    if attribute is None:
        yield f"{path}.attribute", 'an attribute has two parts, such as "user.plan" or "company.key"'
    elif operator in operators.COHORTS and attribute.name != attributes.KEY:
        yield f"{path}.attribute", 'a cohort has persons or groups: give "user.key", or that of a type: "company.key"'
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
