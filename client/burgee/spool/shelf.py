"""One lane of the spool: what waits on the disk, read in the order in which it was put."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from burgee.log import SparseLog, logger
from burgee.parcel import Lane, Parcel
from burgee.spool.folder import Folder
from burgee.spool.record import Damaged, encode
from burgee.spool.segment import Segment, Taken, Unknown

_MOST_FOUND = 64
"""So many files of other processes at once: each is an open file of ours."""


class Unreadable(Exception):
    """So many events and changes cannot be read any more."""

    def __init__(self, path: Path, count: int, *, ours: bool) -> None:
        super().__init__(f"the spool file {path} cannot be read")
        self.count = count
        self.ours = ours


class Shelf:
    """Files that ended processes left come before our own. Raises no OSError: trouble is logged. Not thread-safe."""

    def __init__(self, folder: Folder, lane: Lane) -> None:
        self._folder = folder
        self._lane = lane
        self._log = SparseLog()
        self._candidates: deque[Path] = deque()
        self._unknown: set[Path] = set()
        self._found: list[Segment] = []
        self._own: list[Segment] = []
        self._open: Segment | None = None  # the one of our own that is written
        self._of: dict[Parcel, Segment] = {}

    def store(self, parcels: Sequence[Parcel]) -> int:
        """Put parcels on the disk. Returns how many, from the first, are there to stay, power failure or not."""
        stored = 0
        try:
            room = self._folder.room
            while stored < len(parcels):
                segment = self._writable()
                records: list[bytes] = []
                things = 0
                size = segment.end
                for parcel in islice(parcels, stored, None):
                    record = encode(parcel)
                    if len(record) > room or size >= self._folder.segment_bytes:
                        break
                    records.append(record)
                    things += parcel.count
                    size += len(record)
                    room -= len(record)
                if not records:
                    self._log.warn("the spool %s is full; what is captured waits in memory", self._folder.path)
                    break
                segment.append(records, things)
                stored += len(records)
        except OSError as error:
            self._log.warn("the spool cannot be written; what is captured waits in memory: %s", error)
            self._seal()
        return stored

    def read(self) -> tuple[Parcel, bool] | None:
        """The next parcel that waits, and whether it is ours; None: none does, or what others left has to come first.

        Raises Unreadable.
        """
        for segment in self._found if self._candidates else (*self._found, *self._own):
            if segment.unread:
                ours = segment not in self._found
                try:
                    parcel = segment.read()
                except (Damaged, OSError) as error:
                    unreadable = Unreadable(segment.path, segment.give_up(), ours=ours)
                    self._log.warn("%s: %d events or profile changes are lost", unreadable, unreadable.count)
                    self._retire(segment)
                    raise unreadable from error
                self._of[parcel] = segment
                return parcel, ours
        return None

    def settle(self, parcel: Parcel) -> None:
        """A parcel that was read need not be sent again."""
        segment = self._of.pop(parcel)
        try:
            segment.settle(parcel)
        except OSError as error:
            self._log.warn("a spool file cannot be written, and what is in it may be sent twice: %s", error)
        self._retire(segment)

    def look(self) -> None:
        """See what there is of processes that have ended, for `take_over`."""
        own = {segment.path for segment in (*self._found, *self._own)} | self._unknown
        try:
            self._candidates = deque(path for path in self._folder.files(self._lane) if path not in own)
        except OSError as error:
            self._log.warn("the spool cannot be read: %s", error)

    def take_over(self) -> int:
        """Take the next file in which something waits. Returns how many events and changes; 0: there is none left."""
        while self.may_take_over:
            path = self._candidates.popleft()
            try:
                segment, damage = Segment.adopt(path)
            except Taken:
                continue
            except Unknown:
                self._unknown.add(path)
                logger.warning("%s is no spool file of this version, and is left alone", path)
                continue
            except OSError as error:
                self._log.warn("a spool file of another process cannot be read: %s", error)
                continue
            if damage:
                logger.warning("%s is damaged: its last %d bytes cannot be read, and are lost", path, damage)
            self._found.append(segment)
            if segment.unread:
                return segment.unread
            self._retire(segment)
        return 0

    @property
    def may_take_over(self) -> bool:
        """Is there more to look into?"""
        return bool(self._candidates) and len(self._found) < _MOST_FOUND

    @property
    def others_wait(self) -> bool:
        """Does anything of other processes wait to be read?"""
        return bool(self._candidates) or any(segment.unread for segment in self._found)

    @property
    def waits(self) -> bool:
        """Does anything wait to be read?"""
        return self.others_wait or any(segment.unread for segment in self._own)

    def release(self) -> None:
        """Leave what is not settled to the process that looks next."""
        self._open = None
        for segment in (*self._found, *self._own):
            if not self._retire(segment):
                segment.release()

    def forget(self) -> None:
        """Let go of the files, as a forked child does: they are its parent's."""
        for segment in (*self._found, *self._own):
            segment.release()

    def _writable(self) -> Segment:
        if self._open is not None and (self._open.end >= self._folder.segment_bytes or not self._open.linked):
            self._seal()
        if self._open is None:
            self._open = self._folder.create(self._lane)
            self._own.append(self._open)
        return self._open

    def _seal(self) -> None:
        """Write no more into the file that is written."""
        if self._open is not None:
            sealed, self._open = self._open, None
            self._retire(sealed)

    def _retire(self, segment: Segment) -> bool:
        """Delete a file that is done with. False: it is not, yet."""
        if not segment.drained:
            return False
        if segment is self._open:
            try:
                segment.clear()
            except OSError as error:
                self._log.warn("a spool file cannot be written: %s", error)
                self._seal()
            return False
        for segments in (self._found, self._own):
            with suppress(ValueError):
                segments.remove(segment)
        segment.remove()
        return True
