"""The folder of a spool: one for each API key, shared by all processes that have the key."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from time import time_ns

from burgee.parcel import Lane
from burgee.spool.segment import EMPTY_BYTES, Segment, Taken

LEAST_BYTES = 16 << 20
"""The least that a folder may be given: files of a megabyte hold a batch each."""

_SEGMENTS = 64
_LEAST_SEGMENT_BYTES = 1 << 20


class Folder:
    """Where files are made and found, and how many bytes they may take together. Made when it is first needed.

    An API key opens one environment, and what was captured for one must not be sent to another: so files are found
    only by who has the key of who wrote them. The folder's name gives 32 bits of a digest away, and no more of the key.
    """

    def __init__(self, spool: Path, api_key: str, most_bytes: int) -> None:
        name = blake2b(api_key.encode(), digest_size=4, person=b"burgee-spool").hexdigest()
        self._spool = spool
        self.path = spool / name
        self.segment_bytes = max(_LEAST_SEGMENT_BYTES, most_bytes // _SEGMENTS)
        """A file that has this much is not written further."""
        self._most_bytes = most_bytes

    @property
    def room(self) -> int:
        """How many bytes may be added. Raises OSError."""
        return self._most_bytes - sum(_sizes(self.path))

    def create(self, lane: Lane) -> Segment:
        """A new file. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            name = f"{time_ns():020}-{os.getpid()}-{secrets.token_hex(4)}.{lane.value}"
            with suppress(Taken):
                segment = Segment.create(self.path / name)
                break
        for directory in (self.path, self.path.parent):  # or the file itself might not survive a power failure
            _sync_directory(directory)
        return segment

    def bytes_of_other_keys(self) -> int:
        """How much lies in the folders of other API keys. Raises OSError."""
        with suppress(FileNotFoundError), os.scandir(self._spool) as entries:
            folders = [entry.path for entry in entries if entry.is_dir() and entry.path != str(self.path)]
            return sum(size for folder in folders for size in _sizes(folder) if size > EMPTY_BYTES)
        return 0

    def files(self, lane: Lane) -> list[Path]:
        """All files of a lane, the oldest first. Raises OSError."""
        return sorted(self.path.glob(f"*.{lane.value}"))


def _sizes(path: Path | str) -> Iterator[int]:
    """Of all files in a directory, if there is one."""
    with suppress(FileNotFoundError), os.scandir(path) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # somebody has just sent all of it
                yield entry.stat(follow_symlinks=False).st_size


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
