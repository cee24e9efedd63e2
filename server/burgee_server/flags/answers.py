"""Answers given before, found again by the bytes of the question."""

from typing import Generic, TypeVar

from burgee.evaluation import FlagSet
from burgee_server.flags.catalog import Catalog
from burgee_server.flags.stored import Known, Stored

A = TypeVar("A")

MAX_QUESTION_BYTES = 1_024


class Answers(Generic[A]):
    """An answer that rests on flags and on what is stored is kept and given again.

    Where it rests on the time, too, what is kept must be able to tell what it is now.
    It holds as long as memory has the very objects that it rests on: a change of flags, or of what is stored of
    somebody, puts others in their place, and so nobody has to tell. When `capacity` are kept, all are forgotten.
    """

    def __init__(self, catalog: Catalog, stored: Stored, capacity: int) -> None:
        self._catalog = catalog
        self._stored = stored
        self.capacity = capacity
        self.size = 0
        """How many are kept."""
        self._kept: dict[int, tuple[FlagSet, dict[bytes, tuple[Known, A]]]] = {}

    def find(self, environment_id: int, question: bytes) -> A | None:
        """The answer, if it was kept and still holds."""
        kept = self._kept.get(environment_id)
        if kept is None or kept[0] is not self._catalog.peek(environment_id):
            return None
        found = kept[1].get(question)
        if found is None:
            return None
        known, answer = found
        return answer if self._stored.has(environment_id, known) else None

    def keep(self, environment_id: int, question: bytes, flags: FlagSet, known: Known, answer: A) -> None:
        """Keep what these flags answer with what is known."""
        if len(question) > MAX_QUESTION_BYTES:
            return
        kept = self._kept.get(environment_id)
        if self.size >= self.capacity:
            self._kept, self.size, kept = {}, 0, None
        if kept is None or kept[0] is not flags:
            self.size -= len(kept[1]) if kept is not None else 0
            kept = self._kept[environment_id] = (flags, {})
        self.size += question not in kept[1]
        kept[1][question] = known, answer
