"""Opens a file by its format, and says how its records are read."""

from collections.abc import Callable
from pathlib import Path

from burgee.v1.capture_pb2 import Event
from burgee_server.cli.imports.lines import LineReader
from burgee_server.cli.imports.mapped import MappedReading
from burgee_server.cli.imports.mapping import STANDARD, BadMapping, Mapping, missing
from burgee_server.cli.imports.native import read_native
from burgee_server.cli.imports.records import Reader, Record, Unreadable
from burgee_server.cli.imports.rows import RowReader
from burgee_server.cli.imports.source import Source

FORMATS = ("ndjson", "csv", "parquet")

_BY_SUFFIX = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = {".gz", ".zst", ".zstd"}

Reading = Callable[[Record], Event | None]
"""Makes the event of a record; None for one that is left out. Raises NotAnEvent."""


def format_of(path: Path) -> str:
    """The format that a file's name says; empty for a name that says none, or standard input. Parquet packs itself."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = bool(suffixes) and suffixes[-1] in _PACKED
    found = _BY_SUFFIX.get(suffixes[-2 if is_packed else -1], "") if len(suffixes) > is_packed else ""
    return "" if is_packed and found == "parquet" else found


def open_file(path: Path, format_name: str, mapping: Mapping | None) -> tuple[Reader, Reading]:
    """The reader of a file, and what reads its records. Raises Unreadable, and BadMapping for missing columns."""
    if format_name == "ndjson":
        reader: Reader = LineReader(Source(path))
        return reader, read_native if mapping is None else MappedReading(mapping)
    if format_name == "parquet":
        return _open_parquet(path, mapping)
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    table = RowReader(Source(path), (mapping.csv.delimiter if mapping else "") or delimiter)
    return table, _table_reading(table, mapping)


def _open_parquet(path: Path, mapping: Mapping | None) -> tuple[Reader, Reading]:
    from burgee_server.cli.imports.parquet import ParquetReader  # a third of a second that nobody else should wait for

    if str(path) == "-":
        raise Unreadable("Parquet has its table of contents at its end: write it to a file")
    table = ParquetReader(path)
    reading = _table_reading(table, mapping)
    if mapping and mapping.uuid and not mapping.properties.rest:
        named = {path for _, path in mapping.paths()} | {path.partition(".")[0] for _, path in mapping.paths()}
        table.select([column for column in table.columns if column in named])
    return table, reading


def _table_reading(table: Reader, mapping: Mapping | None) -> Reading:
    """What reads the records of a table. Raises BadMapping for a column that is missing, and closes the table."""
    try:
        _check(mapping, table)
    except BadMapping:
        table.close()
        raise
    return MappedReading(mapping or STANDARD)


def _check(mapping: Mapping | None, table: Reader) -> None:
    """Raise BadMapping unless the table has what the mapping names; without one, Burgee's own names and no others."""
    columns = table.columns or ()
    if fault := missing(mapping or STANDARD, columns, optional=mapping is None):
        raise BadMapping(fault if mapping else f"{fault}; --mapping FILE can say which are what")
    own = [path for _, path in STANDARD.paths()]
    unknown = [column for column in columns if column not in own]
    if unknown and mapping is None:
        raise BadMapping(f"the column {unknown[0]!r} is none of {', '.join(own)}; --mapping FILE can say what it is")
