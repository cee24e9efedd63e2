"""Values and pairs as they are typed."""

import json
from collections.abc import Iterable

import click

from burgee.evaluation import Json


def read_value(text: str) -> Json:
    """JSON, or else the text itself."""
    try:
        value: Json = json.loads(text)
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
