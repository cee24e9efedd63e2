"""What was not imported: counted, the first of it kept to be shown, all of it written to a file if there is one."""

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from burgee_server.cli.imports.batches import Rejected

if TYPE_CHECKING:
    from burgee_server.cli.imports.records import Fault

SHOWN = 10


class Unwritable(Exception):
    """The file cannot be written; says which, and why."""


class Rejects:
    """A context manager. The file, if there is one, is written anew: JSON lines of place, field, reason and record.

    Raises OSError if it cannot be opened, and Unwritable once it cannot be written.
    """

    def __init__(self, path: Path | None, unit: str) -> None:
        self._path = path
        self._file = path.open("w", encoding="utf-8") if path else None
        self.unit = unit
        self.count = 0
        self.first: list[Fault] = []

    def add(self, rejected: Rejected) -> None:
        """Count a record, and write it down."""
        fault = rejected.fault
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(fault)
        if self._file:
            line = {
                self.unit: fault.number,
                "field": fault.field,
                "reason": fault.reason,
                "record": rejected.record.raw.decode(errors="replace"),
            }
            try:
                self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            except OSError as error:
                raise self._unwritable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if self._file:
                self._file.close()
        except OSError as failure:  # what was held back
            if error is None:
                raise self._unwritable(failure) from failure

    def _unwritable(self, error: OSError) -> Unwritable:
        return Unwritable(f"{self._path}: {error.strerror or error}")
