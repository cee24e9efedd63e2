"""Answers given before, found again by the bytes of the question."""

from burgee.evaluation import FlagSet, Profiles
from burgee_server.flags.catalog import Catalog
from burgee_server.flags.stored import StoredProperties

MAX_QUESTION_BYTES = 1_024


class Answers:
    """An answer that rests on flags and stored properties alone, and not on the time, is kept and given again.

    It holds as long as memory has the very objects that it rests on: a change of flags, or of one of those profiles,
    puts others in their place, and so nobody has to tell. When `capacity` are kept, all are forgotten.
    """

    def __init__(self, catalog: Catalog, stored: StoredProperties, capacity: int) -> None:
        self._catalog = catalog
        self._stored = stored
        self._capacity = capacity
        self._kept: dict[int, tuple[FlagSet, dict[bytes, tuple[Profiles, bytes]]]] = {}
        self._count = 0

    def find(self, environment_id: int, question: bytes) -> bytes | None:
        """The answer, if it was kept and still holds."""
        kept = self._kept.get(environment_id)
        if kept is None or kept[0] is not self._catalog.peek(environment_id):
            return None
        found = kept[1].get(question)
        if found is None:
            return None
        profiles, answer = found
        for (group_type, key), properties in profiles.items():
            if self._stored.peek(environment_id, group_type, key) is not properties:
                return None
        return answer

    def keep(self, environment_id: int, question: bytes, flags: FlagSet, profiles: Profiles, answer: bytes) -> None:
        """Keep what these flags answer with these stored properties, at any time."""
        if len(question) > MAX_QUESTION_BYTES:
            return
        kept = self._kept.get(environment_id)
        if self._count >= self._capacity:
            self._kept, self._count, kept = {}, 0, None
        if kept is None or kept[0] is not flags:
            self._count -= len(kept[1]) if kept is not None else 0
            kept = self._kept[environment_id] = (flags, {})
        self._count += question not in kept[1]
        kept[1][question] = profiles, answer
