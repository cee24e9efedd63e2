"""The mapping file: which columns of somebody else's table are what of an event. TOML; docs/import.md explains it."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from burgee_server.cli.imports.times import UNITS
from burgee_server.names import group_type_fault, name_fault


class BadMapping(Exception):
    """A mapping file that cannot be used. The message names the key."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: a key that is not one of its own is an error."""


class Origin(_Table, frozen=True):
    """Where a text comes from: a column, the first of some that is not empty, or always the same."""

    column: str | None = None
    first_of: tuple[str, ...] = ()
    constant: str | None = None

    def columns(self) -> tuple[str, ...]:
        """The columns to look in, in order."""
        return self.first_of or ((self.column,) if self.column else ())


class Time(_Table, frozen=True):
    """When it happened."""

    column: str
    format: str = ""
    time_zone: str = "UTC"


class Identity(_Table, frozen=True):
    """What makes a uuid where there is none: columns that together are never the same twice."""

    made_of: tuple[str, ...]


class PropertyOrigin(_Table, frozen=True):
    """Where a property comes from, and what its text is to be read as."""

    column: str | None = None
    constant: str | int | float | bool | None = None
    type: Literal["text", "number", "boolean", "json"] | None = None


class Groups(_Table, frozen=True):
    """The groups: a column for each type, and an object of types and keys."""

    columns: dict[str, str] = {}
    object: str | None = None


class Properties(_Table, frozen=True):
    """The properties: columns, an object, and every column that nothing else uses; without those that are dropped."""

    columns: dict[str, str | PropertyOrigin] = {}
    object: str | None = None
    rest: bool = False
    drop: tuple[str, ...] = ()


class Condition(_Table, frozen=True):
    """Records whose column has one of these values; a value that is missing is an empty text."""

    column: str
    values: tuple[str, ...]


class Csv(_Table, frozen=True):
    """How a CSV file is written."""

    delimiter: str = ""


class Mapping(_Table, frozen=True):
    """A whole mapping file."""

    event: str | Origin
    distinct_id: str | Origin
    timestamp: str | Time
    uuid: str | Identity | None = None
    groups: Groups = Groups()
    properties: Properties = Properties()
    skip: tuple[Condition, ...] = ()
    only: tuple[Condition, ...] = ()
    csv: Csv = Csv()

    def paths(self) -> Iterator[tuple[str, str]]:
        """Every column that is named, with the key that names it."""
        for key, origin in (("event", origin_of(self.event)), ("distinct_id", origin_of(self.distinct_id))):
            yield from ((key, column) for column in origin.columns())
        yield "timestamp", time_of(self.timestamp).column
        if isinstance(self.uuid, Identity):
            yield from (("uuid.made_of", column) for column in self.uuid.made_of)
        elif self.uuid:
            yield "uuid", self.uuid
        yield from ((f"groups.columns.{name}", column) for name, column in self.groups.columns.items())
        for name, value in self.properties.columns.items():
            if column := property_of(value).column:
                yield f"properties.columns.{name}", column
        for key, column in (("groups.object", self.groups.object), ("properties.object", self.properties.object)):
            if column:
                yield key, column
        for key, conditions in (("skip", self.skip), ("only", self.only)):
            yield from ((f"{key}[{index}].column", each.column) for index, each in enumerate(conditions))


_TABLES: dict[str, type[_Table]] = {
    "": Mapping,
    "event": Origin,
    "distinct_id": Origin,
    "timestamp": Time,
    "uuid": Identity,
    "groups": Groups,
    "skip": Condition,
    "only": Condition,
    "csv": Csv,
}
"""What the keys of a mapping may hold; `properties` holds tables in its columns, too."""

STANDARD = Mapping(
    event="event",
    distinct_id="distinct_id",
    timestamp="timestamp",
    uuid="uuid",
    groups=Groups(object="groups"),
    properties=Properties(object="properties"),
)
"""Of a table that has Burgee's own names, as `burgee export` writes it."""


def origin_of(value: str | Origin) -> Origin:
    """A column's name stands for the column."""
    return Origin(column=value) if isinstance(value, str) else value


def time_of(value: str | Time) -> Time:
    """A column's name stands for the column."""
    return Time(column=value) if isinstance(value, str) else value


def property_of(value: str | PropertyOrigin) -> PropertyOrigin:
    """A column's name stands for the column."""
    return PropertyOrigin(column=value) if isinstance(value, str) else value


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises BadMapping, naming the key that is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(f"it is not TOML: {error}") from None
    return mapping_of(document)


def mapping_of(document: Any) -> Mapping:
    """The mapping in a document. Raises BadMapping."""
    try:
        mapping = msgspec.convert(document, Mapping)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        key = place.removesuffix("`").removeprefix(".").replace("[...]", "")
        message = _in_words(key.partition(".")[0].partition("[")[0], message)
        raise BadMapping(f"{key}: {message}" if key else message) from None
    for key, fault in _faults(mapping):
        raise BadMapping(f"{key}: {fault}")
    return mapping


def _in_words(table: str, message: str) -> str:
    """With the keys that a table has, where it has been given another."""
    _, unknown, name = message.partition("contains unknown field ")
    if not unknown or table not in _TABLES:
        return message
    return f"there is no key {name.strip('`')!r}; there are: {', '.join(_TABLES[table].__struct_fields__)}"


def _faults(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """What is wrong beyond types, by key."""
    for key, origin in (("event", origin_of(mapping.event)), ("distinct_id", origin_of(mapping.distinct_id))):
        if sum(map(bool, (origin.column, origin.first_of, origin.constant))) != 1:
            yield key, "must have one of column, first_of and constant"
    time = time_of(mapping.timestamp)
    if time.format not in ("", "rfc3339", *UNITS) and "%" not in time.format:
        known = ", ".join(UNITS)
        yield "timestamp.format", f"must be {known}, rfc3339, or a pattern such as %d.%m.%Y %H:%M, got {time.format!r}"
    try:
        ZoneInfo(time.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        yield "timestamp.time_zone", f"there is no time zone {time.time_zone!r}; one is Europe/Berlin"
    if isinstance(mapping.uuid, Identity) and not mapping.uuid.made_of:
        yield "uuid.made_of", "must name a column"
    for group_type in mapping.groups.columns:
        if fault := group_type_fault(group_type):
            yield f"groups.columns.{group_type}", f"the group type {fault}"
    yield from _property_faults(mapping.properties.columns)
    if len(mapping.csv.delimiter) > 1:
        yield "csv.delimiter", "must be one character"


def _property_faults(columns: dict[str, str | PropertyOrigin]) -> Iterator[tuple[str, str]]:
    for name, value in columns.items():
        origin = property_of(value)
        if fault := name_fault(name):
            yield f"properties.columns.{name}", f"the name {fault}"
        if (origin.column is None) == (origin.constant is None):
            yield f"properties.columns.{name}", "must have one of column and constant"


def missing(mapping: Mapping, columns: Sequence[str], optional: bool) -> str:
    """What a table with these columns lacks, in words; empty: nothing. `optional`: a uuid, groups, properties."""
    may_lack = {"uuid", "groups.object", "properties.object"} if optional else set()
    for key, path in mapping.paths():
        if path not in columns and path.partition(".")[0] not in columns and key not in may_lack:
            return f"{key}: there is no column {path!r}; there are: {', '.join(columns)}"
    return ""
