"""Reads RE2's syntax (github.com/google/re2/wiki/Syntax) into a tree.

Left out, and refused with a message: \\C (it splits characters into bytes) and \\p of scripts.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from burgee.evaluation.pattern import characters as sets
from burgee.evaluation.pattern.characters import Characters, Ranges, characters

LONGEST = 1000
"""Characters in a pattern."""
MOST_REPEATS = 1000
"""The highest count in {n,m}, and the highest product of nested counts: RE2's bound."""
DEEPEST = 100
"""Groups inside groups."""


class PatternError(ValueError):
    """The pattern is not RE2 syntax, or too large. The message is for whoever wrote it."""


class Assertion(Enum):
    """Holds between two characters, and takes none."""

    BEGIN_TEXT = "\\A"
    END_TEXT = "\\z"
    BEGIN_LINE = "(?m)^"
    END_LINE = "(?m)$"
    WORD_BOUNDARY = "\\b"
    NO_WORD_BOUNDARY = "\\B"


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other. No parts: the empty text."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the branches."""

    branches: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """From `low` to `high` times; without `high`, without end."""

    part: "Node"
    low: int
    high: int | None


Node: TypeAlias = Characters | Assertion | Sequence | Choice | Repeat


@dataclass(frozen=True, slots=True)
class _Flags:
    fold: bool = False
    lines: bool = False
    dot_all: bool = False


def read(pattern: str) -> Node:
    """The tree of a pattern. Raises PatternError."""
    if len(pattern) > LONGEST:
        raise PatternError(f"a pattern has at most {LONGEST:,} characters")
    reader = _Reader(pattern)
    tree = reader.choice(0)
    if reader.at < len(pattern):
        raise PatternError("unexpected )")
    _check_repeats(tree, MOST_REPEATS)
    return tree


def _check_repeats(node: Node, left: int) -> None:
    match node:
        case Repeat(part, low, high):
            count = low if high is None else high
            left = left // count if count else left
            if not left:
                raise PatternError(f"repeats multiply to more than {MOST_REPEATS:,}")
            _check_repeats(part, left)
        case Sequence(parts) | Choice(parts):
            for part in parts:
                _check_repeats(part, left)


