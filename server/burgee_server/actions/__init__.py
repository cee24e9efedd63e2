"""Actions: named unions of kinds of events."""

from burgee_server.actions.actions import Actions

__all__ = ["Actions"]
