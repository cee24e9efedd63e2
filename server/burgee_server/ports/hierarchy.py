"""Where it is kept which types groups belong to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from burgee_server.ports.access import Authorship


class HierarchyStore(Protocol):
    """Keeps the parent type of group types, and what it was before. Which parent a group has, its profile says."""

    async def parent_types(self, environment_id: int, moment: datetime | None = None) -> Mapping[str, str]:
        """By type, the one that its groups belong to, now or as of a moment; types that belong to none are left out."""

    async def set_parent_type(self, environment_id: int, name: str, parent_type: str, by: Authorship) -> None:
        """Let the groups of a type belong to those of another; empty: to none."""
