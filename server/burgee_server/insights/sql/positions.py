"""In which columns of time an actor did something, gathered in one pass over the events."""

from dataclasses import dataclass

WIDEST = 256
"""How many bits a number of ClickHouse has."""


@dataclass(frozen=True, slots=True)
class Positions:
    """The numbers, from 0, of some of `count` columns, as one value for each actor. `name` is a word of ours.

    A bit a column, in a number; beyond 256 columns an array, which takes half as long again.
    """

    name: str
    count: int

    @property
    def number(self) -> str | None:
        """The type of the number that has the bits; None: it is an array."""
        return None if self.count > WIDEST else number_of(self.count)

    def gathered(self, condition: str = "", of: str = "position") -> str:
        """What a query that groups by actor must select: of the rows that meet the condition, that column."""
        suffix, where = ("If", f", {condition}") if condition else ("", "")
        if self.number is None:
            return f"groupUniqArray{suffix}({of}{where}) AS {self.name}"
        return f"groupBitOr{suffix}(bitShiftLeft(to{self.number}(1), {of}){where}) AS {self.name}"

    @property
    def some(self) -> str:
        """SQL over such a query: whether there is any."""
        return f"notEmpty({self.name})" if self.number is None else f"{self.name} != 0"

    @property
    def listed(self) -> str:
        """SQL over such a query: an array of them, in no order."""
        return self.name if self.number is None else f"bitPositionsToArray({self.name})"

    @property
    def size(self) -> str:
        """SQL over such a query: how many there are."""
        return f"length({self.name})" if self.number is None else f"bitCount({self.name})"

    def merged(self, rows: str) -> str:
        """What a query over such a query, under the name `rows`, must select to merge groups of its rows."""
        function = "groupUniqArrayArray" if self.number is None else "groupBitOr"
        return f"{function}({rows}.{self.name}) AS {self.name}"

    @property
    def after_another(self) -> str:
        """SQL for an array: those whose position before is there, too."""
        if self.number is None:
            return f"arrayFilter(p -> has({self.name}, p - 1), {self.name})"
        return f"bitPositionsToArray(bitAnd({self.name}, bitShiftLeft({self.name}, 1)))"

    @property
    def after_a_gap(self) -> str:
        """SQL for an array: those whose position before is not there."""
        if self.number is None:
            return f"arrayFilter(p -> NOT has({self.name}, p - 1), {self.name})"
        return f"bitPositionsToArray(bitAnd({self.name}, bitNot(bitShiftLeft({self.name}, 1))))"

    @property
    def gaps(self) -> str:
        """SQL for an array: those that are not there, and whose position before is; also the one after the last."""
        if self.number is None:
            return f"arrayFilter(p -> NOT has({self.name}, p), arrayMap(p -> p + 1, {self.name}))"
        return f"bitPositionsToArray(bitAnd(bitShiftLeft({self.name}, 1), bitNot({self.name})))"


def number_of(bits: int) -> str:
    """The type of the smallest number that is quick and has so many bits."""
    return f"UInt{next(width for width in (64, 128, WIDEST) if bits <= width)}"


def bit(number: str, position: int, type_: str) -> str:
    """SQL for whether a number of this type has a bit."""
    return f"bitAnd({number}, bitShiftLeft(to{type_}(1), {position})) != 0"
