"""Who is in which cohorts, in memory, for flag checks."""

from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.cohorts import CohortStore
from burgee_server.recent import Recent


class Memberships(Recent[frozenset[str]]):
    """The keys of the cohorts that a person or a group is in; most are in none, and that is remembered too."""

    def __init__(self, store: CohortStore, capacity: int) -> None:
        super().__init__(store.containing, capacity)

    def forget(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.COHORT:
            _, group_type, *members = change.subject
            for key in members:
                self.drop(change.environment_id, group_type, key)
            if not members:
                self.drop_type(change.environment_id, group_type)
