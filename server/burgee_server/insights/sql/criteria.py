"""Who meets the criterion of a computed cohort, as SQL over profiles and events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from burgee_server.errors import Invalid, Violation
from burgee_server.insights.sql.events import events_of, names_of
from burgee_server.insights.sql.filters import MAX_DEPTH, FilterWriter
from burgee_server.insights.sql.holders import HolderWriter
from burgee_server.insights.sql.keysets import NOBODY, KeySet, every, some
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.timerange import Span, span, zone_of
from burgee_server.insights.words import AsOf, TimeRange
from burgee_server.ports.criteria import (
    Between,
    Comparison,
    Computed,
    Criterion,
    Events,
    Every,
    FirstPerformed,
    Having,
    InCohort,
    InOrder,
    Performed,
    Some,
    Stopped,
    Unless,
)
from burgee_server.ports.warehouse import FIRST_TIMESTAMP

MAX_STEPS = 20
_MICROSECOND = timedelta(microseconds=1)
MAX_TIMES = 1_000_000


class CriterionWriter:
    """Writes one computed cohort into a statement. A cohort may have 200 conditions."""

    def __init__(self, scope: Scope, group_type: str, computed: Computed, within: tuple[str, ...]) -> None:
        self._scope = scope
        # Of a cohort as it is now, whatever the question looks at.
        self._asked = replace(scope.asked, terms=replace(scope.asked.terms, properties_as_of=AsOf.NOW))
        self._computed = computed
        with self._now():
            self._key = scope.event_key(group_type)
        self._writer = FilterWriter(scope, self._asked, within)
        self._holders = HolderWriter(self._writer, group_type)
        self._strict = False

    def check(self, path: str) -> None:
        """Raise Invalid for what cannot be computed, and for a range that has no time in it now."""
        self._strict = True
        try:
            zone_of(self._computed.time_zone)
        except Invalid as error:
            raise Invalid(*(Violation(f"{path}.{each.field}", each.reason) for each in error.violations)) from error
        with self._now():
            self._write(self._computed.criterion, f"{path}.criterion", 1)

    def members(self, path: str) -> KeySet:
        """Who meets the criterion. A range that has come to an end before its beginning has nobody. Raises Invalid."""
        with self._now():
            return self._write(self._computed.criterion, path, 1)

    @contextmanager
    def _now(self) -> Iterator[None]:
        """What is written meanwhile looks at the groups above others as they are now, whatever the question does."""
        before, self._scope.as_of = self._scope.as_of, AsOf.NOW
        try:
            yield
        finally:
            self._scope.as_of = before

    def _write(self, criterion: Criterion, path: str, depth: int) -> KeySet:
        if depth > MAX_DEPTH:
            raise Invalid.of(path, f"criteria may be {MAX_DEPTH} deep")
        match criterion:
            case Having(filter_):
                return self._holders.write(filter_, f"{path}.properties")
            case Performed():
                return self._performed(criterion, f"{path}.performed")
            case FirstPerformed(events, between):
                return self._by_times(events, between, f"{path}.first_performed", "min(timestamp) >= {start}")
            case Stopped(events, between):
                return self._by_times(events, between, f"{path}.stopped", "max(timestamp) < {start}")
            case InOrder():
                return self._in_order(criterion, f"{path}.in_order")
            case InCohort(cohort_key):
                return self._writer.cohort(self._holders.group_type, cohort_key, f"{path}.cohort_key")
            case Unless(inner):
                return ~self._write(inner, f"{path}.not", depth + 1)
            case Every(criteria):
                return every(self._branches(criteria, f"{path}.all", depth))
            case Some(criteria):
                return some(self._branches(criteria, f"{path}.any", depth))

    def _branches(self, criteria: tuple[Criterion, ...], path: str, depth: int) -> list[KeySet]:
        if not criteria:
            raise Invalid.of(f"{path}.criteria", "must have at least one criterion")
        return [self._write(each, f"{path}.criteria[{index}]", depth + 1) for index, each in enumerate(criteria)]

    def _performed(self, criterion: Performed, path: str) -> KeySet:
        comparison, times = criterion.comparison, criterion.times
        if times > MAX_TIMES or (times == 0 and comparison is Comparison.AT_LEAST):
            least = 1 if comparison is Comparison.AT_LEAST else 0
            raise Invalid.of(f"{path}.{comparison.value}", f"must be {least} to {MAX_TIMES:,}")
        within = self._span(criterion.range, f"{path}.range")
        rows = self._events(criterion.events, within, f"{path}.events")
        if comparison is Comparison.AT_MOST:
            return ~_counted(rows, f"count() > {times}")
        if times == 0:
            return ~_counted(rows, "count() > 0")
        return _counted(rows, f"count() {'=' if comparison is Comparison.EXACTLY else '>='} {times}")

    def _by_times(self, events: Events, between: Between, path: str, having: str) -> KeySet:
        """By when they did it, of all time up to the end of the range."""
        within = self._span(between, f"{path}.range")
        if within is None:
            self._events(events, within, f"{path}.events")
            return NOBODY
        ever = Span(FIRST_TIMESTAMP, within.end, within.zone)
        rows = self._events(events, ever, f"{path}.events", "timestamp")
        return _counted(rows, having.format(start=self._scope.borders.moment(within.start)))

    def _in_order(self, criterion: InOrder, path: str) -> KeySet:
        if not 2 <= len(criterion.steps) <= MAX_STEPS:
            raise Invalid.of(f"{path}.steps", f"must have 2 to {MAX_STEPS} steps")
        micros = criterion.window // _MICROSECOND
        if micros <= 0:
            raise Invalid.of(f"{path}.window", "must be longer than nothing")
        within = self._span(criterion.range, f"{path}.range")
        steps = [
            " AND ".join(events_of(step, self._writer, f"{path}.steps[{index}]"))
            for index, step in enumerate(criterion.steps)
        ]
        if within is None:
            return NOBODY
        names = [each for each in names_of(criterion.steps, self._asked) if each is not None]
        every_name = frozenset[str]().union(*names)
        where = [f"NOT {self._key.missing}"]
        if len(names) == len(steps):
            where.append(f"event IN {self._scope.bind(sorted(every_name), 'Array(String)')}")
        # An event serves one step, and those of one moment count as in order: as in a funnel.
        once = len(names) == len(steps) and len(every_name) == sum(map(len, names))
        columns = [f"({step}) AS step{number}" for number, step in enumerate(steps)]
        rows = self._scope.events(
            [f"assumeNotNull({self._key.text}) AS key", "toUInt64(toUnixTimestamp64Micro(timestamp)) AS at", *columns],
            where,
            since=within.start,
            until=within.end,
            everyones=True,
        )
        reached = ", ".join(f"step{number}" for number in range(len(steps)))
        mode = "" if once else ", 'strict_once'"
        window = self._scope.bind(micros, "UInt64")
        return _counted(rows, f"windowFunnel({window}{mode})(at, {reached}) = {len(steps)}")

    def _events(self, events: Events, within: Span | None, path: str, *columns: str) -> str:
        where = [f"NOT {self._key.missing}", *events_of(events, self._writer, path)]
        if within is None:
            return NOBODY.sql
        return self._scope.events(
            [f"assumeNotNull({self._key.text}) AS key", *columns],
            where,
            since=within.start,
            until=within.end,
            everyones=True,
        )

    def _span(self, between: Between, path: str) -> Span | None:
        """None for one that has no time in it: it was right when it was written, and time goes on."""
        written = TimeRange(between.start, between.end)
        try:
            return span(written, self._computed.time_zone, self._asked.now, FIRST_TIMESTAMP)
        except Invalid as error:
            [violation] = error.violations
            if violation.field == "range" and not self._strict:
                return None
            field = violation.field.replace("range", path, 1)
            raise Invalid(Violation(field, violation.reason)) from error


def _counted(rows: str, having: str) -> KeySet:
    return KeySet(f"SELECT key FROM ({rows}) GROUP BY key HAVING {having}")
