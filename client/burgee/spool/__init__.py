"""What waits on the disk when the server is away, and survives the process."""

from burgee.spool.folder import LEAST_BYTES, Folder
from burgee.spool.shelf import Shelf, Unreadable

__all__ = ["LEAST_BYTES", "Folder", "Shelf", "Unreadable"]
