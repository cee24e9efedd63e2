"""CSV: a header, and a record a row."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from burgee_server.cli.imports.records import CHUNK_BYTES, CHUNK_RECORDS, NotAnEvent, Unreadable, digest_of
from burgee_server.cli.imports.source import Source

_NOT_UTF8 = "is not UTF-8: convert the file, such as with iconv -f latin1 -t utf-8"


@dataclass(frozen=True, slots=True)
class Row:
    """A record: see the protocol. Its number is that of the line on which it begins."""

    number: int
    raw: bytes
    header: Sequence[str]
    cells: Sequence[str]
    fault: str

    def fields(self) -> dict[str, Any]:
        """The cells by column. Raises NotAnEvent."""
        if self.fault:
            raise NotAnEvent("row", self.fault)
        if len(self.cells) != len(self.header):
            raise NotAnEvent("row", f"has {len(self.cells)} cells where the header has {len(self.header)}")
        return dict(zip(self.header, self.cells, strict=True))


class Rows:
    """A chunk: see the protocol."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self.digest = digest_of("csv", ((row.number, row.raw) for row in rows))

    def __len__(self) -> int:
        return len(self._rows)

    def records(self) -> Sequence[Row]:
        """The rows."""
        return self._rows


class RowReader:
    """A reader: see the protocol. The header is read when it is made. Raises Unreadable."""

    unit = "line"

    def __init__(self, source: Source, delimiter: str) -> None:
        self._lines = _Numbered(source)
        self.size = source.size
        self.position = source.position
        self.close = source.close
        self._rows = csv.reader(self._lines, delimiter=delimiter, strict=True)
        self.columns: Sequence[str] = ()
        try:
            self.columns = self._header()
        except Unreadable:
            source.close()
            raise

    def chunks(self) -> Iterator[Rows]:
        """Up to 5,000 rows, or about 2 MB when the names of the columns are written beside their cells."""
        names = sum(map(len, self.columns)) + 4 * len(self.columns)
        rows: list[Row] = []
        size = 0
        while row := self._next():
            rows.append(row)
            size += len(row.raw) + names
            if len(rows) == CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield Rows(rows)
                rows, size = [], 0
        if rows:
            yield Rows(rows)

    def _header(self) -> Sequence[str]:
        first = self._next()
        if first is None:
            raise Unreadable("line 1: there is no header: the first line must name the columns")
        if first.fault:
            raise Unreadable(f"line {first.number}: the header {first.fault}")
        names = [name.strip() for name in first.cells]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Unreadable(f"line {first.number}: the header has {twice[0]!r} more than once")
        return names

    def _next(self) -> Row | None:
        """The next row that is not blank."""
        while True:
            begin = self._lines.number + 1
            fault = ""
            try:
                cells: Sequence[str] = next(self._rows)
            except StopIteration:
                return None
            except csv.Error as error:
                cells, fault = (
                    (),
                    f"is not CSV: {error}; read up to line {self._lines.number:,}: is a quote not closed?",
                )
            raw, is_utf8 = self._lines.taken()
            if cells or fault:
                return Row(begin, raw, self.columns, cells, fault if is_utf8 else _NOT_UTF8)


class _Numbered:
    """The lines of a source as text, and the bytes of those that were taken last."""

    def __init__(self, source: Source) -> None:
        self._lines = source.lines()
        self._taken: list[bytes] = []
        self._is_utf8 = True
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self._taken.append(line)
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._is_utf8 = False
            return line.decode(errors="replace")

    def taken(self) -> tuple[bytes, bool]:
        """What was taken since the last time, without its end, and whether it was UTF-8."""
        raw, is_utf8 = b"".join(self._taken).rstrip(b"\r\n"), self._is_utf8
        self._taken.clear()
        self._is_utf8 = True
        return raw, is_utf8
