"""What has changed in an environment, and those who watch it were not told yet."""

from collections.abc import Collection
from dataclasses import dataclass, field

from burgee.evaluation import USER
from burgee_server.ports.changes import Change, Kind

GROUPS_AT_ONCE = 500
"""Groups that are read in one go, each by itself."""


@dataclass(slots=True)
class Noticed:
    """What is to be read: whether flags are (and the types that groups belong to), which groups, and of which cohorts
    whom. Nobody stands for everybody."""

    flags: bool = False
    groups: set[tuple[str, str]] = field(default_factory=set)
    cohorts: dict[str, set[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.flags or bool(self.groups) or bool(self.cohorts)

    def add(self, change: Change) -> bool:
        """Take note of a change; whether it is one that watchers may be told of."""
        if change.kind in (Kind.FLAGS, Kind.GROUP_TYPES):
            self.flags = True
        elif change.kind is Kind.PROFILE and change.subject[0] != USER:
            group_type, *keys = change.subject
            self.groups.update((group_type, key) for key in keys)
        elif change.kind is Kind.COHORT:
            cohort_key, _, *members = change.subject
            self._add_members(cohort_key, members)
        else:
            return False
        return True

    def take(self) -> "Noticed":
        """All of it, but for groups beyond what is read in one go."""
        groups = {self.groups.pop() for _ in range(min(len(self.groups), GROUPS_AT_ONCE))}
        taken = Noticed(self.flags, groups, self.cohorts)
        self.flags, self.cohorts = False, {}
        return taken

    def put_back(self, taken: "Noticed") -> None:
        """It could not be read."""
        self.flags |= taken.flags
        self.groups |= taken.groups
        for cohort_key, members in taken.cohorts.items():
            self._add_members(cohort_key, members)

    def _add_members(self, cohort_key: str, members: Collection[str]) -> None:
        known = self.cohorts.get(cohort_key)
        if known is None:
            self.cohorts[cohort_key] = set(members)
        elif members and known:
            known.update(members)
        else:
            known.clear()
