"""Makes sure that control store and warehouse belong together: each can be lost, restored or swapped without the other.

Environments are numbers in the warehouse and names in the control store. Beside another control store, the same numbers
would be other people's events.
"""

import logging

from burgee_server.errors import Damaged
from burgee_server.ports.access import AccessStore
from burgee_server.ports.profiles import ProfileStore
from burgee_server.ports.warehouse import Warehouse

log = logging.getLogger(__name__)


async def reconcile(access: AccessStore, profiles: ProfileStore, warehouse: Warehouse) -> None:
    """Claim a new warehouse, and have every profile copied to it again. Raises Damaged for somebody else's."""
    ours = await access.installation()
    owner = await warehouse.owner()
    if owner is None:
        if await profiles.loaded_revision():
            log.warning("the warehouse is new, this installation is not: its events are gone, its profiles come back")
        await profiles.set_loaded_revision(0)
        await warehouse.set_owner(ours)
    elif owner != ours:
        raise Damaged(
            f"control.db (of {ours}) and events/ (of {owner}) are of different installations: restore the one that "
            "belongs to the other, or move events/ away to begin without events"
        )
