"""Makes sure that control store, journal and warehouse belong together: each can be lost, restored or swapped alone.

Environments are numbers in journal and warehouse, and names in the control store. Beside another control store, the
same numbers would be other people's events.
"""

import logging

from burgee_server.errors import Damaged
from burgee_server.ports.access import AccessStore
from burgee_server.ports.journal import Journal
from burgee_server.ports.profiles import ProfileStore
from burgee_server.ports.warehouse import Warehouse

log = logging.getLogger(__name__)


async def reconcile(access: AccessStore, profiles: ProfileStore, journal: Journal, warehouse: Warehouse) -> None:
    """Claim a new journal and warehouse, and have profiles copied to it again. Raises Damaged for somebody else's."""
    ours = await access.installation()
    journals = await journal.claim(ours)
    if journals != ours:
        raise Damaged(
            f"the control store (of {ours}) and the journal (of {journals}) are of different installations: its events "
            "would be taken for those of others. Restore the one that belongs to the other, or give each its own"
        )
    owner = await warehouse.owner()
    if owner is None:
        if await profiles.loaded_revision():
            log.warning("the warehouse is new, this installation is not: its events are gone, its profiles come back")
        await profiles.set_loaded_revision(0)
        await profiles.set_loaded_versions(0)
        await warehouse.set_owner(ours)
    elif owner != ours:
        raise Damaged(
            f"the control store (of {ours}) and the warehouse (of {owner}) are of different installations: restore the "
            "one that belongs to the other, or begin with an empty warehouse (move events/ away) and without events"
        )
