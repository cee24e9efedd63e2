"""What each operator means in SQL: the same as in a flag's rules (burgee.evaluation.operators)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from burgee.evaluation import semver, times
from burgee.evaluation.conditions import condition_violations
from burgee.evaluation.kinds import is_number
from burgee.evaluation.model import Condition, Json, Operator
from burgee.evaluation.operators import LONGEST_SEARCHED
from burgee_server.errors import Invalid, Violation
from burgee_server.insights.sql.attributes import Reading
from burgee_server.insights.sql.semver import sort_key, sort_key_sql

MAX_VALUES = 1000
MAX_TEXT = 1000

Bind: TypeAlias = Callable[[Any, str], str]

_COMPARISONS = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_VERSION_COMPARISONS = {
    Operator.SEMVER_EQ: "=",
    Operator.SEMVER_GT: ">",
    Operator.SEMVER_GTE: ">=",
    Operator.SEMVER_LT: "<",
    Operator.SEMVER_LTE: "<=",
}
_RANGES = {Operator.SEMVER_TILDE: semver.tilde, Operator.SEMVER_CARET: semver.caret}
_DATE = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOURS, _SIXTIETHS = "([01][0-9]|2[0-3])", "[0-5][0-9]"
_OFFSET = f"([Zz]|[+-]{_HOURS}:{_SIXTIETHS})"
_MOMENT = f"^{_DATE}([Tt ]{_HOURS}:{_SIXTIETHS}:([0-5][0-9]|60)([.][0-9]+)?{_OFFSET})?$"
"""What times.parse reads; of days that a month lacks ClickHouse knows by itself that they are none."""
_OLDEST, _NEWEST = -2_208_988_800, 10_413_792_000  # the years 1900 to 2300, which DateTime64 holds


def check_condition(condition: Condition, path: str) -> None:
    """Raise Invalid for what no rule may have either, and for values not compared here: lists and objects."""
    violations = [Violation(*violation) for violation in condition_violations(condition, path)]
    if len(condition.values) > MAX_VALUES:
        violations.append(Violation(f"{path}.values", f"at most {MAX_VALUES} values"))
    for index, value in enumerate(condition.values):
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                violations.append(Violation(f"{path}.values[{index}]", f"at most {MAX_TEXT} characters"))
        elif not isinstance(value, bool) and not is_number(value):
            violations.append(Violation(f"{path}.values[{index}]", "must be text, a number, true or false"))
    if violations:
        raise Invalid(*violations)


def to_sql(pattern: str) -> str:
    """A pattern for ClickHouse, which without a flag lets a dot match the end of a line, as RE2 does not."""
    return "(?-s)" + pattern


def holds(reading: Reading, condition: Condition, bind: Bind, now: datetime) -> str:
    """SQL that is 1 where a checked condition holds, else 0."""
    operator, values = condition.operator, condition.values
    match operator:
        case Operator.EQUALS | Operator.IN:
            return _equals_any(reading, values, bind)
        case Operator.NOT_EQUALS | Operator.NOT_IN:
            return f"NOT {_equals_any(reading, values, bind)}"
        case Operator.CONTAINS:
            return f"({_in_text(reading, values, bind)} OR {_in_list(reading, values, bind)})"
        case Operator.NOT_CONTAINS:
            in_text, in_list = _in_text(reading, values, bind), _in_list(reading, values, bind)
            fits = f"(isNotNull({reading.text}) OR {reading.is_list} OR {reading.missing})"
            return f"({fits} AND NOT {in_text} AND NOT {in_list})"
        case Operator.IS_SET:
            return f"NOT {reading.missing}"
        case Operator.IS_NOT_SET:
            return reading.missing
        case _ if comparison := _COMPARISONS.get(operator):
            return _sure(f"{reading.number} {comparison} {bind(values[0], 'Float64')}")
        case _:
            return _sure(_by_text(reading, operator, [str(value) for value in values], bind, now))


def _by_text(reading: Reading, operator: Operator, texts: list[str], bind: Bind, now: datetime) -> str:
    """The operators that want a text; SQL that is NULL where the value is none, or is not such a text."""
    match operator:
        case Operator.STARTS_WITH:
            return _any_text("startsWith", reading, texts, bind)
        case Operator.ENDS_WITH:
            return _any_text("endsWith", reading, texts, bind)
        case Operator.MATCHES:
            pattern = bind(to_sql(texts[0]), "String")
            return f"(lengthUTF8({reading.text}) <= {LONGEST_SEARCHED} AND match({reading.text}, {pattern}))"
        case Operator.BEFORE | Operator.AFTER:
            micros = bind(_micros(texts[0], now), "Int64")
            comparison = "<" if operator is Operator.BEFORE else ">"
            return f"{_moment_sql(reading.text)} {comparison} fromUnixTimestamp64Micro({micros}, 'UTC')"
        case _:
            return _by_version(reading, operator, texts[0], bind)


def _by_version(reading: Reading, operator: Operator, text: str, bind: Bind) -> str:
    version = semver.parse(text)
    if version is None:
        raise ValueError(f"not a semantic version: {text!r}")
    key, bound = sort_key_sql(reading.text), bind(sort_key(version), "String")
    if end := _RANGES.get(operator):
        return f"({key} >= {bound} AND {key} < {bind(sort_key(end(version)), 'String')})"
    return f"{key} {_VERSION_COMPARISONS[operator]} {bound}"


def _equals_any(reading: Reading, values: Sequence[Json], bind: Bind) -> str:
    texts = [value for value in values if isinstance(value, str)]
    numbers = [float(value) for value in values if is_number(value)]  # type: ignore[arg-type]
    booleans = [int(value) for value in values if isinstance(value, bool)]
    equal = [
        _equals(column, bind(wanted, f"Array({type_})"), len(wanted))
        for column, wanted, type_ in (
            (reading.text, texts, "String"),
            (reading.number, numbers, "Float64"),
            (reading.boolean, booleans, "UInt8"),
        )
        if wanted
    ]
    return f"({' OR '.join(equal)})"


def _equals(column: str, bound: str, count: int) -> str:
    """Whether a value is among those of a bound list; quicker than comparing what may be NULL."""
    return f"(isNotNull({column}) AND assumeNotNull({column}) {f'= {bound}[1]' if count == 1 else f'IN {bound}'})"


def _in_text(reading: Reading, values: Sequence[Json], bind: Bind) -> str:
    texts = [value for value in values if isinstance(value, str)]
    return _sure(_any_text("position", reading, texts, bind)) if texts else "0"


def _in_list(reading: Reading, values: Sequence[Json], bind: Bind) -> str:
    texts = [value for value in values if isinstance(value, str)]
    numbers = [float(value) for value in values if is_number(value)]  # type: ignore[arg-type]
    literals = [str(value).lower() for value in values if isinstance(value, bool)]
    member = [
        f"has({bind(wanted, f'Array({type_})')}, {read})"
        for wanted, type_, read in (
            (texts, "String", "if(startsWith(m, '\"'), JSONExtractString(m), NULL)"),
            (numbers, "Float64", "toFloat64OrNull(m)"),
            (literals, "String", "m"),
        )
        if wanted
    ]
    return f"arrayExists(m -> {' OR '.join(member)}, {reading.members})"


def _any_text(function: str, reading: Reading, texts: list[str], bind: Bind) -> str:
    return "(" + " OR ".join(f"{function}({reading.text}, {bind(text, 'String')}) > 0" for text in texts) + ")"


def _sure(sql: str) -> str:
    return f"ifNull({sql}, 0)"


def _moment_sql(text: str) -> str:
    readable = f"lengthUTF8({text}) <= {times.LONGEST} AND match({text}, '{_MOMENT}')"
    return f"if({readable}, parseDateTime64BestEffortOrNull(upper({text}), 6, 'UTC'), NULL)"


def _micros(text: str, now: datetime) -> int:
    moment = times.moment(text)
    if moment is None:
        raise ValueError(f"not a time: {text!r}")
    return round(min(max(moment(now.astimezone(UTC).timestamp()), _OLDEST), _NEWEST) * 1_000_000)
