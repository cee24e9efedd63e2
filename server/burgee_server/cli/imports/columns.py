"""Finds values by the paths that a mapping names."""

from collections.abc import Mapping
from typing import Any

import msgspec

from burgee_server.cli.imports.records import NotAnEvent


def find(fields: dict[str, Any], path: str) -> Any:
    """The value of a column, or of what is inside one: `properties.$groups.company`. None where there is none.

    A name with dots that is there is that name. Text that holds an object is read, once: it stays read in `fields`.
    """
    if path in fields:
        return fields[path]
    name, _, rest = path.partition(".")
    if not rest or name not in fields:
        return None
    inner = fields[name]
    if isinstance(inner, str):
        inner = fields[name] = read_object(inner, name)
    return find(inner, rest) if isinstance(inner, dict) else None


def as_object(value: Any, name: str) -> Mapping[str, Any]:
    """An object that came as one or as JSON text; empty for none. Raises NotAnEvent."""
    if isinstance(value, str):
        return read_object(value, name)
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise NotAnEvent(name, f"must be a JSON object, got {type(value).__name__}")


def read_object(text: str, name: str) -> dict[str, Any]:
    """The object in a JSON text; empty for an empty text. Raises NotAnEvent."""
    if not text:
        return {}
    try:
        return _objects.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise NotAnEvent(name, f"must be a JSON object: {error}") from None


def as_text(value: Any, name: str) -> str:
    """A name or a key as text; empty for none. A number that is whole is written without a point. Raises NotAnEvent."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool | list | dict):
        raise NotAnEvent(name, f"must be a text or a number, got {type(value).__name__}")
    return str(value)


_objects = msgspec.json.Decoder(dict[str, Any])
