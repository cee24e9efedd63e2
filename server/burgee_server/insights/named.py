"""Which properties a question goes by, itself or by the actions and cohorts that it names."""

from collections.abc import Iterator
from typing import Any

from burgee.evaluation import Condition
from burgee.evaluation.operators import COHORTS
from burgee_server.insights.parts import matches_of, parts_of
from burgee_server.insights.sql.attributes import COHORT, EVENT
from burgee_server.insights.sql.variants import PREFIX
from burgee_server.insights.words import Breakdown
from burgee_server.ports.vocabulary import Vocabulary


def properties_of(query: Any, vocabulary: Vocabulary) -> frozenset[tuple[str, str]]:
    """The properties by which a question chooses, splits and counts: pairs of the owner and the name."""
    asked, seen = [query], list[Any]()
    for part in asked:
        seen.append(part)
        named = [
            *(vocabulary.actions.get(match.action) for match in matches_of(part) if match.action),
            *(vocabulary.cohorts.get(key) for key in _cohorts(part)),
        ]
        asked += [each for each in named if each is not None and each not in asked]
    found = {(owner, name) for part in seen for owner, _, name in _attributes(part) if owner and name}
    return frozenset((owner, name) for owner, name in found if owner == EVENT or _is_property(name))


def _is_property(name: str) -> bool:
    """Of a user or a group."""
    return name != "key" and not name.startswith((COHORT, PREFIX))


def _attributes(query: Any) -> Iterator[tuple[str, str, str]]:
    """Each as str.partition has it."""
    for part in parts_of(query):
        match part:
            case Condition(attribute):
                yield attribute.partition(".")
            case Breakdown(attributes):
                yield from (attribute.partition(".") for attribute in attributes)
            case _:
                for field in ("property", "name_by"):  # of a series, of paths
                    yield EVENT, ".", getattr(part, field, "")


def _cohorts(query: Any) -> Iterator[str]:
    """The keys of those that a question, or a cohort, names."""
    for part in parts_of(query):
        match part:
            case Condition(operator=operator, values=values) if operator in COHORTS:
                yield from map(str, values)
            case Breakdown(attributes):
                names = (attribute.partition(".")[2] for attribute in attributes)
                yield from (name.removeprefix(COHORT) for name in names if name.startswith(COHORT))
            case _:
                if key := getattr(part, "cohort_key", ""):
                    yield key
