"""What an event means to a funnel, as SQL: its moment, and its kind, which tells what steps and exclusions it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from burgee_server.errors import Invalid
from burgee_server.insights.funnel.model import FunnelQuery, Order
from burgee_server.insights.sql.events import EventMatch, between, events_of, names_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.scope import Scope

# The kinds of events that match one thing at most, in the order in which those of one moment are taken.
_EXCLUSION, _STEP, _OTHER, _KIND_BITS = 0, 16, 63, 6
_OTHER_MASK = 1 << 31

MAX_ALIKE = 5
"""Every set of such steps is looked at: 2 to the power of this many."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How events are marked, and what is made of one actor's.

    Where an event can match one step or exclusion at most, by its name, its kind is a number that goes into one number
    with its moment: sorting those takes a third of the time. Elsewhere its kind is a bit for each step, and for each
    exclusion.
    """

    steps: tuple[str, ...]
    exclusions: tuple[str, ...]
    names: tuple[str, ...]
    """The events of interest; empty: all."""
    between: tuple[str, ...]
    """Conditions for all that is looked at where what lies between the steps counts."""
    alike: tuple[tuple[int, ...], ...]
    """The steps, numbered from 1, in groups of those that one event may match, by its name."""
    is_strict: bool
    is_disjoint: bool

    def columns(self) -> list[str]:
        """What events() must select."""
        at = "toUInt64(toUnixTimestamp64Micro(timestamp)) AS at"
        if not self.is_disjoint:
            return [at, f"({_mask(self.steps)}, {_mask(self.exclusions)}) AS kind"]
        kinds = [(step, _STEP + number) for number, step in enumerate(self.steps, 1)]
        kinds += [(exclusion, _EXCLUSION + number) for number, exclusion in enumerate(self.exclusions, 1)]
        branches = ", ".join(f"{condition}, {kind}" for condition, kind in kinds)
        return [at, f"toUInt8(multiIf({branches}, {_OTHER})) AS kind"]

    def where(self, scope: Scope) -> list[str]:
        """What events() may leave out."""
        return [f"event IN {scope.bind(list(self.names), 'Array(String)')}"] if self.names else [*self.between]

    def grouped(self) -> str:
        """The marks of one actor, sorted: an aggregate over columns()."""
        return f"arraySort({self.gathered()})"

    def gathered(self, beside: str = "") -> str:
        """The marks of one actor: an aggregate over columns(). With `beside`, that of each event, in the same order."""
        if self.is_disjoint:
            mark = beside or f"bitOr(bitShiftLeft(at, {_KIND_BITS}), kind)"
            return f"groupArray({mark})" if self.is_strict else f"groupArrayIf({mark}, kind != {_OTHER})"
        steps = f"groupArrayIf({beside or '(at, kind.1, toUInt32(0))'}, kind.1 > 0)"
        exclusions = f"groupArrayIf({beside or '(at, toUInt32(0), kind.2)'}, kind.2 > 0)"
        others = f"groupArrayIf({beside or f'(at, toUInt32({_OTHER_MASK}), toUInt32(0))'}, kind.1 = 0)"
        return f"arrayConcat({steps}, {others if self.is_strict else exclusions})"

    def unpacked(self) -> list[str]:
        """From `marks` to the arrays `times` and `kinds`, as WITH clauses.

        In a strict funnel, what happens in the very moment of a step is not between it and another.
        """
        time, kind = f"bitShiftRight(m, {_KIND_BITS})" if self.is_disjoint else "m.1", self.kind("m")
        if not self.is_strict:
            return [f"arrayMap(m -> {time}, marks) AS times", f"arrayMap(m -> {kind}, marks) AS kinds"]
        other = f"{kind} = {_OTHER}" if self.is_disjoint else f"m.2 = {_OTHER_MASK}"
        return [
            f"arrayFill(z -> z > 0, arrayMap(m -> if({other}, 0, {time}), marks)) AS latest",
            f"arrayFilter((m, z) -> NOT ({other}) OR {time} != z, marks, latest) AS kept",
            f"arrayMap(m -> {time}, kept) AS times",
            f"arrayMap(m -> {kind}, kept) AS kinds",
        ]

    def kind(self, mark: str) -> str:
        """The kind of a mark."""
        if self.is_disjoint:
            return f"toUInt8(bitAnd({mark}, {(1 << _KIND_BITS) - 1}))"
        return f"({mark}.2, {mark}.3)"

    def is_step(self, kind: str, number: int | str) -> str:
        """Whether an event of this kind matches a step: its number, from 1, or SQL for it."""
        return f"{kind} = {_STEP} + {number}" if self.is_disjoint else f"bitTest({kind}.1, {number} - 1)"

    def is_any_step(self, kind: str) -> str:
        """Whether it matches a step at all."""
        if self.is_disjoint:
            return f"{kind} BETWEEN {_STEP + 1} AND {_STEP + len(self.steps)}"
        return f"{kind}.1 BETWEEN 1 AND {_OTHER_MASK - 1}"

    def is_exclusion(self, kind: str, number: int) -> str:
        """Whether it matches an exclusion."""
        return f"{kind} = {_EXCLUSION + number}" if self.is_disjoint else f"bitTest({kind}.2, {number - 1})"


def mark(query: FunnelQuery, writer: FilterWriter) -> Marks:
    """Write the steps and exclusions of a checked funnel. Raises Invalid for their events and filters."""
    steps = [_condition(step, writer, f"steps[{index}]") for index, step in enumerate(query.steps)]
    exclusions = [_condition(each, writer, f"exclusions[{index}]") for index, each in enumerate(query.exclusions)]
    names = names_of([*query.steps, *query.exclusions], writer.asked)
    known = [each for each in names if each is not None]
    every = frozenset[str]().union(*known)
    is_strict = query.order is Order.STRICT
    alike = _alike(names[: len(steps)])
    if query.order is Order.UNORDERED and max(map(len, alike)) > MAX_ALIKE:
        raise Invalid.of("steps", f"at most {MAX_ALIKE} steps of an unordered funnel may be of one event, or of any")
    return Marks(
        steps=tuple(steps),
        exclusions=tuple(exclusions),
        names=() if is_strict or len(known) < len(names) else tuple(sorted(every)),
        between=tuple(between([*query.steps, *query.exclusions], writer.asked)),
        alike=alike,
        is_strict=is_strict,
        is_disjoint=len(known) == len(names) and len(every) == sum(map(len, known)),
    )


def _condition(match: EventMatch, writer: FilterWriter, path: str) -> str:
    return f"({' AND '.join(events_of(match, writer, path))})"


def _alike(names: Sequence[frozenset[str] | None]) -> tuple[tuple[int, ...], ...]:
    groups: list[tuple[frozenset[str] | None, tuple[int, ...]]] = []
    for number, own in enumerate(names, 1):
        joined = own
        members: tuple[int, ...] = (number,)
        for group in list(groups):
            if joined is None or group[0] is None or joined & group[0]:
                groups.remove(group)
                joined = None if joined is None or group[0] is None else joined | group[0]
                members = (*group[1], *members)
        groups.append((joined, members))
    return tuple(members for _, members in groups)


def _mask(conditions: Sequence[str]) -> str:
    bits = [f"bitShiftLeft(toUInt32({condition}), {bit})" for bit, condition in enumerate(conditions)]
    return f"toUInt32({' + '.join(bits) or '0'})"
