"""The keeper of the spool: the one thread that touches its files, so that nobody else ever waits for a disk."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from time import monotonic

from burgee.desk import Desk
from burgee.log import logger
from burgee.losses import Dropped, Losses
from burgee.parcel import Lane, Parcel
from burgee.spool import Folder, Shelf, Unreadable

LOOK_SECONDS = 30.0
"""How often it looks for what processes left that have ended meanwhile."""

_STORE_AGAIN_SECONDS = 1.0
_WORDS = {Lane.EVENTS: "event", Lane.CHANGES: "change"}


class Keeper:
    """Everything is on the disk before it is sent, is read from there to be sent, and stays there until it is settled.

    What the disk cannot take is sent from memory, once nothing of its lane waits on the disk: in each lane, things go
    to the senders in the order in which they were put.
    """

    def __init__(self, desk: Desk, losses: Losses, folder: Folder) -> None:
        self._desk = desk
        self._losses = losses
        self._shelves = {lane: Shelf(folder, lane) for lane in Lane}
        self._held: dict[Lane, deque[Parcel]] = {lane: deque() for lane in Lane}
        self._store_at = dict.fromkeys(Lane, 0.0)
        self._look_at = 0.0
        self._folder = folder

    def run(self) -> None:
        """Keep until the desk says that this was the last time."""
        self._tell_of_other_keys()
        while not (collected := self._desk.collect(self._seconds())).last:
            self._settle(collected.settled)
            self._find()
            for parcel in collected.parcels:
                self._held[parcel.kind.lane].append(parcel)
            for lane in Lane:
                self._store(lane)
                self._load(lane)
            self._desk.note_others(wait=any(shelf.others_wait for shelf in self._shelves.values()))
        self._settle(collected.settled)
        for lane, shelf in self._shelves.items():
            self._put_away(lane, [parcel for parcel in collected.parcels if parcel.kind.lane is lane])
            shelf.release()

    def forget(self) -> None:
        """Let go of all files, as a forked child does."""
        for shelf in self._shelves.values():
            shelf.forget()

    def _tell_of_other_keys(self) -> None:
        """Once: after a change of the key, nobody might notice what the old one left."""
        try:
            left = self._folder.bytes_of_other_keys()
        except OSError:
            return  # whoever needs the folder will tell
        if left:
            logger.warning(
                "beside the spool %s, %d bytes wait for a client with another API key; if that is gone, move the files",
                self._folder.path,
                left,
            )

    def _seconds(self) -> float:
        """How long there is nothing to do but what comes."""
        if any(shelf.may_take_over for shelf in self._shelves.values()):
            return 0.0
        due = [self._look_at, *(self._store_at[lane] for lane in Lane if self._held[lane])]
        return min(due) - monotonic()

    def _settle(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            self._shelves[parcel.kind.lane].settle(parcel)

    def _find(self) -> None:
        """Take over the next file of each lane: one at a time, since reading it takes a while."""
        if monotonic() >= self._look_at:
            self._look_at = monotonic() + LOOK_SECONDS
            for shelf in self._shelves.values():
                shelf.look()
        for lane, shelf in self._shelves.items():
            if count := shelf.take_over():
                self._desk.adopt(count)
                logger.info("took over %d %s from the spool of a process that has ended", count, lane.value)

    def _store(self, lane: Lane) -> None:
        held = self._held[lane]
        # A change may not go to the disk, to be read by who knows whom, while an earlier one is in memory only.
        may_store = lane is Lane.EVENTS or not self._desk.sends_unkept_changes
        if held and may_store and monotonic() >= self._store_at[lane]:
            for _ in range(self._put_away(lane, held)):
                held.popleft()
            if held:
                self._store_at[lane] = monotonic() + _STORE_AGAIN_SECONDS
        if not self._shelves[lane].waits:
            while held:
                self._desk.hand(held.popleft())

    def _put_away(self, lane: Lane, parcels: Sequence[Parcel]) -> int:
        """Write parcels to the disk. Returns how many, from the first, are there."""
        stored = self._shelves[lane].store(parcels)
        self._desk.keep(islice(parcels, stored))
        return stored

    def _load(self, lane: Lane) -> None:
        while self._desk.has_room(lane):
            try:
                found = self._shelves[lane].read()
            except Unreadable as error:
                self._desk.lose(lane, error.count, ours=error.ours)
                for _ in range(error.count):
                    self._losses.tell(Dropped(_WORDS[lane], "", str(error)))
                continue
            if found is None:
                return
            parcel, ours = found
            self._desk.hand(parcel, ours=ours)
