"""In which columns of time an actor did something, gathered in one pass over the events."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDEST = 256
"""How many bits a number of ClickHouse has."""
_MOST_NUMBERS = 8


@dataclass(frozen=True, slots=True)
class Positions:
    """The numbers, from 0, of some of `count` columns, as one value for each actor. `name` is a word of ours.

    A bit a column, in a number; beyond 256 columns in up to eight numbers, a tuple; beyond those an array, which takes
    half as long again, and twenty times the memory.
    """

    name: str
    count: int

    @property
    def number(self) -> str | None:
        """The type of the number that has the bits; None: there is not one number that has."""
        return None if self.count > WIDEST else number_of(self.count)

    def gathered(self, condition: str = "", of: str = "position") -> str:
        """What a query that groups by actor must select: of the rows that meet the condition, that column."""
        suffix, where = ("If", f", {condition}") if condition else ("", "")
        if self.number is not None:
            return f"groupBitOr{suffix}(bitShiftLeft(to{self.number}(1), {of}){where}) AS {self.name}"
        if not self._numbers:
            return f"groupUniqArray{suffix}({of}{where}) AS {self.name}"
        shifted = f"bitShiftLeft(toUInt{WIDEST}(1), {of} % {WIDEST})"
        also = f"({condition}) AND " if condition else ""
        each = [f"groupBitOrIf({shifted}, {also}intDiv({of}, {WIDEST}) = {at})" for at in range(len(self._numbers))]
        return f"tuple({', '.join(each)}) AS {self.name}"

    @property
    def some(self) -> str:
        """SQL over such a query: whether there is any."""
        if not self._numbers:
            return f"notEmpty({self.name})"
        return f"({' OR '.join(f'{number} != 0' for number in self._numbers)})"

    @property
    def listed(self) -> str:
        """SQL over such a query: an array of them, in no order."""
        return _listed(self._numbers) if self._numbers else self.name

    @property
    def size(self) -> str:
        """SQL over such a query: how many there are."""
        if not self._numbers:
            return f"length({self.name})"
        return f"({' + '.join(f'bitCount({number})' for number in self._numbers)})"

    def merged(self, rows: str) -> str:
        """What a query over such a query, under the name `rows`, must select to merge groups of its rows."""
        if self.number is None and self._numbers:
            each = [f"groupBitOr(tupleElement({rows}.{self.name}, {at + 1}))" for at in range(len(self._numbers))]
            return f"tuple({', '.join(each)}) AS {self.name}"
        function = "groupUniqArrayArray" if self.number is None else "groupBitOr"
        return f"{function}({rows}.{self.name}) AS {self.name}"

    @property
    def after_another(self) -> str:
        """SQL for an array: those whose position before is there, too."""
        if not self._numbers:
            return f"arrayFilter(p -> has({self.listed}, p - 1), {self.listed})"
        return _listed([f"bitAnd({there}, {after})" for there, after in self._followed])

    @property
    def after_a_gap(self) -> str:
        """SQL for an array: those whose position before is not there."""
        if not self._numbers:
            return f"arrayFilter(p -> NOT has({self.listed}, p - 1), {self.listed})"
        return _listed([f"bitAnd({there}, bitNot({after}))" for there, after in self._followed])

    @property
    def gaps(self) -> str:
        """SQL for an array: those that are not there, and whose position before is. Not all numbers have a bit for
        the one after the last column."""
        if not self._numbers:
            return f"arrayFilter(p -> NOT has({self.listed}, p), arrayMap(p -> p + 1, {self.listed}))"
        return _listed([f"bitAnd({after}, bitNot({there}))" for there, after in self._followed])

    def since(self, at: str) -> str | None:
        """SQL for a number whose bit n is set if the position n after `at` is there, for n up to 255; None where it is
        an array. `at` is SQL for one of the columns."""
        numbers = self._numbers
        if len(numbers) < 2:
            return f"bitShiftRight({self.name}, {at})" if numbers else None
        following = [*numbers[1:], f"toUInt{WIDEST}(0)"]
        of_it, of_next = (_of_column(at, each) for each in (numbers, following))
        # Twice, since none of its bits is in there where the first is that of the column itself.
        rest = f"bitShiftLeft(bitShiftLeft({of_next}, 1), {WIDEST - 1} - {at} % {WIDEST})"
        return f"bitOr(bitShiftRight({of_it}, {at} % {WIDEST}), {rest})"

    @property
    def _followed(self) -> Sequence[tuple[str, str]]:
        """SQL for each of the numbers, and for the one that has the bit after each of their bits."""
        numbers = self._numbers
        shifted = [f"bitShiftLeft({number}, 1)" for number in numbers]
        carried = [f"bitShiftRight({number}, {WIDEST - 1})" for number in numbers[:-1]]
        after = [
            shifted[0],
            *(f"bitOr({own}, {of_before})" for own, of_before in zip(shifted[1:], carried, strict=True)),
        ]
        return list(zip(numbers, after, strict=True))

    @property
    def _numbers(self) -> Sequence[str]:
        """SQL for each of the numbers; none where it is an array."""
        if self.number is not None:
            return [self.name]
        count = -(-self.count // WIDEST)
        return [f"tupleElement({self.name}, {at + 1})" for at in range(count)] if count <= _MOST_NUMBERS else []


def _of_column(at: str, numbers: Sequence[str]) -> str:
    """SQL for that of the numbers that has the bit of a column."""
    *first, last = numbers
    cases = [f"{at} < {WIDEST * (index + 1)}, {number}" for index, number in enumerate(first)]
    return f"multiIf({', '.join(cases)}, {last})"


def _listed(numbers: Sequence[str]) -> str:
    """SQL for an array of the positions whose bits these numbers have."""
    if len(numbers) == 1:
        return f"bitPositionsToArray({numbers[0]})"
    each = [
        f"arrayMap(bit -> toUInt16(bit + {at * WIDEST}), bitPositionsToArray({number}))"
        for at, number in enumerate(numbers)
    ]
    return f"arrayConcat({', '.join(each)})"


def number_of(bits: int) -> str:
    """The type of the smallest number that is quick and has so many bits."""
    return f"UInt{next(width for width in (64, 128, WIDEST) if bits <= width)}"


def bit(number: str, position: int, type_: str) -> str:
    """SQL for whether a number of this type has a bit."""
    return f"bitAnd({number}, bitShiftLeft(to{type_}(1), {position})) != 0"
