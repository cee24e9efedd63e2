"""JSON values and properties: google.protobuf.Value and Struct to plain values and back."""

from collections.abc import Mapping, Sequence
from math import isfinite

from google.protobuf import struct_pb2

from burgee.evaluation.model import Json, Properties

DEEPEST = 30
"""Lists and objects inside one another: protobuf parses 100 messages deep, and each level takes three."""

_EXACT = 2.0**53


class WireError(ValueError):
    """A message cannot be read: `field` is its path, `reason` is what would be right."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def value_from_proto(value: struct_pb2.Value, path: str) -> Json:
    """A JSON value. Whole numbers below 2**53 become int. Raises WireError for a value that is not JSON."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            if number.is_integer() and -_EXACT < number < _EXACT:
                return int(number)
            if not isfinite(number):
                raise WireError(path, "JSON has no infinities and no NaN")
            return number
        case "bool_value":
            return value.bool_value
        case "null_value":
            return None
        case "struct_value":
            return properties_from_struct(value.struct_value, path)
        case "list_value":
            return [value_from_proto(item, f"{path}[{index}]") for index, item in enumerate(value.list_value.values)]
        case _:
            raise WireError(path, "a value is missing")


def properties_from_struct(struct: struct_pb2.Struct, path: str) -> dict[str, Json]:
    """Properties as plain values. Raises WireError."""
    # Text and truth values are most of what there is: the shortest way for them saves a third of an Evaluate call.
    properties: dict[str, Json] = {}
    fields = struct.fields
    for name in fields:
        value = fields[name]
        kind = value.WhichOneof("kind")
        if kind == "string_value":
            properties[name] = value.string_value
        elif kind == "bool_value":
            properties[name] = value.bool_value
        else:
            properties[name] = value_from_proto(value, f"{path}.{name}")
    return properties


def value_to_proto(value: Json, path: str = "value") -> struct_pb2.Value:
    """A JSON value as a message. Raises WireError, which is a ValueError, naming what is not JSON."""
    message = struct_pb2.Value()
    fill_value(message, value, path, 0)
    return message


def properties_to_struct(properties: Properties, path: str = "properties") -> struct_pb2.Struct:
    """Properties as a Struct. Raises WireError, which is a ValueError, naming the property that is not JSON.

    A Struct has doubles only: whole numbers of 2**53 and more lose digits, and travel better as text.
    """
    struct = struct_pb2.Struct()
    fill_struct(struct, properties, path, 0)
    return struct


def fill_struct(struct: struct_pb2.Struct, properties: Properties, path: str, depth: int) -> None:
    """Write properties into a Struct that is there already, as properties_to_struct does."""
    fields = struct.fields
    for name, value in properties.items():
        if not isinstance(name, str):
            raise WireError(path, f"the name of a property is text, not {type(name).__name__}")
        fill_value(fields[name], value, f"{path}.{name}", depth)


def fill_value(message: struct_pb2.Value, value: object, path: str, depth: int) -> None:
    """Write a value into a message that is there already, as value_to_proto does."""
    if depth > DEEPEST:
        raise WireError(path, f"lists and objects are nested more than {DEEPEST} deep")
    match value:
        case str():
            try:
                message.string_value = value
            except UnicodeEncodeError:
                raise WireError(path, "not text: it has half a surrogate pair") from None
        case bool():
            message.bool_value = value
        case int() | float():
            try:
                number = float(value)
            except OverflowError:
                raise WireError(path, "the number is too large for a double") from None
            if not isfinite(number):
                raise WireError(path, "JSON has no infinities and no NaN")
            message.number_value = number
        case None:
            message.null_value = struct_pb2.NULL_VALUE
        case Mapping():
            message.struct_value.SetInParent()
            fill_struct(message.struct_value, value, path, depth + 1)
        case bytes() | bytearray() | memoryview():
            raise WireError(path, "bytes are not JSON")
        case Sequence():
            message.list_value.SetInParent()
            for index, item in enumerate(value):
                fill_value(message.list_value.values.add(), item, f"{path}[{index}]", depth + 1)
        case _:
            raise WireError(path, f"{type(value).__name__} is not JSON")
