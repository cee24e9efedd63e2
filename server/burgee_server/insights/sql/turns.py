"""Which of two events comes first, as SQL: the earlier; of one moment, the one with the lesser uuid."""

TURN = "bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Micro(timestamp)), 128), toUInt256(toUInt128(uuid))) AS turn"
"""For Scope.events() to select: less for the event that comes first.

One number, because the best of numbers takes ClickHouse half as long to find as the best of tuples.
"""

_MISSING = "unhex('FF')"
"""No text of an event: it is not UTF-8."""


def of_first(value: str, condition: str = "1", *, is_text: bool = False) -> str:
    """What the first event has that meets a condition, as an aggregate over `turn`; NULL if that is what it has.

    A text, or NULL, is handed on as a text: that is quicker than a tuple, which anything else is put into.
    """
    if is_text:
        return f"nullIf(argMinIf(ifNull({value}, {_MISSING}), turn, {condition}), {_MISSING})"
    return f"argMinIf(tuple({value}), turn, {condition}).1"
