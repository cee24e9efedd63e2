"""Everything that is needed to evaluate an environment's flags here."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from burgee.evaluation import Context, FlagSet, Profiles, Properties, Resolution


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

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)


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
    certain: frozenset[str]
    """The flags that read nothing stored that is not carried."""
    evaluate: Callable[[str, Context, Profiles, float], Resolution]
    """That of the flags, for speed."""

    @classmethod
    def of(
        cls, flags: FlagSet, version: str = "", stored: dict[tuple[str, str], Properties] | None = None,
        carried: frozenset[str] = frozenset(), cohorts: frozenset[str] = frozenset(),
    ) -> "Snapshot":  # fmt: skip
        """A snapshot of flags, of the stored properties of the carried types, and of the carried cohorts."""
        certain = (
            key
            for key in flags.flags
            if all(each.owner in carried for each in flags.mentions_of(key))
            and all(cohort_key in cohorts for _, cohort_key in flags.cohorts_of(key))
        )
        known = {} if stored is None else stored
        return cls(version, flags, known, carried, cohorts, frozenset(certain), flags.evaluate)

    @property
    def profiles(self) -> Profiles:
        """What is stored, for flags that are not certain: reading it may raise NotCarried."""
        return Carried(self.stored, self.carried)
