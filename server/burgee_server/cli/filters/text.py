"""A filter as it would be typed: what read_filter() reads back as the same."""

import json

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Json, Not
from burgee_server.cli.filters.words import AND, BARE, KEYWORDS, NOT, OR, is_key
from burgee_server.cli.values import read_value


def filter_text(filter_: Filter) -> str:
    """As people type it, with no more parentheses and quotes than it needs."""
    match filter_:
        case AllOf((sole,)) | AnyOf((sole,)):
            return filter_text(sole)
        case AllOf(filters):
            return f" {AND} ".join(_within(each, AnyOf) for each in filters)
        case AnyOf(filters):
            return f" {OR} ".join(map(filter_text, filters))
        case Not(inner):
            return f"{NOT} {_within(inner, AllOf, AnyOf)}"
        case Condition(attribute, operator, values):
            written = ",".join(_value(value, key=is_key(attribute)) for value in values)
            return f"{_word(attribute)} {operator} {written}".rstrip()


def _within(filter_: Filter, *looser: type[AllOf | AnyOf]) -> str:
    """A part of what binds more than these do."""
    match filter_:
        case AllOf((sole,)) | AnyOf((sole,)):
            return _within(sole, *looser)
        case _:
            text = filter_text(filter_)
            return f"({text})" if isinstance(filter_, looser) else text


def _word(text: str) -> str:
    is_bare = BARE.fullmatch(text) and text not in KEYWORDS
    return text if is_bare else json.dumps(text, ensure_ascii=False)


def _value(value: Json, *, key: bool) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return _word(value) if key or read_value(value) == value else json.dumps(value, ensure_ascii=False)
