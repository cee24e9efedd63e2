"""What the watchers of one environment are sent of cohorts: the members of those that flags mention.

As in contents.py, a part is a serialized WatchResponse about some members of one cohort.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from burgee.v1 import flags_pb2 as pb

PART_MEMBERS = 1_000
"""Members in a part: below a megabyte, however long their keys are."""


class Rosters:
    """What was sent so far. Every change returns the parts that bring a watcher up to date."""

    def __init__(self) -> None:
        self._members: dict[str, set[str]] = {}
        self._told: frozenset[str] = frozenset()

    @property
    def carried(self) -> Collection[str]:
        """The cohorts whose members are here."""
        return self._members.keys()

    def count(self, cohort_key: str) -> int:
        """How many members a carried cohort has."""
        return len(self._members[cohort_key])

    def snapshot(self) -> list[bytes]:
        """Everything."""
        return [_carried_part(self._members), *(part for each in self._members.items() for part in _parts(*each))]

    def put(self, cohorts: Mapping[str, set[str] | None]) -> list[bytes]:
        """All members of some cohorts; None: the cohort is not carried any more."""
        changed: list[bytes] = []
        for cohort_key, members in cohorts.items():
            known = self._members.pop(cohort_key, set())
            if members is not None:
                changed += _parts(cohort_key, members - known, known - members)
                self._members[cohort_key] = members
        return changed

    def change(self, cohort_key: str, touched: Collection[str], members: Collection[str]) -> list[bytes]:
        """Of a carried cohort, those who may have come or gone, and who of them are members now."""
        known = self._members[cohort_key]
        added = set(members) - known
        removed = known.intersection(touched) - set(members)
        known |= added
        known -= removed
        return list(_parts(cohort_key, added, removed))

    def put_carried(self) -> list[bytes]:
        """Which cohorts are carried, if others were when this was last asked for; see Contents.put_carried."""
        told, self._told = self._told, frozenset(self._members)
        return [] if told == self._told else [_carried_part(self._told)]


def _parts(cohort_key: str, added: Collection[str], removed: Collection[str] = ()) -> Iterator[bytes]:
    for some in _some(added):
        yield _part(pb.CohortChange(cohort_key=cohort_key, added=some))
    for some in _some(removed):
        yield _part(pb.CohortChange(cohort_key=cohort_key, removed=some))


def _some(keys: Collection[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while some := list(islice(left, PART_MEMBERS)):
        yield some


def _part(change: pb.CohortChange) -> bytes:
    return pb.WatchResponse(cohorts=[change]).SerializeToString()


def _carried_part(cohort_keys: Collection[str]) -> bytes:
    return pb.WatchResponse(carried_cohorts=pb.CarriedCohorts(cohort_keys=sorted(cohort_keys))).SerializeToString()
