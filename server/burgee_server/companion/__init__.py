"""Work that takes too long for the event loop, done beside it: in a process of its own, or in a thread."""

from burgee_server.companion.companion import Companion

__all__ = ["Companion"]
