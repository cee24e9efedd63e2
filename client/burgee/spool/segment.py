"""One file of the spool: records one after the other, in the hands of one process at a time."""

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from burgee.parcel import Parcel
from burgee.spool.record import SETTLED, Damaged, read

_MAGIC = b"BURGEE-SPOOL-1\n"
EMPTY_BYTES = len(_MAGIC)
"""What a file takes in which nothing is."""

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Taken(Exception):
    """The file is in the hands of another process, or gone."""


class Unknown(Exception):
    """No file of a spool, or of one of another version."""


class Segment:
    """An open file, locked until `release`. One that nobody holds belongs to a process that has ended.

    The lock (flock) is that of the open file, so that it ends with the process, however that ends. A forked child has
    the same open file, and lets go of it by closing it, which leaves the lock to its parent. Not thread-safe.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.end = EMPTY_BYTES
        """Where the next record goes."""
        self.unread = 0
        """How many events and changes wait to be read."""
        self._descriptor = descriptor
        self._next = EMPTY_BYTES
        self._unsettled: dict[Parcel, int] = {}  # of those that were read: where they are

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file, readable by its owner only. Raises OSError, or Taken: try another name."""
        segment = cls(path, _open_locked(path, os.O_CREAT | os.O_EXCL))
        try:
            _write(segment._descriptor, _MAGIC, 0)
            os.fsync(segment._descriptor)
        except OSError:
            segment.remove()
            raise
        return segment

    @classmethod
    def adopt(cls, path: Path) -> tuple[Self, int]:
        """A file that another process left, and how many bytes at its end cannot be read.

        Raises Taken, Unknown, OSError.
        """
        try:
            segment = cls(path, _open_locked(path, 0))
        except FileNotFoundError as error:
            raise Taken from error
        try:
            size = os.fstat(segment._descriptor).st_size
            magic = os.pread(segment._descriptor, EMPTY_BYTES, 0)
            if not _MAGIC.startswith(magic):
                raise Unknown
            with suppress(Damaged):
                while segment.end < size:
                    record = read(segment._descriptor, segment.end, size)
                    segment.end = record.end
                    segment.unread += 0 if record.settled else record.parcel.count
        except (OSError, Unknown):
            segment.release()
            raise
        return segment, max(0, size - segment.end)

    @property
    def drained(self) -> bool:
        """Nothing in it waits to be read or settled."""
        return not self.unread and not self._unsettled

    @property
    def linked(self) -> bool:
        """Is the file still where it was, or has somebody deleted it?"""
        return os.fstat(self._descriptor).st_nlink > 0

    def append(self, records: Sequence[bytes], things: int) -> None:
        """Write records of so many events and changes; when this returns, they survive a power failure.

        Raises OSError; then none of them is in the file, if the disk can still do as much as forget them.
        """
        try:
            _write(self._descriptor, b"".join(records), self.end)
            _sync(self._descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.end)
            raise
        self.end += sum(map(len, records))
        self.unread += things

    def read(self) -> Parcel:
        """The next parcel that waits, if there are any `unread`. Raises Damaged, OSError."""
        while True:
            record = read(self._descriptor, self._next, self.end)
            at, self._next = self._next, record.end
            if not record.settled:
                self.unread -= record.parcel.count
                self._unsettled[record.parcel] = at
                return record.parcel

    def give_up(self) -> int:
        """Read no further. Returns how many events and changes that leaves unread."""
        lost, self.unread = self.unread, 0
        return lost

    def settle(self, parcel: Parcel) -> None:
        """A parcel that was read is not to be sent again. Not synced: after a power failure it may be, once more."""
        os.pwrite(self._descriptor, SETTLED, self._unsettled.pop(parcel))

    def clear(self) -> None:
        """Begin anew in the same file, which is drained. Raises OSError."""
        os.ftruncate(self._descriptor, EMPTY_BYTES)
        self.end = self._next = EMPTY_BYTES

    def remove(self) -> None:
        """Delete the file and let go of it."""
        with suppress(OSError):  # what is left is drained, and sent to nobody
            self.path.unlink()
        self.release()

    def release(self) -> None:
        """Let go of the file. Whoever looks next may have it."""
        os.close(self._descriptor)


def _open_locked(path: Path, flags: int) -> int:
    descriptor = os.open(path, _FLAGS | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who had it before may have deleted it between our opening and our locking.
        if os.fstat(descriptor).st_nlink == 0:
            raise Taken
    except BlockingIOError as error:
        os.close(descriptor)
        raise Taken from error
    except (OSError, Taken):
        os.close(descriptor)
        if flags:  # a file system without locks should not fill up with empty files
            path.unlink(missing_ok=True)
        raise
    return descriptor


def _write(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view = view[written:]
        at += written
