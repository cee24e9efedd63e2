"""Persons and groups: what is known of them, and when they were seen."""

from burgee_server.profiles.cache import ProfileCache
from burgee_server.profiles.group_types import GroupTypes
from burgee_server.profiles.hierarchy import Hierarchy, parent_of
from burgee_server.profiles.known import KnownProfiles
from burgee_server.profiles.mirror import Mirror
from burgee_server.profiles.profiles import Profiles, SeenProfile

__all__ = [
    "GroupTypes",
    "Hierarchy",
    "KnownProfiles",
    "Mirror",
    "ProfileCache",
    "Profiles",
    "SeenProfile",
    "parent_of",
]
