"""How full a journal's file is."""

RETRY_SECONDS = 5.0


class Room:
    """Counts the bytes of acknowledged events that are not in the warehouse, against a limit that the door keeps to.

    What was acknowledged is never turned away: an event may pass from one place of the file to another in a full one.
    Where nothing is, there is room for a batch of any size: one that is larger than the limit would wait for ever.
    """

    def __init__(self, taken: int, limit: int) -> None:
        self.taken = taken
        self.limit = limit

    def take(self, size: int) -> bool:
        """Take so much of what is left, if there is as much; whether there was."""
        fits = self.taken + size <= self.limit or not self.taken
        if fits:
            self.taken += size
        return fits

    def give(self, size: int) -> None:
        """Give back what was taken."""
        self.taken -= size
