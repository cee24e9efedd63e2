"""How far one lane has come: which of the things put into it are settled, for who waits for them."""

from burgee.parcel import Parcel

_MOST_PARCELS = 256
_MOST_BYTES = 8 << 20


class Progress:
    """Things are numbered as they are put, and handed to the senders in that order; they are settled in any.

    Not thread-safe: whoever has it holds a lock.
    """

    def __init__(self) -> None:
        self._handed = 0
        self._bytes = 0
        self._open: dict[Parcel, int] = {}  # in order, so that the first is the one furthest behind

    def hand(self, parcel: Parcel, *, ours: bool) -> None:
        """The next parcel goes to the senders. One that another process put has no number of ours.

        It takes the place of the last one handed, so that who waits for that, or for less than nothing, waits for both.
        """
        self._open[parcel] = self._handed if ours else self._handed - 1
        self._bytes += len(parcel.request)
        if ours:
            self._handed += parcel.count

    def skip(self, count: int) -> None:
        """So many of ours will never be handed to anybody."""
        self._handed += count

    def settle(self, parcel: Parcel) -> None:
        """Nothing more will become of a parcel."""
        if self._open.pop(parcel, None) is not None:
            self._bytes -= len(parcel.request)

    def reached(self, put: int) -> bool:
        """Are the first so many of ours settled, and all that others put and that was handed before?"""
        return next(iter(self._open.values()), self._handed) >= put

    @property
    def has_room(self) -> bool:
        """Is it worth reading more from the disk, or is there enough for the senders in memory?"""
        return len(self._open) < _MOST_PARCELS and self._bytes < _MOST_BYTES
