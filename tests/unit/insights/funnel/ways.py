"""Funnels in plain Python, written to be read: what the SQL is held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from burgee_server.insights.funnel import Order
from tests.fixtures.warehouse import Fact

Test = Callable[[Fact], bool]


@dataclass(frozen=True)
class Excluded:
    """What may not happen between two steps, counted from 1."""

    test: Test
    first: int
    last: int


@dataclass(frozen=True)
class Asked:
    """A funnel."""

    steps: Sequence[Test]
    window: timedelta
    order: Order = Order.ORDERED
    excluded: Sequence[Excluded] = ()

    def matched(self, fact: Fact) -> list[int]:
        """The steps that an event matches, from 1."""
        return [number for number, step in enumerate(self.steps, 1) if step(fact)]


def ways(facts: Sequence[Fact], asked: Asked) -> list[list[datetime]]:
    """For every event that may begin: when each step was reached."""
    found = {Order.ORDERED: _ordered, Order.STRICT: _strict, Order.UNORDERED: _unordered}[asked.order](facts, asked)
    return [[moment for moment in way if moment - way[0] <= asked.window] for way in found]


def counts(facts: Sequence[Fact], asked: Asked) -> list[datetime]:
    """The way that counts of one actor: the first to get furthest, the shortest of several; empty if excluded."""
    all_ways = ways(facts, asked)
    most = max(map(len, all_ways), default=0)
    clean = [way for way in all_ways if len(way) == most and not is_spoiled(way, facts, asked)]
    return min(clean, key=lambda way: (way[-1], way[-1] - way[0]), default=[])


def _ordered(facts: Sequence[Fact], asked: Asked) -> list[list[datetime]]:
    """The nearest event for the next step, again and again; of one moment, events come in the order of their steps."""
    events = sorted(facts, key=lambda fact: (fact.timestamp, asked.matched(fact)[::-1]))
    found = []
    for index, first in enumerate(events):
        if asked.steps[0](first):
            way = [first.timestamp]
            for fact in events[index + 1 :]:
                if len(way) < len(asked.steps) and asked.steps[len(way)](fact):
                    way.append(fact.timestamp)
            found.append(way)
    return found


def _strict(facts: Sequence[Fact], asked: Asked) -> list[list[datetime]]:
    """As long as each next event is the next step; what happens in the moment of a step is not between."""
    of_steps = {fact.timestamp for fact in facts if asked.matched(fact)}
    kept = [fact for fact in facts if asked.matched(fact) or fact.timestamp not in of_steps]
    events = sorted(kept, key=lambda fact: (fact.timestamp, asked.matched(fact)[::-1]))
    found = []
    for index in range(len(events)):
        way: list[datetime] = []
        for step, fact in zip(asked.steps, events[index:], strict=False):
            if not step(fact):
                break
            way.append(fact.timestamp)
        if way:
            found.append(way)
    return found


def _unordered(facts: Sequence[Fact], asked: Asked) -> list[list[datetime]]:
    """From each event of any step: when one step was done, when two, …; an event serves one step."""
    events = sorted((fact for fact in facts if asked.matched(fact)), key=lambda fact: fact.timestamp)
    found = []
    for first in events:
        way: list[datetime] = []
        since = [fact for fact in events if fact.timestamp >= first.timestamp]
        for moment in sorted({fact.timestamp for fact in since}):
            done = _most([asked.matched(fact) for fact in since if fact.timestamp <= moment])
            way += [moment] * (done - len(way))
        found.append(way)
    return found


def _most(matched: Sequence[Sequence[int]]) -> int:
    """How many steps can be served by different events (augmenting paths)."""
    served: dict[int, int] = {}

    def serve(event: int, tried: set[int]) -> bool:
        for step in matched[event]:
            if step not in tried:
                tried.add(step)
                if step not in served or serve(served[step], tried):
                    served[step] = event
                    return True
        return False

    return sum(serve(event, set()) for event in range(len(matched)))


def is_spoiled(way: Sequence[datetime], facts: Sequence[Fact], asked: Asked) -> bool:
    """Whether something excluded came after its first step and before its last, or before the window was over."""
    for excluded in asked.excluded:
        if len(way) >= excluded.first:
            since, window_end = way[excluded.first - 1], way[0] + asked.window
            for moment in (fact.timestamp for fact in facts if excluded.test(fact)):
                if len(way) >= excluded.last:
                    if since < moment < way[excluded.last - 1]:
                        return True
                elif since < moment <= window_end:
                    return True
    return False


def by_uuid(fact: Fact) -> tuple[datetime, int]:
    """The order of events of which one decides: at one moment, the one with the lesser uuid."""
    return fact.timestamp, UUID(fact.uuid).int
