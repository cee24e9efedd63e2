"""What an environment has given names to, for its questions to use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from burgee_server.ports.actions import Action


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that questions may use, and what each stands for now."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    has_aliases: bool = False
    """Whether any person has more than one id."""


class Vocabularies(Protocol):
    """Reads them, in one go, so that they fit each other."""

    async def of(self, environment_id: int) -> Vocabulary:
        """Those of an environment."""
