"""A journal of all nodes with one of this node's own behind it, for when the first cannot be reached."""

from burgee_server.storage.held.claimed import ClaimedJournal
from burgee_server.storage.held.journal import HoldingJournal

__all__ = ["ClaimedJournal", "HoldingJournal"]
