"""Cohorts: named sets of persons or of groups."""

from burgee_server.cohorts.cohorts import MAX_CHANGED, Cohorts
from burgee_server.cohorts.memberships import Memberships
from burgee_server.cohorts.refreshing import Refreshing

__all__ = ["MAX_CHANGED", "Cohorts", "Memberships", "Refreshing"]
