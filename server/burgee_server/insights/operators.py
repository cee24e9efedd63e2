"""What each operator means in SQL: the same as in a flag's rules (burgee.evaluation.operators), condition by condition."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from burgee.evaluation import semver, times
from burgee.evaluation.kinds import is_number
from burgee.evaluation.model import Json, Operator
from burgee.evaluation.pattern import Pattern, PatternError

from burgee_server.errors import Invalid
from burgee_server.insights.attributes import Reading
from burgee_server.insights.semver import sort_key, sort_key_sql
from burgee_server.ports.warehouse import LAST_TIMESTAMP, from_micros, to_micros

MAX_VALUES = 1000
MAX_TEXT = 1000

TRUE_IF_MISSING = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN, Operator.NOT_CONTAINS, Operator.IS_NOT_SET})

Bind: TypeAlias = Callable[[Any, str], str]

_SEVERAL = frozenset(
    {
        Operator.IN,
        Operator.NOT_IN,
        Operator.CONTAINS,
        Operator.NOT_CONTAINS,
        Operator.STARTS_WITH,
        Operator.ENDS_WITH,
    }
)
_NONE = frozenset({Operator.IS_SET, Operator.IS_NOT_SET})
_COMPARISONS = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_VERSION_COMPARISONS = {
    Operator.SEMVER_EQ: "=",
    Operator.SEMVER_GT: ">",
    Operator.SEMVER_GTE: ">=",
    Operator.SEMVER_LT: "<",
    Operator.SEMVER_LTE: "<=",
}
_RANGES = {Operator.SEMVER_TILDE: semver.tilde, Operator.SEMVER_CARET: semver.caret}
_MOMENT = r"^\\d{4}-\\d\\d-\\d\\d([Tt ]\\d\\d:\\d\\d:\\d\\d([.]\\d{1,9}\\d*)?([Zz]|[+-]\\d\\d:\\d\\d))?$"


def holds(
    reading: Reading, operator: Operator, values: Sequence[Json], bind: Bind, now: datetime, path: str
) -> str:
    """SQL that is 1 where the condition holds, else 0. Raises Invalid with `path` for values that do not fit."""
    _require_count(operator, values, f"{path}.values")
    checked = [_checked(value, f"{path}.values[{index}]") for index, value in enumerate(values)]
    match operator:
        case Operator.EQUALS | Operator.IN:
            return _equals_any(reading, checked, bind)
        case Operator.NOT_EQUALS | Operator.NOT_IN:
            return f"NOT {_equals_any(reading, checked, bind)}"
        case Operator.CONTAINS:
            return f"({_in_text(reading, checked, bind)} OR {_in_list(reading, checked, bind)})"
        case Operator.NOT_CONTAINS:
            in_text, in_list = _in_text(reading, checked, bind), _in_list(reading, checked, bind)
            fits = f"(isNotNull({reading.text}) OR {reading.is_list} OR {reading.missing})"
            return f"({fits} AND NOT {in_text} AND NOT {in_list})"
        case Operator.IS_SET:
            return f"NOT {reading.missing}"
        case Operator.IS_NOT_SET:
            return reading.missing
        case _:
            return _sure(_by_type(reading, operator, checked, bind, now, path))


def _by_type(
    reading: Reading, operator: Operator, values: list[Json], bind: Bind, now: datetime, path: str
) -> str:
    """The operators that want one type; SQL that is NULL where the value has another."""
    at = f"{path}.values[0]"
    if comparison := _COMPARISONS.get(operator):
        return f"{reading.number} {comparison} {bind(_number(values[0], at), 'Float64')}"
    texts = [_text(value, f"{path}.values[{index}]") for index, value in enumerate(values)]
    match operator:
        case Operator.STARTS_WITH | Operator.ENDS_WITH:
            function = "startsWith" if operator is Operator.STARTS_WITH else "endsWith"
            return _any_text(function, reading, texts, bind)
        case Operator.MATCHES:
            _require_pattern(texts[0], at)
            # Without a flag ClickHouse lets a dot match the end of a line, which RE2 does not.
            return f"match({reading.text}, {bind('(?-s)' + texts[0], 'String')})"
        case Operator.BEFORE | Operator.AFTER:
            moment = f"fromUnixTimestamp64Micro({bind(_moment(texts[0], now, at), 'Int64')}, 'UTC')"
            return f"{_moment_sql(reading.text)} {'<' if operator is Operator.BEFORE else '>'} {moment}"
        case _:
            return _by_version(reading, operator, texts[0], bind, at)


def _by_version(reading: Reading, operator: Operator, text: str, bind: Bind, at: str) -> str:
    version = semver.parse(text)
    if version is None:
        raise Invalid.of(at, 'must be a semantic version, such as "1.2.3"')
    key, bound = sort_key_sql(reading.text), bind(sort_key(version), "String")
    if end := _RANGES.get(operator):
        return f"({key} >= {bound} AND {key} < {bind(sort_key(end(version)), 'String')})"
    return f"{key} {_VERSION_COMPARISONS[operator]} {bound}"


def _equals_any(reading: Reading, values: list[Json], bind: Bind) -> str:
    texts = [value for value in values if isinstance(value, str)]
    numbers = [float(value) for value in values if is_number(value)]  # type: ignore[arg-type]
    booleans = [int(value) for value in values if isinstance(value, bool)]
    equal = [
        _sure(f"{column} IN {bind(wanted, f'Array({type_})')}")
        for column, wanted, type_ in (
            (reading.text, texts, "String"),
            (reading.number, numbers, "Float64"),
            (reading.boolean, booleans, "UInt8"),
        )
        if wanted
    ]
    return f"({' OR '.join(equal)})"


def _in_text(reading: Reading, values: list[Json], bind: Bind) -> str:
    texts = [value for value in values if isinstance(value, str)]
    return _sure(_any_text("position", reading, texts, bind)) if texts else "0"


def _in_list(reading: Reading, values: list[Json], bind: Bind) -> str:
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
    return f"if(match({text}, '{_MOMENT}'), parseDateTime64BestEffortOrNull(upper({text}), 6, 'UTC'), NULL)"


def _require_count(operator: Operator, values: Sequence[Json], field: str) -> None:
    if operator in _NONE:
        if values:
            raise Invalid.of(field, f"{operator.value} takes no values")
    elif operator in _SEVERAL:
        if not 1 <= len(values) <= MAX_VALUES:
            raise Invalid.of(field, f"{operator.value} takes 1 to {MAX_VALUES} values")
    elif len(values) != 1:
        raise Invalid.of(field, f"{operator.value} takes one value")


def _checked(value: Json, field: str) -> Json:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise Invalid.of(field, f"must be at most {MAX_TEXT} characters")
    if not isinstance(value, str | bool) and not is_number(value):
        raise Invalid.of(field, "must be text, a number, true or false")
    return value


def _text(value: Json, field: str) -> str:
    if not isinstance(value, str):
        raise Invalid.of(field, "must be text")
    return value


def _number(value: Json, field: str) -> float:
    if not is_number(value):
        raise Invalid.of(field, "must be a number")
    return float(value)  # type: ignore[arg-type]


def _require_pattern(text: str, field: str) -> None:
    try:
        Pattern(text)
    except PatternError as error:
        raise Invalid.of(field, f"must be a pattern in RE2's syntax: {error}") from None


def _moment(text: str, now: datetime, field: str) -> int:
    moment = times.moment(text)
    if moment is None:
        raise Invalid.of(field, 'must be RFC 3339, a date ("2026-03-01"), "now", or relative to now ("-30d")')
    micros = moment(now.astimezone(UTC).timestamp()) * 1_000_000
    first, last = to_micros(from_micros(0).replace(year=1900)), to_micros(LAST_TIMESTAMP)
    return round(min(max(micros, first), last))
