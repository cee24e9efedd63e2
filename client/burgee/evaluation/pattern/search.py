"""Searches a text with a program: an automaton made deterministic as texts ask for it, within bounds."""

from functools import lru_cache

from burgee.evaluation.pattern.program import Assert, Fork, Found, Take, assemble
from burgee.evaluation.pattern.syntax import Assertion, read

_MOST_KEPT = 200_000
"""Edges and places kept a pattern, some 10 MB; when there are more, all are forgotten and found again as needed."""

# What stands beside a position: nothing, a word character, a newline, or another character.
_EDGE, _WORD, _NEWLINE, _OTHER = range(4)


class _State:
    """The places in the program where a search can stand, given what came before."""

    __slots__ = ("before", "next", "places")

    def __init__(self, places: frozenset[int], before: int) -> None:
        self.places = places
        self.before = before
        self.next: dict[str, _State] = {}


_FOUND = _State(frozenset(), _OTHER)


class Pattern:
    """A compiled pattern. Safe to share between threads: what is remembered is the same whoever finds it.

    `kept` counts the edges and places that are remembered now.
    """

    def __init__(self, pattern: str) -> None:
        """Compile. Raises PatternError."""
        self._program, self._begin = assemble(read(pattern))
        self._looks_around = any(isinstance(instruction, Assert) for instruction in self._program)
        self._forget()

    @staticmethod
    @lru_cache(maxsize=1024)
    def compile(pattern: str) -> "Pattern":
        """The pattern, compiled once. Raises PatternError."""
        return Pattern(pattern)

    def found_in(self, text: str) -> bool:
        """Whether the pattern is found anywhere in the text. The time is linear in the text."""
        state = self._start
        for character in text:
            after = state.next.get(character)
            if after is None:
                after = self._step(state, character)
            if after is _FOUND:
                return True
            state = after
        return self._reach(state, _EDGE) is None

    def _forget(self) -> None:
        self.kept = 0
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._start = self._state(frozenset({self._begin}), _EDGE)

    def _state(self, places: frozenset[int], before: int) -> _State:
        state = self._states.get((places, before))
        if state is None:
            state = self._states[places, before] = _State(places, before)
            self.kept += len(places)
        return state

    def _step(self, state: _State, character: str) -> _State:
        kind = _kind(character) if self._looks_around else _OTHER
        takes = self._reach(state, kind)
        if takes is None:
            after = _FOUND
        else:
            # A search may begin at any character, so the beginning is always one of the places.
            places = frozenset({self._begin, *(take.then for take in takes if character in take.characters)})
            if self.kept >= _MOST_KEPT:
                self._forget()
            after = self._state(places, kind)
        self.kept += 1
        state.next[character] = after
        return after

    def _reach(self, state: _State, after: int) -> list[Take] | None:
        """What can be taken next, having gone as far as goes without taking a character; None: found."""
        takes: list[Take] = []
        waiting = list(state.places)
        seen = set(waiting)
        while waiting:
            match self._program[waiting.pop()]:
                case Take() as take:
                    takes.append(take)
                    continue
                case Found():
                    return None
                case Fork(places):
                    then = places
                case Assert(assertion, place):
                    then = (place,) if _holds(assertion, state.before, after) else ()
            fresh = [place for place in then if place not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
        return takes


def _kind(character: str) -> int:
    if character == "\n":
        return _NEWLINE
    return _WORD if character == "_" or (character.isascii() and character.isalnum()) else _OTHER


def _holds(assertion: Assertion, before: int, after: int) -> bool:
    match assertion:
        case Assertion.BEGIN_TEXT:
            return before == _EDGE
        case Assertion.END_TEXT:
            return after == _EDGE
        case Assertion.BEGIN_LINE:
            return before in (_EDGE, _NEWLINE)
        case Assertion.END_LINE:
            return after in (_EDGE, _NEWLINE)
        case Assertion.WORD_BOUNDARY:
            return (before == _WORD) is not (after == _WORD)
        case Assertion.NO_WORD_BOUNDARY:
            return (before == _WORD) is (after == _WORD)
