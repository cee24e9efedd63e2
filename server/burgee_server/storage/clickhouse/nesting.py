"""What the tables keep of values within values. To ClickHouse each path, type and level in a list is columns.

Nothing can be asked about the inside of what is in a list, so there lists and objects are their JSON text: a list of
objects was hundreds of columns in every part that had one. An object with such a list somewhere in it is one with the
empty key: that it is there is all that can be asked. What was captured is kept as it came, beside it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

_WITHIN_A_LIST = r"'[,[]\\s*[[{{]'"
"""In an object, what follows a comma is a key; so this is a list or an object in a list. Or within a text: then it
costs time, and the object that has the text becomes one that is there too, which no question can tell."""


def _number(raw: str) -> str:
    # A double from 2^64 to below 1e21 comes as digits, which would be read as text. An integer of that size in what was
    # captured comes in quotes, as the text that it is without a list beside it, too.
    great = f"toInt128OrZero({raw}) NOT BETWEEN {-(1 << 63)} AND {(1 << 64) - 1}"
    return f"if({great}, concat({raw}, 'e0'), {raw})"


# A text, what is between the marks of JSON, or such a mark.
_PIECE = r"""'"(?:[^"\\\\]|\\\\.)*"|[^][{{}}",:]+|[][{{}},:]'"""

# The members of a list are read from what was written once: only there do such doubles have no quotes.
_NUMBERS_KEPT = (
    "if(match(pair.2, '[0-9]{{19}}'),"
    f" arrayStringConcat(arrayMap(piece -> {_number('piece')}, extractAll(pair.2, {_PIECE}))), pair.2)"
)

_MEMBER = f"if(startsWith(member, '{{{{') OR startsWith(member, '['), toJSONString(member), {_number('member')})"

_LIST = f"concat('[', arrayStringConcat(arrayMap(member -> {_MEMBER}, JSONExtractArrayRaw({_NUMBERS_KEPT})), ','), ']')"

_VALUE = (
    f"multiIf(startsWith(pair.2, '['), {_LIST},"
    f" startsWith(pair.2, '{{{{') AND match(pair.2, {_WITHIN_A_LIST}), '{{{{\"\":true}}}}', {_number('pair.2')})"
)

_PAIRS = f"arrayMap(pair -> concat(toJSONString(pair.1), ':', {_VALUE}), JSONExtractKeysAndValuesRaw(properties_json))"

FLAT_PROPERTIES = (
    "multiIf(properties_json = '', '{{}}',"
    f" position(properties_json, '[') = 0 OR NOT match(properties_json, {_WITHIN_A_LIST}), properties_json,"
    f" concat('{{{{', arrayStringConcat({_PAIRS}, ','), '}}}}'))"
)
"""SQL, to be formatted: the text of an event's `properties`, of its properties_json."""


def flat(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a profile's properties."""
    return {name: _flat(value) for name, value in properties.items()}


def _flat(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"": True} if _has_nested_list(value) else value
    if isinstance(value, list | tuple):
        return [msgspec.json.encode(member).decode() if _is_nested(member) else member for member in value]
    return value


def _has_nested_list(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_nested_list, value.values()))
    return isinstance(value, list | tuple) and any(map(_is_nested, value))


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)
