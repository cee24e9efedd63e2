"""Kinds of JSON values, and when two values are equal."""

from collections.abc import Mapping, Sequence

from burgee.evaluation.model import Json


def kind(value: object) -> str:
    """What a value is, in a word for people."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case Mapping():
            return "an object"
        case Sequence():
            return "a list"
        case _:
            return type(value).__name__


def is_number(value: object) -> bool:
    """True or false is not a number, though Python thinks so."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_list(value: object) -> bool:
    """Text is not a list, though Python thinks so."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def equal(left: Json, right: Json) -> bool:
    """Whether two JSON values are the same, all the way down, with no conversion.

    1 equals 1.0; "5" does not equal 5; true does not equal 1; text is compared code point by code point, so case
    counts and nothing is normalized.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping):
        return (
            isinstance(right, Mapping)
            and left.keys() == right.keys()
            and all(equal(value, right[name]) for name, value in left.items())
        )
    if isinstance(left, Sequence) and not isinstance(left, str):
        return (
            isinstance(right, Sequence)
            and not isinstance(right, str)
            and len(left) == len(right)
            and all(map(equal, left, right))
        )
    return left == right
