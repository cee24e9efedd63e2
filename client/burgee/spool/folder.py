"""The folder of a spool: one for each API key, shared by all processes that have the key."""

import os
import secrets
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from time import time_ns

from burgee.parcel import Lane
from burgee.spool.segment import Segment, Taken

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
        self.path = spool / name
        self.segment_bytes = max(_LEAST_SEGMENT_BYTES, most_bytes // _SEGMENTS)
        """A file that has this much is not written further."""
        self._most_bytes = most_bytes

    @property
    def room(self) -> int:
        """How many bytes may be added. Raises OSError."""
        used = 0
        with suppress(FileNotFoundError), os.scandir(self.path) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # a process that has just sent all of it
                    used += entry.stat(follow_symlinks=False).st_size
        return self._most_bytes - used

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

    def files(self, lane: Lane) -> list[Path]:
        """All files of a lane, the oldest first. Raises OSError."""
        return sorted(self.path.glob(f"*.{lane.value}"))


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
