"""Everything that is needed to evaluate an environment's flags here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from burgee.evaluation import FlagSet, Profiles, Properties, Resolution
from burgee.evaluation.flag_set import Decide

MOST_ANSWERS = 65_536
"""Some 20 MB. Then all are forgotten, and worked out again when they are next asked for."""

_MOST_PARTS = 8
"""A question of more groups than six is not remembered: there might be thousands."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class NotCarried(Exception):
    """The answer depends on something stored that only the server knows."""


class Carried(Mapping[tuple[str, str], Properties]):
    """What is stored of the group types that are carried, and the cohorts. To look for any other raises NotCarried."""

    def __init__(self, profiles: Profiles, types: frozenset[str]) -> None:
        self._profiles = profiles
        self._types = types

    def __getitem__(self, identity: tuple[str, str]) -> Properties:
        if identity[0] not in self._types and identity not in self._profiles:
            raise NotCarried
        return self._profiles[identity]

    def get(self, identity: tuple[str, str], default: Any = None) -> Any:
        """The same as `[]`, and quicker than what Mapping makes of that: every flag asks in this way."""
        found = self._profiles.get(identity)
        if found is None and identity[0] not in self._types:
            raise NotCarried
        return default if found is None else found

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)


@dataclass(frozen=True, slots=True)
class CertainFlag:
    """A flag that can be decided here, whoever asks."""

    decide: Decide
    by_user: bool
    """Whether users of the same groups may be given different things."""
    timed: bool
    """Whether the time alone may change what it gives."""


Question: TypeAlias = tuple[str | tuple[str, str | None], ...]
"""A flag's key; the user's, or none where all users of the same groups are given the same; and the groups, by type."""


class Answers(dict[Question, Resolution]):
    """What was given, for as long as the flags and what is stored are what they were."""

    def remember(self, question: Question, answer: Resolution) -> None:
        """Keep an answer, and begin anew when there are too many."""
        if len(self) >= MOST_ANSWERS:
            self.clear()
        if len(question) <= _MOST_PARTS:
            self[question] = answer


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The flags at a version.

    In place, what is stored of one group may change, as a whole, and the members of a cohort, one by one.
    """

    version: str
    flags: FlagSet
    stored: dict[tuple[str, str], Properties]
    carried: frozenset[str]
    """The group types whose mentioned properties are all here."""
    cohorts: frozenset[str]
    """The cohorts whose members are all here."""
    unread: Mapping[str, str]
    """What is wrong with the flags that were sent and cannot be read or evaluated here, by key."""
    unsure: frozenset[str]
    """The flags that only the server can answer: those that cannot be read here, and all that depend on them."""
    changed: frozenset[str]
    """The keys of the flags that are new, gone or not as they were in the snapshot before."""
    uncertain: bool
    """Whether any flag is unsure, or reads something stored that is not carried."""
    certain: dict[str, CertainFlag]
    """Flags that are not and do not; those that `consider` was asked for."""
    answers: Answers = field(default_factory=Answers)
    """What certain flags gave to whom, with nothing passed."""
    stale: bool = False
    """Whether the server may have changed them meanwhile: what they give then says so."""

    def lost(self) -> "Snapshot":
        """The same, now that nobody tells of changes."""
        return replace(self, answers=Answers(), stale=True)

    @classmethod
    def of(
        cls, flags: FlagSet, version: str = "", stored: dict[tuple[str, str], Properties] | None = None,
        carried: frozenset[str] = frozenset(), cohorts: frozenset[str] = frozenset(),
        unread: Mapping[str, str] = _NOTHING, changed: Iterable[str] = (),
    ) -> "Snapshot":  # fmt: skip
        """A snapshot of flags, of the stored properties of the carried types, and of the carried cohorts."""
        unsure = unread and {
            *unread,
            *(key for key in flags.flags if any(each in unread for each in flags.reach_of(key))),
        }
        uncarried = not flags.mentioned_types <= carried or any(key not in cohorts for _, key in flags.cohorts)
        return cls(
            version, flags, {} if stored is None else stored, carried, cohorts,
            unread, frozenset(unsure), frozenset(changed), bool(unsure) or uncarried, {},
        )  # fmt: skip

    def consider(self, flag_key: str) -> CertainFlag | None:
        """A flag that can be decided here for certain; None for others and unknown ones."""
        if self.uncertain and (
            flag_key in self.unsure
            or any(each.owner not in self.carried for each in self.flags.mentions_of(flag_key))
            or any(cohort_key not in self.cohorts for _, cohort_key in self.flags.cohorts_of(flag_key))
        ):
            return None
        decide = self.flags.decider(flag_key)
        if decide is None:
            return None
        flag = CertainFlag(decide, self.flags.is_by_user(flag_key), self.flags.is_timed(flag_key))
        self.certain[flag_key] = flag
        return flag

    @property
    def profiles(self) -> Profiles:
        """What is stored, for flags that may not be certain: reading it may raise NotCarried."""
        return Carried(self.stored, self.carried) if self.uncertain else self.stored
