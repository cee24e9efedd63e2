"""The ways that one actor took through a funnel, as SQL over arrays of its marks: one for each event that may begin.

windowFunnel answers only how far, and its modes for strict funnels are others (docs/decisions/0058). These arrays hold
the moment of every step, take a little less time, and say the same of every way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from burgee_server.insights.funnel.checks import bounds
from burgee_server.insights.funnel.marks import Marks
from burgee_server.insights.funnel.model import FunnelQuery, Order

_NONE = "toUInt64(0)"
_NEVER = "toUInt64(9223372036854775807)"
_LONGEST = 1 << 62
"""Longer than any time there is, and room for a moment to be added."""


@dataclass(frozen=True, slots=True)
class Ways:
    """`clauses` make, after those of Marks.unpacked(), the array `ways`: a tuple of moments for each way.

    In microseconds: when each step was reached, and when the first exclusion after its first bound came; 0 or later
    than the window is never. Reached is what lies within the window from the first.
    """

    clauses: list[str]
    fields: list[str]
    steps: int
    exclusions: list[tuple[int, int]]
    window: int

    def time(self, way: str, number: int) -> str:
        """When a way reached a step, numbered from 1."""
        return f"{way}.{self.fields.index(_step(number)) + 1}"

    def times(self, way: str) -> str:
        """When it reached each, as an array."""
        return f"[{', '.join(self.time(way, number) for number in range(1, self.steps + 1))}]"

    def reached(self, way: str) -> str:
        """How many steps it reached."""
        end = f"{self.time(way, 1)} + {self.window}"
        later = [f"({self.time(way, number)} BETWEEN 1 AND {end})" for number in range(2, self.steps + 1)]
        return f"toUInt8({' + '.join(['1', *later])})"

    def spoiled(self, way: str, reached: str) -> str:
        """Whether an exclusion came between its two steps, or after the first and within the window if that was all."""
        end = f"{self.time(way, 1)} + {self.window}"
        spoiling = []
        for index, (first, last) in enumerate(self.exclusions):
            came = f"{way}.{self.fields.index(_exclusion(index)) + 1}"
            between = f"{came} < {self.time(way, last)}"
            spoiling.append(
                f"({came} > 0 AND if({reached} >= {last}, {between}, {reached} >= {first} AND {came} <= {end}))"
            )
        return " OR ".join(spoiling) or "0"


def ways(query: FunnelQuery, marks: Marks) -> Ways:
    """The ways through a checked funnel."""
    steps, exclusions = len(query.steps), list(bounds(query))
    next_ones = [
        _filled(f"if({marks.is_exclusion('k', index + 1)}, t, 0)", [], f"{_exclusion(index)}_next")
        for index in range(len(exclusions))
    ]
    if query.order is Order.UNORDERED:
        clauses, fields = _unordered(marks, steps, exclusions)
    else:
        clauses, fields = _in_order(marks, steps, exclusions)
    return Ways([*next_ones, *clauses], fields, steps, exclusions, min(_micros(query.window), _LONGEST))


def _in_order(marks: Marks, steps: int, exclusions: Sequence[tuple[int, int]]) -> tuple[list[str], list[str]]:
    """From the last step to the first, each with the nearest way on from the next, or in a strict funnel the very next.

    An event that can match two steps must not serve both: it looks on from the event after it.
    """
    clauses, fields = list[str](), list[str]()
    for number in range(steps, 0, -1):
        spoilers = [_exclusion(index) for index, (first, _) in enumerate(exclusions) if first == number]
        onward = [f"z.{position}" for position in range(1, len(fields) + 1)]
        arrays = [f"{spoiler}_next" for spoiler in spoilers]
        if fields:
            behind = f"from{number + 1}"
            arrays.append(behind if marks.is_disjoint and not marks.is_strict else f"arrayShiftLeft({behind}, 1)")
        found = ", ".join(["t", *spoilers, *onward])
        nothing = ", ".join([_NONE] * (1 + len(spoilers) + len(fields)))
        value = f"if({marks.is_step('k', number)}, tuple({found}), tuple({nothing}))"
        mapped = _mapped(value, [*spoilers, *(["z"] if fields else [])], arrays)
        fields = [_step(number), *spoilers, *fields]
        if number == 1:
            clauses.append(f"arrayFilter(w -> w.1 > 0, {mapped}) AS ways")
        elif marks.is_strict:
            clauses.append(f"{mapped} AS from{number}")
        else:
            clauses.append(f"arrayReverseFill(w -> w.1 > 0, {mapped}) AS from{number}")
    return clauses, fields


def _unordered(marks: Marks, steps: int, exclusions: Sequence[tuple[int, int]]) -> tuple[list[str], list[str]]:
    """From each event of any step, the moments by which one step, two steps, … are done."""
    clauses, moments, names = list[str](), list[str](), list[str]()
    for group in marks.alike:
        done, needed = _done(group)
        for (subset, count), name in needed.items():
            matches = " OR ".join(marks.is_step("k", number) for number in subset)
            if count == 1:
                clauses.append(_filled(f"if({matches}, t, 0)", [], name))
            else:
                before = f"arrayShiftLeft({needed[subset, count - 1]}, 1)"
                clauses.append(_filled(f"if({matches}, if(z = 0, {_NEVER}, z), 0)", [before], name, ["z"]))
        names += needed.values()
        moments += done
    spoilers = [_exclusion(index) for index in range(len(exclusions))]
    begins = _mapped(f"if({marks.is_any_step('k')}, t, 0)", [], [])
    done_at = _mapped(f"arraySort([{', '.join(moments)}])", names, names)
    fields = [*map(_step, range(1, steps + 1)), *spoilers]
    found = ", ".join([*(f"d[{number}]" for number in range(1, steps + 1)), *spoilers])
    nothing = ", ".join([_NONE] * len(fields))
    arguments = ", ".join(["b", "d", *spoilers])
    arrays = ", ".join([begins, done_at, *(f"{spoiler}_next" for spoiler in spoilers)])
    way = f"arrayMap(({arguments}) -> if(b > 0, tuple({found}), tuple({nothing})), {arrays})"
    clauses.append(f"arrayFilter(w -> w.1 > 0, {way}) AS ways")
    return clauses, fields


def _done(group: Sequence[int]) -> tuple[list[str], dict[tuple[tuple[int, ...], int], str]]:
    """When one, two, … of some steps are done, if one event may match several of them but serve only one.

    By Hall's theorem, all but d of them can be served by different events as soon as any set of more than d of them is
    matched by as many events, less d. Returns SQL for those moments, and the names that it needs: of the moment of the
    n-th event from here that matches one of a set.
    """
    needed: dict[tuple[tuple[int, ...], int], str] = {}
    done = []
    for left in range(len(group) - 1, -1, -1):
        moments = []
        for size in range(left + 1, len(group) + 1):
            for subset in combinations(group, size):
                for count in range(1, size - left + 1):
                    name = f"of_{'_'.join(map(str, subset))}_{count}"
                    needed.setdefault((subset, count), name)
                name = needed[subset, size - left]
                moments.append(f"if({name} = 0, {_NEVER}, {name})")
        done.append(moments[0] if len(moments) == 1 else f"arrayMax([{', '.join(moments)}])")
    return done, needed


def _filled(value: str, arrays: Sequence[str], name: str, arguments: Sequence[str] = ()) -> str:
    """The value of the next event that has one, itself included."""
    return f"arrayReverseFill(w -> w > 0, {_mapped(value, arguments, arrays)}) AS {name}"


def _mapped(value: str, arguments: Sequence[str], arrays: Sequence[str]) -> str:
    return f"arrayMap(({', '.join(['k', 't', *arguments])}) -> {value}, {', '.join(['kinds', 'times', *arrays])})"


def _step(number: int) -> str:
    return f"step{number}"


def _exclusion(index: int) -> str:
    return f"spoiler{index}"


def _micros(window: timedelta) -> int:
    return window // timedelta(microseconds=1)
