"""Who started when, and in which periods they came back: SQL with a row for each actor and column of starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from burgee.evaluation.model import USER
from burgee_server.insights.asked import Asked
from burgee_server.insights.retention.model import RetentionQuery, Returns, Starts, Window
from burgee_server.insights.sql.borders import MICROS
from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.sql.columns import position_sql
from burgee_server.insights.sql.events import events_of, names_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.positions import Positions, number_of
from burgee_server.insights.sql.ranked import ranked
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.sql.turns import TURN, of_first
from burgee_server.insights.words import Interval, Part
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, LAST_TIMESTAMP, to_micros

WIDTHS = {
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(days=7),
}
"""How long a rolling period is."""

_MICROSECOND = timedelta(microseconds=1)
_EACH = "start.1 AS column, {2} AS periods FROM {0} ARRAY JOIN {1} AS start"


@dataclass(frozen=True, slots=True)
class Started:
    """Writes the SQL of one checked question. `columns` are those of starts, and as many after them as periods."""

    query: RetentionQuery
    asked: Asked
    scope: Scope
    split: Split | None
    columns: Sequence[datetime]
    end: datetime
    """Where the last column ends."""

    def rows(self) -> str:
        """A source with a row for each actor and column that it started in.

        actor; split, if there is a breakdown; `column`, the number of that column; `periods`, a number whose bit n is
        set if it is there in period n, from 1 on.
        """
        source, started, periods = self._actors()
        split = "split, " if self.split else ""
        return f"(SELECT actor, {split}{_EACH.format(source, started, periods)})"

    def rows_of_parts(self, asked: Part | None) -> str:
        """The same with kind and value, the part of each actor, in place of split. `asked` is the part that is wanted,
        if it is one."""
        source, started, periods = self._actors()
        parts = ranked(self.scope, self.split, source, f"length({started})", asked)
        return f"(SELECT actor, kind, value, {_EACH.format(parts, started, periods)})"

    def _actors(self) -> tuple[str, str, str]:
        """A source with a row for each actor; SQL for where it started, and for the periods of the one in `start`."""
        actors, started, periods = self._rolling() if self.query.window is Window.ROLLING else self._calendar()
        return self.split.values(self.scope, actors) if self.split else f"({actors})", started, periods

    @property
    def number(self) -> str:
        """The type of `periods`."""
        return number_of(self.query.periods + 2)

    def _calendar(self) -> tuple[str, str, str]:
        """A query for the actors, and SQL as of `_actors`."""
        starts, returns = Positions("starts", len(self.columns)), Positions("returns", len(self.columns))
        select = [
            *self._split(),
            "max(is_return * (position + 1)) AS last" if self._later else returns.gathered("is_return"),
        ]
        if self._is_first:
            select.append("minOrNullIf(at, is_start) AS started")
            having, started = f"started >= {self._start}", f"[tuple({self._position('assumeNotNull(started)')})]"
        else:
            select.append(starts.gathered("is_start"))
            having, started = starts.some, f"arrayMap(each -> tuple(each), {starts.listed})"
        actors = f"SELECT actor, {', '.join(select)} FROM ({self._events()}) GROUP BY actor HAVING {having}"
        if self._later:
            # Here until the last of the periods up to the last return; 0 is for the start, and is no return.
            return actors, started, self._up_to("toInt64(last) - 1 - start.1")
        if (since := returns.since("start.1")) is None:
            return actors, started, self._bits("toInt32(each) - start.1", returns.listed)
        return actors, started, f"to{self.number}({since})"

    def _rolling(self) -> tuple[str, str, str]:
        """The same."""
        if self._is_first:
            actors = self._of_users() if self.query.count_by == USER else self._of_buckets("actor, bucket")
            moment = "assumeNotNull(started)"
            started = f"[({self._position(moment)}, {moment})]"
        else:
            actors = self._of_buckets("actor, position, bucket")
            # The earliest of each column: those after it have the same column before them.
            columns_before = "arrayPushFront(arrayPopBack(arrayMap(each -> toInt32(each.1), starts)), -1)"
            started = f"arrayFilter((each, before) -> each.1 != before, starts, {columns_before})"
        if self._later:
            return actors, started, self._up_to(f"intDiv(arrayMax(returns) - start.2, {self._width})")
        return actors, started, self._bits(f"intDiv(each - start.2, {self._width})")

    def _of_users(self) -> str:
        """The actors with their first starts and all their returns: users have few events each."""
        select = [*self._split(), "groupArrayIf(at, is_return) AS returns", "minOrNullIf(at, is_start) AS started"]
        return (
            f"SELECT actor, {', '.join(select)} FROM ({self._events()}) GROUP BY actor HAVING started >= {self._start}"
        )

    def _of_buckets(self, by: str) -> str:
        """The actors with their starts, or the first, and of their returns those that matter.

        A period of an actor touches two buckets of its width, and each bucket two periods: so what happened in a bucket
        is known, period by period, from the first and the last of it.
        """
        pieces = [
            "minOrNullIf(at, is_start) AS first_start",
            "minOrNullIf(at, is_return) AS first_return",
            "maxOrNullIf(at, is_return) AS last_return",
        ]
        returns = "groupArrayIf(assumeNotNull({0}_return), isNotNull({0}_return))"
        select = [f"arrayConcat({returns.format('first')}, {returns.format('last')}) AS returns"]
        if self.split:
            pieces += [
                "argMinIf(tuple(value), turn, is_start) AS first_value",
                "minIf(turn, is_start) AS first_turn",
            ]
            select.append("argMinIf(first_value, first_turn, isNotNull(first_start)).1 AS split")
        if self._is_first:
            select.append("min(first_start) AS started")
            having = f"started >= {self._start}"
        else:
            select.append(
                "arraySort(groupArrayIf((position, assumeNotNull(first_start)), isNotNull(first_start))) AS starts"
            )
            having = "notEmpty(starts)"
        buckets = (
            f"SELECT {by.replace('bucket', f'intDiv(at, {self._width}) AS bucket')}, {', '.join(pieces)}"
            f" FROM ({self._events()}) GROUP BY {by}"
        )
        return f"SELECT actor, {', '.join(select)} FROM ({buckets}) GROUP BY actor HAVING {having}"

    def _events(self) -> str:
        """What starts and what returns, with `at`, `position`, and what the split goes by."""
        writer = FilterWriter(self.scope, self.asked)
        query, actor = self.query, self.scope.event_key(self.query.count_by)
        starts = [*events_of(query.start_event, writer, "start_event"), f"at < {self._micros(self.asked.span.end)}"]
        returns = [*events_of(query.return_event, writer, "return_event"), f"at >= {self._start}"]
        select = [
            f"{actor.text} AS actor",
            f"{MICROS if self._is_exact else self.scope.borders.placed(self._borders)} AS at",
            f"{position_sql(self.scope, self.columns)} AS position",
            f"({' AND '.join(starts)}) AS is_start",
            f"({' AND '.join(returns)}) AS is_return",
        ]
        if self.split:
            select += [f"{self.split.column(self.scope)} AS value", TURN]
        where = [f"NOT {actor.missing}", *writer.where(query.filter, "filter")]
        names = [each for each in names_of((query.start_event, query.return_event), self.asked) if each is not None]
        if len(names) == 2:
            where.append(f"event IN {self.scope.bind(sorted(names[0] | names[1]), 'Array(String)')}")
        since = FIRST_TIMESTAMP if self._is_first else self.asked.span.start
        return self.scope.events(select, [*where, "(is_start OR is_return)"], since=since, until=self._until)

    def _split(self) -> list[str]:
        """An actor's value is that at its first start; of two at one moment, the lesser uuid decides."""
        if self.split is None:
            return []
        return [f"{of_first('value', 'is_start', is_text=self.split.is_text)} AS split"]

    @property
    def _is_exact(self) -> bool:
        """Whether it matters when in a column an event was: for a period of one's own, and for what came first."""
        return self.query.window is Window.ROLLING or self.split is not None

    @property
    def _borders(self) -> list[datetime]:
        return [*self.columns, self.asked.span.start, self.asked.span.end]

    @property
    def _until(self) -> datetime:
        if self._later:
            return LAST_TIMESTAMP
        if self.query.window is Window.ROLLING:
            return self.asked.span.end + WIDTHS[self.query.interval] * (self.query.periods + 1)
        return self.end

    @property
    def _is_first(self) -> bool:
        return self.query.starts is Starts.FIRST_TIME

    @property
    def _later(self) -> bool:
        return self.query.returns is Returns.ON_OR_AFTER

    @property
    def _start(self) -> str:
        return self._micros(self.asked.span.start)

    @property
    def _width(self) -> str:
        return self.scope.bind(WIDTHS[self.query.interval] // _MICROSECOND, "Int64")

    def _micros(self, moment: datetime) -> str:
        return self.scope.bind(to_micros(moment), "Int64")

    def _position(self, micros: str) -> str:
        return position_sql(self.scope, self.columns, micros)

    def _bits(self, period: str, returns: str = "returns") -> str:
        """A number with the bits of the periods of `each` of the returns; too early or late are bits not read."""
        number = f"greatest(0, least({period}, {self.query.periods + 1}))"
        return f"arrayReduce('groupBitOr', arrayMap(each -> bitShiftLeft(to{self.number}(1), {number}), {returns}))"

    def _up_to(self, last: str) -> str:
        """A number with the bits from 1 to the last period, or to the last that is asked for."""
        return f"bitShiftLeft(to{self.number}(2), greatest(0, least({last}, {self.query.periods}))) - 2"
