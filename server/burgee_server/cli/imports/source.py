"""The bytes of a file, or of standard input: plain, gzip or Zstandard, told apart by how they begin."""

import codecs
import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from burgee_server.cli.imports.records import Unreadable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BUFFER = 1 << 20
MAX_LINE_BYTES = 16 << 20
"""Far more than an event may have: a file without line ends is not read into memory."""


class Source:
    """A file of lines, or standard input for "-"."""

    def __init__(self, path: Path) -> None:
        is_stdin = str(path) == "-"
        self._raw = io.BufferedReader(io.FileIO(os.dup(0) if is_stdin else path), _BUFFER)
        self._regular = not is_stdin and path.is_file()
        self.size = path.stat().st_size if self._regular else None
        """Bytes to read; None where nobody knows."""

    def lines(self) -> Iterator[bytes]:
        """The lines, unpacked, each with its end; a byte order mark before the first is none of it.

        Raises Unreadable where there are none, or packed data is damaged.
        """
        try:
            unpacked = self._unpacked()
            number = 0
            while line := unpacked.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise Unreadable(f"line {number:,} is longer than {MAX_LINE_BYTES:,} bytes")
                yield line if number > 1 else line.removeprefix(codecs.BOM_UTF8)
        except EOFError:
            raise Unreadable("it ends in the middle of its packed data") from None
        except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
            raise Unreadable(f"its packed data is damaged: {error}") from None

    def position(self) -> int:
        """Bytes read so far, as they are on disk."""
        return self._raw.tell() if self._regular else 0

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()

    def _unpacked(self) -> BinaryIO:
        begins = self._raw.peek(4)[:4]
        if begins.startswith(_GZIP_MAGIC):
            return cast("BinaryIO", gzip.open(self._raw))
        if begins == _ZSTD_MAGIC:
            return io.BufferedReader(cast("io.RawIOBase", zstd.open(self._raw)), _BUFFER)
        return self._raw
