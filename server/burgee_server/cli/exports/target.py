"""The file that is written: seen when it is whole, and not before."""

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@contextmanager
def open_target(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, packed if its name ends in .gz or .zst; standard output for "-".

    The file takes its name when this ends well. Else nothing is left of it, and what had the name keeps it. Of a link,
    the file behind it is written. What is no file, such as a pipe, is written as it comes.
    """
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():
        with path.open("wb") as there, _packed(there, path.suffix.lower()) as packed:
            yield packed
        return
    path = path.resolve()
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            with _packed(file, path.suffix.lower()) as packed:
                yield packed
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _packed(file: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
    if suffix == ".gz":
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) as packed:
            yield cast("BinaryIO", packed)
    elif suffix in (".zst", ".zstd"):
        with zstd.open(file, "wb") as packed:
            yield cast("BinaryIO", packed)
    else:
        yield file
