"""Who computes the members of cohorts, for those who keep them."""

from collections.abc import Sequence
from typing import Protocol

from burgee_server.ports.criteria import Computed


class Computing(Protocol):
    """Finds out who meets a criterion, from the events and profiles of this moment."""

    async def check(self, environment_id: int, key: str, group_type: str, computed: Computed, path: str) -> None:
        """Whether a cohort can be so computed, among what its environment has named.

        Raises Invalid with a path that begins with `path`: also for a circle, and for another cohort that asks for this
        one and could not be computed any more.
        """

    async def members(self, environment_id: int, key: str) -> Sequence[str]:
        """The keys of those who are in a computed cohort now; of a person, every id.

        Raises NotFound, and what Warehouse.query raises.
        """
