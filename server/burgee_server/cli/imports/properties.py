"""The properties of an event, out of a record's columns, as JSON text."""

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from burgee_server.cli.imports.columns import as_object, find
from burgee_server.cli.imports.mapping import Properties, PropertyOrigin, property_of
from burgee_server.cli.imports.records import NotAnEvent

_MOST_DIGITS = 400
"""Of a number that was text: a double has 309, and 1e999999999 written out has more than fit."""
_BOOLEANS = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}


class PropertyWriter:
    """Writes what a mapping says of properties. `used` are the columns that the rest of the mapping uses."""

    def __init__(self, properties: Properties, used: frozenset[str]) -> None:
        self._object = properties.object
        self._columns = [(name, property_of(value)) for name, value in properties.columns.items()]
        self._rest = properties.rest
        named = {origin.column for _, origin in self._columns if origin.column}
        self._used = used | named | ({properties.object} if properties.object else set())
        self._drop = properties.drop

    def write(self, fields: dict[str, Any]) -> str:
        """The properties of a record; empty for none. Raises NotAnEvent.

        An object that is text, and all there is, stays as it is written.
        """
        whole = find(fields, self._object) if self._object else None
        if isinstance(whole, str) and whole and not (self._columns or self._rest or self._drop):
            return whole
        written = _present({name: fields[name] for name in fields if name not in self._used}) if self._rest else {}
        if self._object:
            written |= as_object(whole, self._object)
        written |= _present({name: _value(fields, origin) for name, origin in self._columns})
        for name in self._drop:
            written.pop(name, None)
        return _encode(written) if written else ""


def _present(cells: dict[str, Any]) -> dict[str, Any]:
    """Without cells that are empty: a table has no other way to have none."""
    return {name: value for name, value in cells.items() if value is not None and value != ""}


def _value(fields: dict[str, Any], origin: PropertyOrigin) -> Any:
    return _typed(find(fields, origin.column), origin) if origin.column else origin.constant


def _typed(value: Any, origin: PropertyOrigin) -> Any:
    """A value as the mapping says that it is to be read; None for none. Raises NotAnEvent."""
    if value is None or value == "" or origin.type is None:
        return value
    try:
        return _READ[origin.type](value)
    except (ValueError, KeyError, InvalidOperation, msgspec.MsgspecError):
        raise NotAnEvent(origin.column or "", f"must be a {origin.type}, got {str(value)[:60]!r}") from None


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    number = Decimal(value.strip())
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError
    return msgspec.Raw(format(number, "f").encode())


def _boolean(value: Any) -> Any:
    return _BOOLEANS[str(value).strip().lower()]


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else _encode(value).strip('"')


def _json(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) else value


_READ: Mapping[str, Callable[[Any], Any]] = {"text": _text, "number": _number, "boolean": _boolean, "json": _json}


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)


def _encode(value: Any) -> str:
    return _encoder.encode(value).decode()
