"""Filters: conditions put together with and, or and not. An insight asks them of events; see burgee.v1.Filter."""

from dataclasses import dataclass
from typing import TypeAlias

from burgee.evaluation.model import Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these must hold."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these must hold."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This must not hold."""

    filter: "Filter"


Filter: TypeAlias = Condition | AllOf | AnyOf | Not
