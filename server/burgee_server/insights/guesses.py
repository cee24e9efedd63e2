"""What is remembered of guesses about properties: of which events they were wrong (docs/decisions/0095)."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from burgee_server.insights.parts import matches_of
from burgee_server.insights.sql.events import EventMatch
from burgee_server.ports.vocabulary import Vocabulary

MOST = 1_000
"""So many wrong guesses are remembered of an environment: then all over again."""

ANY = ""
"""In place of a name: any event."""


class Guesses:
    """Remembers wrong guesses, each with the events of the question in which it was wrong, as long as it lives."""

    def __init__(self) -> None:
        self._wrong: defaultdict[int, set[tuple[frozenset[str], str]]] = defaultdict(set)

    def wrong(self, environment_id: int, events: frozenset[str]) -> frozenset[str]:
        """The properties that were not as guessed in a question about some of these events, and no others."""
        known = self._wrong.get(environment_id, ())
        return frozenset(name for of, name in known if ANY in events or of <= events)

    def was_wrong(self, environment_id: int, events: frozenset[str], names: Collection[str]) -> None:
        """One or more of these properties were not, in a question about these events."""
        known = self._wrong[environment_id]
        if len(known) >= MOST:
            known.clear()
        known.update((events, name) for name in names)


def events_of(query: Any, vocabulary: Vocabulary) -> frozenset[str]:
    """The names of the events that a question is about, with those of its actions; ANY among them, if any event is.

    A question that names none is about any event.
    """
    return frozenset(name for match in matches_of(query) for name in _names(match, vocabulary)) or frozenset({ANY})


def _names(match: EventMatch, vocabulary: Vocabulary) -> Iterator[str]:
    if not match.action:
        yield match.event
    elif action := vocabulary.actions.get(match.action):
        yield from (matcher.event for matcher in action.matchers)
