"""Reads messages off the wire, and names the field when one cannot be read."""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from burgee_server.errors import Invalid

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
"""Protobuf itself reads no deeper."""

M = TypeVar("M", bound=Message)

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 63


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
        return _walk(memoryview(raw), descriptor, 0)
    except (IndexError, DecodeError):
        return None


def _walk(raw: memoryview, descriptor: Descriptor, depth: int) -> str | None:
    """The same for a message inside. Copies nothing but text: a message may be nested as deep as it is long."""
    if depth > MAX_DEPTH:
        raise DecodeError("nested too deeply")
    position = 0
    seen: dict[int, int] = {}
    while position < len(raw):
        tag, position = _varint(raw, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            _, position = _varint(raw, position)
        elif wire_type == _FIXED64:
            position += 8
        elif wire_type == _FIXED32:
            position += 4
        elif wire_type == _BYTES:
            size, position = _varint(raw, position)
            value, position = raw[position : position + size], position + size
            index = seen[number] = seen.get(number, -1) + 1
            field = descriptor.fields_by_number.get(number)
            if field is not None and (path := _check(value, field, index, depth)) is not None:
                return path
        else:
            return None
    return None


def _check(value: memoryview, field: FieldDescriptor, index: int, depth: int) -> str | None:
    name = f"{field.name}[{index}]" if field.is_repeated else field.name
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            str(value, "utf-8")
        except UnicodeDecodeError:
            return name
    elif field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type is not None:
        path = _walk(value, field.message_type, depth + 1)
        return None if path is None else f"{name}.{path}"
    return None


def _varint(raw: memoryview, position: int) -> tuple[int, int]:
    """The number that begins at a position, and the position after it. Raises IndexError at the end of the bytes."""
    number = shift = 0
    while True:
        byte = raw[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
        if shift > _LONGEST_VARINT:
            raise DecodeError("not a varint")
