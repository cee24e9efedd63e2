"""Values and pairs as they are typed."""

import json
import math
from collections.abc import Iterable
from typing import TypeVar

import click

from burgee.evaluation import Json

NumberT = TypeVar("NumberT", int, float)


def _finite(number: NumberT) -> NumberT:
    """The number. Raises ValueError for one that is greater than a double can be."""
    try:
        is_finite = math.isfinite(number)
    except OverflowError:
        is_finite = False
    if not is_finite:
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> float:
    """What Python takes for JSON, too: it is text."""
    raise ValueError(f"{name} is none of its values")


JSON = json.JSONDecoder(
    parse_constant=_no_constant,
    parse_float=lambda text: _finite(float(text)),
    parse_int=lambda text: _finite(int(text)),
)
"""Reads JSON that can be sent. Raises ValueError, and RecursionError for what is too deep."""


def read_value(text: str) -> Json:
    """JSON, or else the text itself."""
    try:
        value: Json = JSON.decode(text)
    except (ValueError, RecursionError):
        return text
    return value


def read_pairs(pairs: Iterable[str], option: str, form: str) -> dict[str, str]:
    """`name=value` options as a dict. Raises UsageError, which shows the form that was expected."""
    read = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {pair!r} is not {form}")
        read[name] = value
    return read
