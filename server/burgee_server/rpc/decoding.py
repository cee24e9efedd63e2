"""Reads messages off the wire, and names the field when one cannot be read."""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.internal.decoder import _DecodeVarint  # type: ignore[attr-defined]  # no public one
from google.protobuf.message import DecodeError, Message

from burgee_server.errors import Invalid

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

M = TypeVar("M", bound=Message)

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def decode(raw: bytes, parse: Callable[[bytes], M], descriptor: Descriptor) -> M:
    """The message in `raw`. Raises Invalid, naming the field whose text is not UTF-8 where that is the reason."""
    if len(raw) > MAX_MESSAGE_BYTES:
        raise Invalid.of("message", f"at most {MAX_MESSAGE_BYTES:,} bytes, got {len(raw):,}: send less at a time")
    try:
        return parse(raw)
    except DecodeError as error:
        path = _find_bad_text(raw, descriptor)
        if path is None:
            raise Invalid.of("message", f"is not a serialized {descriptor.full_name}") from error
        raise Invalid.of(path, "must be UTF-8") from error


def _find_bad_text(raw: bytes, descriptor: Descriptor) -> str | None:
    """The path of the first text that is not UTF-8, by walking the wire format; None if the bytes make no sense."""
    try:
        return _walk(raw, descriptor)
    except (IndexError, DecodeError):
        return None


def _walk(raw: bytes, descriptor: Descriptor) -> str | None:
    position = 0
    seen: dict[int, int] = {}
    while position < len(raw):
        tag, position = _DecodeVarint(raw, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            _, position = _DecodeVarint(raw, position)
        elif wire_type == _FIXED64:
            position += 8
        elif wire_type == _FIXED32:
            position += 4
        elif wire_type == _BYTES:
            size, position = _DecodeVarint(raw, position)
            value, position = raw[position : position + size], position + size
            index = seen[number] = seen.get(number, -1) + 1
            field = descriptor.fields_by_number.get(number)
            if field is not None and (path := _check(value, field, index)) is not None:
                return path
        else:
            return None
    return None


def _check(value: bytes, field: FieldDescriptor, index: int) -> str | None:
    name = f"{field.name}[{index}]" if field.is_repeated else field.name
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            value.decode()
        except UnicodeDecodeError:
            return name
    elif field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type is not None:
        path = _walk(value, field.message_type)
        return None if path is None else f"{name}.{path}"
    return None
