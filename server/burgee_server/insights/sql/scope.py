"""The rows that a question may see: those of one environment in one span. No other module names a table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from burgee.evaluation import USER, Condition, Operator
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.attributes import (
    Reading,
    Value,
    guessed_value,
    key_reading,
    parent_text,
    property_reading,
    value_of,
)
from burgee_server.insights.sql.borders import PLACED, Borders, clipped
from burgee_server.insights.sql.keysets import lists_of, names
from burgee_server.insights.sql.operators import to_sql
from burgee_server.insights.words import AsOf
from burgee_server.ports.vocabulary import NamedCohort
from burgee_server.ports.warehouse import (
    FIRST_TIMESTAMP,
    LAST_TIMESTAMP,
    Statement,
    group_column,
    property_column,
    to_micros,
)

MAX_COHORTS = 100
"""How many cohorts a statement may ask for, with those that they ask for."""


class Scope:
    """Builds one statement: its tables, always with their environment, and the values bound in it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.as_of = asked.terms.properties_as_of
        """When the groups above those that events name are looked at, in what is being written."""
        self._lists: set[str] = set()
        self._cohorts = 0
        self._left_out: str | None = None
        self._confinement: dict[AsOf, str] = {}
        self._is_everywhere = False
        span = asked.span
        self._joins: dict[str, str] = {}
        self._group_keys: dict[tuple[str, AsOf], tuple[str, str]] = {}
        self._guessed: set[str] = set()
        self.borders = Borders(self.bind)
        self.patterns: dict[str, str] = {}
        """The path of each pattern that is a field of the request."""
        self._has_aliases = asked.vocabulary.has_aliases
        self._parent_types = asked.vocabulary.parent_types
        self._parameters: dict[str, Any] = {
            "environment_id": asked.terms.environment_id,
            "start": to_micros(clipped(span.start)),
            "end": to_micros(clipped(span.end)),
        }

    def bind(self, value: Any, type_: str) -> str:
        """SQL for a value from outside: a parameter of this ClickHouse type."""
        name = f"p{len(self._parameters)}"
        self._parameters[name] = value
        return f"{{{name}:{type_}}}"

    def name_pattern(self, condition: Condition, path: str) -> None:
        """Say which field the pattern of a condition is, if it has one: ClickHouse alone may find it too large.

        That of a cohort which a question asks for has a path from there, and is no field of the question.
        """
        if condition.operator is Operator.MATCHES and not path.startswith("."):
            self.patterns[to_sql(str(condition.values[0]))] = f"{path}.values[0]"

    def bind_ids(self, value: Any, type_: str) -> str:
        """As bind() does, for what is compared with a person: of a list of ids, those that stand for who has them."""
        bound = self.bind(value, type_)
        if not self._has_aliases or type_ != "Array(String)":
            return bound
        return f"arrayMap(id -> {self.person('id')}, {bound})"

    def events(
        self,
        select: Sequence[str],
        where: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        everyones: bool = False,
    ) -> str:
        """A query for the events of the environment in the span that meet every condition of `where`.

        `since` and `until` stand in place of the start and the end of the span: FIRST_TIMESTAMP and LAST_TIMESTAMP for
        all that ever were. Without those of the environment's own people, unless they were asked for, or everyone's.
        Of those of a question that is confined to one group, in cohorts and wherever else, only that group's.
        """
        conditions = [*where, *self._confined(), *([] if everyones else self._internal())]
        keys, joins = self._read_by(" ".join((*select, *conditions)))
        start = self.asked.span.start if since is None else since
        end = self.asked.span.end if until is None else until
        words = " ".join((*keys, *select, *joins, *conditions))
        apart = self.borders.apart(start, end, words)
        queries = [
            _select(
                [each.replace(PLACED, moment) for each in select],
                " ".join(("events FINAL", *joins)),
                ["environment_id = {environment_id:UInt32}", *times, *conditions],
            )
            for moment, times in apart
        ]
        named = ", ".join((f"{self.person('distinct_id')} AS person", *keys))
        return " UNION ALL ".join(f"WITH {named} {query}" for query in queries)

    def heard(self, select: Sequence[str], where: Sequence[str] = ()) -> str:
        """A query for the environment's events of all time, each as often as it came in: a LIMIT ends it early."""
        return _select(select, "events", ["environment_id = {environment_id:UInt32}", *where])

    def looks_up(self, conditions: Sequence[str]) -> bool:
        """Whether events() asks for other rows than those of events to see whether these hold."""
        words = " ".join(conditions)
        keys, joins = self._read_by(words)
        return "SELECT" in " ".join((words, *keys, *joins))

    def _read_by(self, words: str) -> tuple[list[str], list[str]]:
        """The keys of groups that these words, or what they read, have by name; and the joins."""
        made, read, texts = {**dict(self._group_keys.values()), **self._joins}, set[str](), [words]
        for text in texts:
            new = [name for name in made if name not in read and name in text]
            read.update(new)
            texts += [made[name] for name in new]
        keys = [f"{sql} AS {name}" for name, sql in self._group_keys.values() if name in read]
        return keys, [join for name, join in self._joins.items() if name in read]

    def _confined(self) -> list[str]:
        """The condition that leaves the events of the one group that the question is confined to, if it is to one."""
        one = self.asked.terms.confined_to
        if one is None or self._is_everywhere:
            return []
        if self.as_of not in self._confinement:
            self._confinement[self.as_of] = f"{self.event_key(one.group_type).text} = {self.bind(one.key, 'String')}"
        return [self._confinement[self.as_of]]

    def _internal(self) -> list[str]:
        """The condition that leaves out the environment's own people, if there are any to leave out."""
        cohort = self.asked.vocabulary.cohorts.get(self.asked.vocabulary.internal_cohort_key)
        if cohort is None or self.asked.terms.include_internal:
            return []
        # A cohort is made of events, and events may be those of whoever is not in a cohort.
        from burgee_server.insights.sql.cohorts import members

        if self._left_out is None:
            self._is_everywhere = True  # who is internal is so by what was done anywhere
            keys = members(self, cohort.group_type, cohort.key, "include_internal")
            self._is_everywhere = False  # if members() raises, there is no statement
            self._left_out = f"NOT ({names(self.event_key(cohort.group_type), keys)})"
        return [self._left_out]

    @property
    def leaves_out(self) -> bool:
        """Whether events() leaves out the environment's own people."""
        return bool(self._internal())

    def person(self, distinct_id: str) -> str:
        """SQL for the id that stands for the person who has an id."""
        if not self._has_aliases:
            return distinct_id
        known = "aliases FINAL WHERE environment_id = {environment_id:UInt32}"
        ids, persons = lists_of(f"(SELECT (groupArray(distinct_id), groupArray(person)) FROM {known})")
        return f"transform({distinct_id}, {ids}, {persons}, {distinct_id})"

    def event_key(self, owner: str) -> Reading:
        """The user or group that an event names, read from events(): of a user, the id that stands for the person.

        Of a type that the event names none of, the one that another which it names belongs to: now, or, where profiles
        are looked at as of the event, then.
        """
        if owner == USER:
            return key_reading("person")
        own_column = owner in self.asked.group_columns
        named = key_reading(group_column(owner) if own_column else property_column("groups", owner, "String"))
        below = sorted((each for each, parent in self._parent_types.items() if parent == owner), key=str.encode)
        asked = owner, self.as_of
        if below and asked not in self._group_keys:
            either = ", ".join([named.text, *(self._parent_key(child, owner) for child in below)])
            self._group_keys[asked] = f"group_key_{len(self._group_keys)}_", f"coalesce({either})"
        return key_reading(self._group_keys[asked][0]) if below else named

    def _parent_key(self, child: str, parent: str) -> str:
        """SQL for the key of the group of one type that the group of another, which an event names, belongs to."""
        key = f"ifNull({self.event_key(child).text}, '')"
        value, names_one = parent_text(parent)
        if self.as_of is AsOf.EVENT:
            versions = self.profile_versions(child, f"if({names_one}, assumeNotNull({value}), '')", "parent")
            return f"nullIf({self.joined(child, 'parent', versions)}, '')"
        known = self.profiles(child, [f"(groupArray(group_key), groupArray(assumeNotNull({value})))"], [names_one])
        children, parents = lists_of(f"({known})")
        return f"nullIf(transform({key}, {children}, {parents}, ''), '')"

    def is_column(self, group_type: str) -> bool:
        """Whether the keys of groups of a type are a column of events, as they are."""
        return group_type in self.asked.group_columns and group_type not in self._parent_types.values()

    def event_property(self, name: str) -> Reading:
        """A property of an event, read from events()."""
        return property_reading("properties", name, has_columns=name in self.asked.property_columns)

    def value(self, name: str) -> Value:
        """A property of an event: for what events() selects, not for what it asks of events.

        Guessed to be of one type, unless it is known not to be, or nothing may be guessed.
        """
        mixed = self.asked.mixed
        if mixed is None or name in mixed:
            return value_of(self.event_property(name))
        self._guessed.add(name)
        return guessed_value("properties", name, has_columns=name in self.asked.property_columns)

    def known(self, owner: str) -> str:
        """A query for the `key` of everybody who has a profile or was ever named by an event."""
        own = ["environment_id = {environment_id:UInt32}", f"type = {self.bind(owner, 'String')}"]
        seen, kept = _select(["key"], "activity", own), self.profiles(owner, [f"{profile_key(owner)} AS key"])
        return self._persons(owner, f"{seen} UNION DISTINCT {kept}")

    def listed(self, cohort: NamedCohort) -> str:
        """A query for the `key` of every member of a listed cohort."""
        self._lists.add(cohort.key)
        which = f"cohort_id = {self.bind(cohort.cohort_id, 'UInt32')}"
        own = ["environment_id = {environment_id:UInt32}", which, "NOT removed"]
        return self._persons(cohort.group_type, _select(["key"], "cohort_members FINAL", own))

    def with_aliases(self, keys: str) -> str:
        """A query for the keys that a query for the `key` of persons gives, and for every other id of theirs."""
        if not self._has_aliases:
            return keys
        theirs = ["environment_id = {environment_id:UInt32}", f"person IN ({keys})"]
        return f"{keys} UNION ALL {_select(['distinct_id AS key'], 'aliases FINAL', theirs)}"

    def _persons(self, owner: str, keys: str) -> str:
        """The same keys; of persons, those that stand for them."""
        if owner != USER or not self._has_aliases:
            return keys
        return f"SELECT {self.person('id')} AS key FROM (SELECT key AS id FROM ({keys}))"

    def count_cohort(self, path: str) -> None:
        """One cohort more is written into the statement. Raises Invalid beyond 100."""
        self._cohorts += 1
        if self._cohorts > MAX_COHORTS:
            raise Invalid.of(path, f"asks for more than {MAX_COHORTS} cohorts, each as often as it is asked for")

    def profiles(self, owner: str, select: Sequence[str], where: Sequence[str] = ()) -> str:
        """A query for the profiles of the environment's users, or of its groups of a type, as they are now."""
        own = ["environment_id = {environment_id:UInt32}"]
        if owner == USER:
            return _select(select, "persons FINAL", [*own, *where])
        return _select(select, "groups FINAL", [*own, f"group_type = {self.bind(owner, 'String')}", *where])

    def profile_versions(self, owner: str, sql: str, name: str) -> str:
        """A query for what the profiles of the environment's users, or of its groups of a type, ever were.

        `profile_key`, since when, `at`, and as `name` what `sql` makes of that version; the later of two of a moment.
        """
        key = self.person("key") if owner == USER else "key"
        own = ["environment_id = {environment_id:UInt32}", f"group_type = {self.bind(owner, 'String')}"]
        select = [f"{key} AS profile_key", "at", f"tuple({sql}) AS made", "revision"]
        versions = _select(select, "profile_versions FINAL", own)
        latest = f"argMax(made, revision).1 AS {name}"
        return f"SELECT profile_key, at, {latest} FROM ({versions}) GROUP BY profile_key, at"

    def joined(self, owner: str, column: str, versions: str) -> str:
        """The name of `column` of the version that was in force at an event: for events(), which joins what it needs.

        `versions` is a query like profile_versions(), with a number or a text; 0 or empty where there was none.
        """
        key = f"ifNull({self.event_key(owner).text}, '')"
        name = f"version_{len(self._joins)}_"
        renamed = f"SELECT profile_key AS {name}key, at AS {name}at, {column} AS {name}{column} FROM ({versions})"
        self._joins[name] = f"ASOF LEFT JOIN ({renamed}) AS {name} ON {key} = {name}key AND timestamp >= {name}at"
        return f"{name}{column}"

    def statement(self, sql: str) -> Statement:
        """The whole, with what was bound."""
        return Statement(sql, self._parameters, frozenset(self._lists), frozenset(self._guessed), self.patterns)


def first_event(asked: Asked) -> Statement:
    """Asks for one row: how many there are to be seen, and when the first event was, in microseconds."""
    scope = Scope(asked)
    seen = _select(["first_seen_at AS at"], "activity", ["environment_id = {environment_id:UInt32}", "type = 'user'"])
    if asked.terms.confined_to:
        seen = scope.events(["timestamp AS at"], [], since=FIRST_TIMESTAMP, until=LAST_TIMESTAMP, everyones=True)
    return scope.statement(f"SELECT count(), toUnixTimestamp64Micro(min(at)) FROM ({seen})")


def profile_key(owner: str) -> str:
    """The column of profiles() that holds the key."""
    return "distinct_id" if owner == USER else "group_key"


def _select(columns: Sequence[str], table: str, where: Sequence[str]) -> str:
    return " ".join(("SELECT", ", ".join(columns), "FROM", table, "WHERE", " AND ".join(where)))
