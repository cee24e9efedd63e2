"""Newline-delimited JSON: a record a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from burgee_server.cli.imports.records import CHUNK_BYTES, CHUNK_RECORDS, NotAnEvent, digest_of
from burgee_server.cli.imports.source import Source

_decoder = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Line:
    """A record: see the protocol."""

    number: int
    raw: bytes

    def fields(self) -> dict[str, Any]:
        """The object in the line. Raises NotAnEvent."""
        try:
            return _decoder.decode(self.raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise NotAnEvent("line", f"must be a JSON object: {error}") from None


class Lines:
    """A chunk: see the protocol."""

    def __init__(self, lines: Sequence[tuple[int, bytes]]) -> None:
        self._lines = lines
        self.digest = digest_of("ndjson", lines)

    def __len__(self) -> int:
        return len(self._lines)

    def records(self) -> Iterator[Line]:
        """The lines."""
        return (Line(number, raw) for number, raw in self._lines)


class LineReader:
    """A reader: see the protocol. Lines that are blank count as lines and not as records."""

    unit = "line"
    columns = None

    def __init__(self, source: Source) -> None:
        self._source = source
        self.size = source.size
        self.position = source.position
        self.close = source.close

    def chunks(self) -> Iterator[Lines]:
        """Up to 5,000 lines or about 2 MB at a time."""
        lines: list[tuple[int, bytes]] = []
        size = 0
        for number, line in enumerate(self._source.lines(), 1):
            raw = line.strip()
            if not raw:
                continue
            lines.append((number, raw))
            size += len(raw)
            if len(lines) == CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield Lines(lines)
                lines, size = [], 0
        if lines:
            yield Lines(lines)
