"""The caller's default, and the type that it asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from burgee.evaluation.kinds import is_number
from burgee.evaluation.model import ErrorCode, Json, Reason, Resolution

Value = TypeVar("Value", bool, int, float, str, Mapping[str, Json], Sequence[Json])
"""What Client.value gives, and takes as a default."""

_MATCHED = frozenset({bool, str, int})
"""What asks for nothing but the same: nearly every check, and so the first that is looked at."""


def with_default(resolution: Resolution, default: Json) -> Resolution:
    """The resolution, with the default as its value if it is an error or the value is of another type.

    None as default takes any type. An int takes whole numbers only; a float takes every number.
    """
    if resolution.reason is Reason.ERROR:
        return replace(resolution, value=default)
    value = resolution.value
    if default is None or (value.__class__ is default.__class__ and value.__class__ in _MATCHED):
        return resolution
    if isinstance(value, int | float) and is_number(value) and is_number(default):
        if isinstance(default, float):
            return replace(resolution, value=float(value))
        if float(value).is_integer():
            return replace(resolution, value=int(value))
    else:
        for kind in (bool, str, Mapping, list | tuple):
            if isinstance(default, kind) and isinstance(value, kind):
                return resolution
    message = f"the flag gives {_kind(value)}, the default is {_kind(default)}"
    return replace(
        resolution, value=default, reason=Reason.ERROR, error_code=ErrorCode.TYPE_MISMATCH, error_message=message
    )


def _kind(value: Json) -> str:
    return f"{type(value).__name__} {value!r}" if is_number(value) else type(value).__name__
