"""What an environment has given names to, for its questions to use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from burgee.evaluation import ParentTypes
from burgee_server.ports.actions import Action
from burgee_server.ports.criteria import Computed


@dataclass(frozen=True, slots=True)
class NamedCohort:
    """A cohort of persons (the type "user") or of groups of a type; listed, if nothing says how it is computed."""

    cohort_id: int
    key: str
    group_type: str
    changed: int
    """When it, or its members, last changed: microseconds since 1970."""
    computed: Computed | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that questions may use, and what each stands for now."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    has_aliases: bool = False
    """Whether any person has more than one id."""
    cohorts: Mapping[str, NamedCohort] = field(default_factory=dict)
    internal_cohort_key: str = ""
    """Whom questions leave out unless they ask for them; empty: nobody."""
    parent_types: ParentTypes = field(default_factory=dict)
    """By group type, the type that its groups belong to."""


class Vocabularies(Protocol):
    """Reads them, in one go, so that they fit each other."""

    async def of(self, environment_id: int) -> Vocabulary:
        """Those of an environment."""
