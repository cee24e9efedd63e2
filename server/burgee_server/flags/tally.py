"""Counts what a preview found: by variant, before and after, and by the value of a property."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from burgee.evaluation import Json, Properties

Transition = tuple[str, str]
"""The variant before, and after."""


@dataclass(frozen=True, slots=True)
class VariantTotal:
    """How many get a variant, and how many would."""

    variant: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the groups; `value` is that of the breakdown property, None for those without one and for the whole."""

    value: Json
    groups: int
    changed: int
    variants: tuple[VariantTotal, ...]


class Tally:
    """Filled through `add`; one for a preview."""

    def __init__(self, breakdown_property: str) -> None:
        self._property = breakdown_property
        self._counts: dict[object, dict[Transition, int]] = defaultdict(lambda: defaultdict(int))
        self._values: dict[object, Json] = {}

    def add(self, properties: Properties, transition: Transition) -> None:
        """Count a group."""
        self._counts[self._part(properties)][transition] += 1

    def whole(self, variants: Sequence[str]) -> Part:
        """All groups, with the totals in the order of `variants`."""
        counts: dict[Transition, int] = defaultdict(int)
        for part in self._counts.values():
            for transition, count in part.items():
                counts[transition] += count
        return _part(None, counts, variants)

    def parts(self, variants: Sequence[str]) -> list[Part]:
        """The groups by value of the breakdown property, the greatest part first; none without such a property."""
        if not self._property:
            return []
        parts = [_part(self._values[part], counts, variants) for part, counts in self._counts.items()]
        return sorted(parts, key=lambda part: (-part.groups, part.value is None, _text(part.value)))

    def _part(self, properties: Properties) -> object:
        """What stands for the value in a dict: 1, 1.0 and true are equal there, and true is not 1 here."""
        if not self._property:
            return None
        value = properties.get(self._property)
        part: object = value if isinstance(value, str) else _identity(value)
        if part not in self._values:
            self._values[part] = value
        return part


def _identity(value: Json) -> object:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (float, value)
    return (type(value), _text(value))


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _part(value: Json, counts: dict[Transition, int], variants: Sequence[str]) -> Part:
    before: dict[str, int] = defaultdict(int)
    after: dict[str, int] = defaultdict(int)
    changed = 0
    for transition, count in counts.items():
        before[transition[0]] += count
        after[transition[1]] += count
        changed += count if transition[0] != transition[1] else 0
    # A flag that does not exist gives no variant: counted, too, where there is any.
    shown = [*variants, *([""] if before.get("") else [])]
    return Part(
        value,
        sum(counts.values()),
        changed,
        tuple(VariantTotal(variant, before.get(variant, 0), after.get(variant, 0)) for variant in shown),
    )
