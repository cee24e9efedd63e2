"""Which actions and cohorts a question asks for by itself: while it is kept, they cannot be taken away unnoticed."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from burgee.evaluation import Condition
from burgee.evaluation.operators import COHORTS
from burgee_server.insights.sql.attributes import COHORT, EVENT
from burgee_server.insights.words import Breakdown


def actions_of(query: Any) -> tuple[str, ...]:
    """Their keys, in byte order."""
    named = {part.action for part in _parts(query) if hasattr(part, "event") and hasattr(part, "action")}
    return tuple(sorted(named - {""}))


def cohorts_of(query: Any) -> tuple[str, ...]:
    """Their keys, in byte order: of conditions, and of attributes that split an answer."""
    named = set[str]()
    for part in _parts(query):
        if isinstance(part, Condition) and part.operator in COHORTS:
            named.update(map(str, part.values))
        elif isinstance(part, Breakdown):
            for attribute in part.attributes:
                owner, _, name = attribute.partition(".")
                if owner != EVENT and name.startswith(COHORT):
                    named.add(name.removeprefix(COHORT))
    return tuple(sorted(named))


def _parts(part: Any) -> Iterator[Any]:
    """Everything that a question is made of."""
    if isinstance(part, tuple):
        for each in part:
            yield from _parts(each)
    elif is_dataclass(part):
        yield part
        for field in fields(part):
            yield from _parts(getattr(part, field.name))
