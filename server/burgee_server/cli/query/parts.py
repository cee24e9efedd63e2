"""Parts of a breakdown as they are typed: as tables show them."""

import re

import click

import burgee
from burgee_server.cli.filters import FilterError, require_letters, require_whole
from burgee_server.cli.values import JSON

_OTHER, _MISSING = burgee.Part(other=True), burgee.Part(missing=True)
_BETWEEN = " / "
_VALUE = rf'("(?:[^"\\]|\\.)*"|(?!")(?:(?!{_BETWEEN}).)*)'


def read_part(text: str, breakdown: burgee.Breakdown | None, option: str) -> burgee.Part:
    """The part that is typed: a value, `(missing)` or `(other)`; of several attributes, a value or `(missing)` of each.

    Between these stands " / ". Text in double quotes is as JSON has it: so is a value that reads like one of the words,
    has " / " in it or begins with a quote. Raises click.UsageError, naming the option.
    """
    count = len(breakdown.attributes) if breakdown else 0
    try:
        require_letters(text)
        for whole in (_OTHER, _MISSING):
            if text == str(whole):
                return whole
        if count < 2:  # what is not split has no parts: the server says so
            return _read_value(text, text, 0)
        found = re.fullmatch(_BETWEEN.join([_VALUE] * count), text, re.DOTALL)
        if found is None:
            raise FilterError(
                f"a part is a value of each of the {count} attributes of --by, with {_BETWEEN!r} between them,"
                f' (missing) or (other); a value with {_BETWEEN!r} in it stands in double quotes: "a / b" / (missing)',
                text,
                0,
            )
        values = tuple(_read_value(value, text, found.start(n)) for n, value in enumerate(found.groups(), 1))
    except FilterError as error:
        raise click.UsageError(f"{option}: {error}") from None
    return _MISSING if all(value.missing for value in values) else burgee.Part(values=values)


def _read_value(typed: str, text: str, at: int) -> burgee.Part:
    """What is typed at a place of a text. Raises FilterError."""
    if typed == str(_MISSING):
        return _MISSING
    if typed == str(_OTHER):
        raise FilterError(
            f'(other) is all others together, and has nothing beside it; the value is "{_OTHER}"', text, at
        )
    if not typed.startswith('"'):
        return burgee.Part(typed)
    try:
        value = JSON.decode(typed)
    except ValueError as error:
        raise FilterError("a value that begins with a quote is text as JSON has it", text, at) from error
    require_whole(value, text, at)
    return burgee.Part(value)