_ESCAPES = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_PERL: dict[str, tuple[Ranges, bool]] = {
    "d": (sets.DIGIT, False),
    "D": (sets.DIGIT, True),
    "s": (sets.SPACE, False),
    "S": (sets.SPACE, True),
    "w": (sets.WORD, False),
    "W": (sets.WORD, True),
}
_ANCHORS = {
    "A": Assertion.BEGIN_TEXT,
    "z": Assertion.END_TEXT,
    "b": Assertion.WORD_BOUNDARY,
    "B": Assertion.NO_WORD_BOUNDARY,
}


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = _Flags()

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def next(self, missing: str) -> str:
        if self.at >= len(self.pattern):
            raise PatternError(missing)
        self.at += 1
        return self.pattern[self.at - 1]

    def until(self, end: str, missing: str) -> str:
        stop = self.pattern.find(end, self.at)
        if stop < 0:
            raise PatternError(missing)
        text, self.at = self.pattern[self.at : stop], stop + len(end)
        return text

    # Structure

    def choice(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise PatternError(f"groups are nested more than {DEEPEST} deep")
        branches = [self.sequence(depth)]
        while self.take("|"):
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        repeated = False
        while self.at < len(self.pattern) and not self.peek("|") and not self.peek(")"):
            counts = self.repeat_counts()
            if counts is None:
                parts.extend(self.atom(depth))
                repeated = False
                continue
            if not parts:
                raise PatternError("a repetition has nothing to repeat")
            if repeated:
                raise PatternError("a repetition of a repetition needs a group")
            self.take("?")  # lazy or not decides which match is found, not whether there is one
            parts[-1] = Repeat(parts[-1], *counts)
            repeated = True
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeat_counts(self) -> tuple[int, int | None] | None:
        """The counts of the repetition here; None, and nothing taken, if there is none."""
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return counts
        if not self.peek("{"):
            return None
        stop = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at + 1 : max(stop, self.at)].partition(",")
        if not _is_digits(low) or (high and not _is_digits(high)):
            return None  # RE2 reads it as plain text
        self.at = stop + 1
        least = int(low)
        most = least if not comma else int(high) if high else None
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise PatternError(f"{{{low}{comma}{high}}} is not a repetition: counts rise, up to {MOST_REPEATS:,}")
        return least, most

    def atom(self, depth: int) -> list[Node]:
        if self.take("\\Q"):
            return self.quoted()
        match self.next(""):
            case "(":
                return self.group(depth)
            case "[":
                return [self.character_class()]
            case ".":
                return [characters(sets.EVERYTHING if self.flags.dot_all else sets.complement(((10, 10),)))]
            case "^":
                return [Assertion.BEGIN_LINE if self.flags.lines else Assertion.BEGIN_TEXT]
            case "$":
                return [Assertion.END_LINE if self.flags.lines else Assertion.END_TEXT]
            case "\\":
                return [self.escape()]
            case character:
                return [self.literal(ord(character))]

    def quoted(self) -> list[Node]:
        stop = self.pattern.find("\\E", self.at)
        end = stop if stop >= 0 else len(self.pattern)
        text, self.at = self.pattern[self.at : end], min(end + 2, len(self.pattern))
        return [self.literal(ord(character)) for character in text]

    def group(self, depth: int) -> list[Node]:
        outer = self.flags
        if self.take("?P<") or (self.peek("?<") and not self.peek("?<=") and not self.peek("?<!") and self.take("?<")):
            name = self.until(">", "a group's name has no end")
            if not name.replace("_", "a").isalnum():
                raise PatternError(f"{name!r} is not a name for a group")
        elif self.take("?") and not self.set_flags():
            return []
        inside = self.choice(depth + 1)
        if not self.take(")"):
            raise PatternError("missing )")
        self.flags = outer
        return [inside]

    def set_flags(self) -> bool:
        """Read (?i-s) or (?i-s:  after the question mark; whether a group follows."""
        on, changed = True, True
        while True:
            match self.next("missing )"):
                case "i":
                    self.flags = replace(self.flags, fold=on)
                case "m":
                    self.flags = replace(self.flags, lines=on)
                case "s":
                    self.flags = replace(self.flags, dot_all=on)
                case "U":
                    pass  # swaps lazy and greedy, which a search does not see
                case "-" if on:
                    on, changed = False, False
                    continue
                case ":" if on or changed:
                    return True
                case ")" if changed:
                    return False
                case _:
                    raise PatternError("not RE2: lookaround, backreferences and (?... of other kinds are refused")
            changed = True

    # Characters

    def literal(self, code: int) -> Characters:
        return self.set_of(((code, code),))

    def set_of(self, ranges: Ranges, negated: bool = False) -> Characters:
        return characters(sets.folded(ranges) if self.flags.fold else ranges, negated=negated)

    def escape(self) -> Node:
        character = self.next("a pattern cannot end in \\")
        if character in _ANCHORS:
            return _ANCHORS[character]
        if character in _PERL:
            return self.set_of(*_PERL[character])
        if character in "pP":
            return characters((), *self.categories(character == "P"))
        self.at -= 1
        return self.literal(self.escaped_code())

    def escaped_code(self) -> int:
        character = self.next("a pattern cannot end in \\")
        if character in _ESCAPES:
            return _ESCAPES[character]
        if character == "x":
            if self.take("{"):
                digits = self.until("}", "\\x{ has no }")
            else:
                digits, self.at = self.pattern[self.at : self.at + 2], self.at + 2
                if len(digits) < 2:
                    raise PatternError("\\x takes two hexadecimal digits")
            if not digits or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
                raise PatternError("\\x takes hexadecimal digits")
            code = int(digits, 16)
            if code > sets.HIGHEST:
                raise PatternError("\\x names no character")
            return code
        if character in "01234567":
            digits = character
            while len(digits) < 3 and self.at < len(self.pattern) and self.pattern[self.at] in "01234567":
                digits += self.next("")
            if character != "0" and len(digits) == 1:
                raise PatternError("not RE2: backreferences are refused")
            return int(digits, 8)
        if character.isascii() and not character.isalnum():
            return ord(character)
        raise PatternError(f"\\{character} has no meaning")

    def categories(self, negated: bool) -> tuple[frozenset[str], bool]:
        name = self.next("\\p takes a category")
        if name == "{":
            name = self.until("}", "\\p{ has no }")
        if name.startswith("^"):
            name, negated = name[1:], not negated
        found = (
            sets.CATEGORIES if name == "Any" else frozenset(c for c in sets.CATEGORIES if name and c.startswith(name))
        )
        if not found:
            raise PatternError(f"\\p{{{name}}} is not a general category, such as L or Lu; scripts are not supported")
        if self.flags.fold and found & sets.CASED and not found >= sets.CASED:
            raise PatternError(f"\\p{{{name}}} has no meaning where case is ignored")
        return found, negated

    def character_class(self) -> Characters:
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        kinds: frozenset[str] = frozenset()
        first = True
        while first or not self.peek("]"):
            first = False
            if self.peek("[:") and ":]" in self.pattern[self.at :]:
                ranges.extend(self.posix())
            elif self.peek("\\p") or self.peek("\\P"):
                self.at += 1
                found, outside = self.categories(self.next("") == "P")
                kinds |= sets.CATEGORIES - found if outside else found
            elif self.peek("\\") and self.pattern[self.at + 1 : self.at + 2] in {*_PERL}:
                self.at += 1
                ranges.extend(self.one_of(*_PERL[self.next("")]))
            else:
                ranges.extend(self.one_of(((self.class_range()),), False))
        self.at += 1
        return characters(ranges, kinds, negated)

    def one_of(self, ranges: Ranges, negated: bool) -> Ranges:
        inside = sets.folded(ranges) if self.flags.fold else ranges
        return sets.complement(inside) if negated else inside

    def posix(self) -> Ranges:
        self.at += 2
        name = self.until(":]", "")
        negated = name.startswith("^")
        if name.removeprefix("^") not in sets.POSIX:
            raise PatternError(f"[:{name}:] is not a class of characters")
        return self.one_of(sets.POSIX[name.removeprefix("^")], negated)

    def class_range(self) -> tuple[int, int]:
        low = self.class_code()
        if not self.peek("-") or self.peek("-]") or self.at + 1 >= len(self.pattern):
            return low, low
        self.at += 1
        high = self.class_code()
        if high < low:
            raise PatternError("a range of characters runs backwards")
        return low, high

    def class_code(self) -> int:
        character = self.next("missing ]")
        return self.escaped_code() if character == "\\" else ord(character)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
