"""Which actions and cohorts a question asks for by itself: while it is kept, they cannot be taken away unnoticed."""

from typing import Any

from burgee.evaluation import Condition
from burgee.evaluation.operators import COHORTS
from burgee_server.insights.parts import matches_of, parts_of
from burgee_server.insights.sql.attributes import COHORT, EVENT
from burgee_server.insights.words import Breakdown


def actions_of(query: Any) -> tuple[str, ...]:
    """Their keys, in byte order."""
    return tuple(sorted({match.action for match in matches_of(query)} - {""}))


def cohorts_of(query: Any) -> tuple[str, ...]:
    """Their keys, in byte order: of conditions, and of attributes that split an answer."""
    named = set[str]()
    for part in parts_of(query):
        if isinstance(part, Condition) and part.operator in COHORTS:
            named.update(map(str, part.values))
        elif isinstance(part, Breakdown):
            for attribute in part.attributes:
                owner, _, name = attribute.partition(".")
                if owner != EVENT and name.startswith(COHORT):
                    named.add(name.removeprefix(COHORT))
    return tuple(sorted(named))
