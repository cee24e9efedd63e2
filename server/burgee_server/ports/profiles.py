"""Where the properties of persons and groups are kept. A person is a profile of the type "user"."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from burgee.evaluation.model import Json, Properties
from burgee_server.errors import Invalid
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion

MAX_PROFILE_BYTES = 65_536

MAX_ALIASES = 1_000
"""How many other ids a person may have: more is a mistake, such as an id that many have in common."""


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """`set` overwrites, `set_once` fills what is missing, `unset` removes; in that order."""

    set: Properties = field(default_factory=dict)
    set_once: Properties = field(default_factory=dict)
    unset: frozenset[str] = frozenset()

    def apply(self, properties: Properties) -> dict[str, Json]:
        """The properties after the change. Raises Invalid if that would be more than a profile may hold."""
        changed = {**self.set_once, **properties, **self.set}
        changed = {name: value for name, value in changed.items() if name not in self.unset}
        size = len(json.dumps(changed))
        if size > MAX_PROFILE_BYTES:
            raise Invalid.of(
                "change",
                f"the profile would have {size:,} bytes as JSON, and may have {MAX_PROFILE_BYTES:,}: unset some",
            )
        return changed


def same(some: Properties, others: Properties) -> bool:
    """Whether these are the same properties. Not by ==: 1, 1.0 and true are the same to Python."""
    return json.dumps(some, sort_keys=True) == json.dumps(others, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a person or of a group. Where several ids are one person, the key is the one that stands for it.

    Whatever takes the key of a person takes any of the ids.
    """

    group_type: str
    key: str
    properties: Properties
    aliases: tuple[str, ...] = ()
    """The other ids of a person, in byte order."""


@dataclass(frozen=True, slots=True)
class GroupType:
    """A kind of group, and when it was first used."""

    name: str
    created_at: datetime


class ProfileStore(Protocol):
    """Keeps profiles and the group types that were used."""

    async def change(
        self, environment_id: int, group_type: str, key: str, change: PropertyChange, at: datetime
    ) -> Profile:
        """Apply a change to a profile, new or not, and return it as it is now. What it was before stays readable."""

    async def merge(self, environment_id: int, distinct_id: str, alias: str, at: datetime) -> Profile:
        """Make the persons that have these ids one, that of `distinct_id`; of two values of a property, its own stays.

        Changes nothing if they are. What each was before stays readable. Raises Invalid for more than MAX_ALIASES, and
        where the profile would be too large.
        """

    async def aliases(self, environment_id: int, distinct_ids: Sequence[str]) -> Mapping[str, str]:
        """Of these ids, and of the other ids of those who have any of them, the ones that stand for somebody else.

        By id, the id that stands for the person.
        """

    async def get(self, environment_id: int, group_type: str, key: str) -> Profile | None:
        """One profile."""

    async def at(self, environment_id: int, group_type: str, key: str, moment: datetime) -> Profile | None:
        """One profile as it was at a moment; None if it was not there yet."""

    async def page(
        self, environment_id: int, group_type: str, *, after: str, limit: int, having: tuple[str, str] | None = None
    ) -> Sequence[Profile]:
        """Profiles of a type in byte order of their keys, beginning after the key `after`; if given, only those that
        have a property with this name and text."""

    async def some(self, environment_id: int, group_type: str, keys: Collection[str]) -> Mapping[str, Properties]:
        """The properties of those of these groups that have a profile, by key."""

    async def add_group_types(self, environment_id: int, names: frozenset[str], at: datetime) -> None:
        """Remember group types; those that are known already stay as they are."""

    async def group_types(self, environment_id: int) -> Sequence[GroupType]:
        """The group types of an environment, by name."""

    async def changed_since(self, revision: int, limit: int) -> Sequence[ProfileRow]:
        """Profiles of every environment with a greater revision, in order of revision.

        One that is being erased, or that has become another person's, is there with no properties.
        """

    async def versions_since(self, revision: int, limit: int) -> Sequence[ProfileVersion]:
        """What profiles of every environment are and were, with a greater revision, in order of revision."""

    async def loaded_versions(self) -> int:
        """Up to which revision what profiles were is in the warehouse."""

    async def set_loaded_versions(self, revision: int) -> None:
        """Remember up to which revision what profiles were is in the warehouse."""

    async def loaded_revision(self) -> int:
        """Up to which revision profiles are in the warehouse."""

    async def set_loaded_revision(self, revision: int) -> None:
        """Remember up to which revision profiles are in the warehouse."""
