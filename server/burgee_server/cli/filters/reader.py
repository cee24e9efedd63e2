"""Reads a filter as it is typed, and says where it cannot be read."""

import json
import re
from typing import NoReturn

from rich.cells import cell_len

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Json, Not, Operator
from burgee.evaluation.operators import PRESENCES
from burgee_server.cli.filters.words import AND, BARE, KEYWORDS, NOT, OR, is_key
from burgee_server.cli.values import JSON, read_value

_DEEPEST = 20
"""How deep it is read; the server, which takes less, says so itself."""

_AROUND = 50
"""How many characters before and after the place are shown."""

_SPACE = re.compile(r"\s*")
_HALF = re.compile("[\ud800-\udfff]")


class FilterError(ValueError):
    """A text that is no filter; as text it is a sentence, and the place below it."""

    def __init__(self, reason: str, text: str, at: int) -> None:
        start = max(text.rfind("\n", 0, at) + 1, at - _AROUND)
        line = _HALF.sub("?", text[start : at + _AROUND]).partition("\n")[0].replace("\t", " ")
        super().__init__(f"{reason}\n  {line}\n  {' ' * cell_len(line[: at - start])}^")


def require_letters(text: str) -> None:
    """Raise FilterError for what cannot be sent."""
    if half := _HALF.search(text):
        raise FilterError("this is no letter: half of one, or a byte that is not UTF-8", text, half.start())


def require_whole(value: Json, text: str, at: int) -> None:
    """Raise FilterError for half a letter in what JSON at a place of a text says, where it may be escaped."""
    if _HALF.search(json.dumps(value, ensure_ascii=False)):
        raise FilterError(r"this has what is no letter in it: half of a pair, such as \ud800", text, at)


def read_filter(text: str, start: int = 0) -> Filter:
    """The filter in a text, from there on. Raises FilterError.

    `or` binds less than `and`, `and` less than `not`. A condition is ATTRIBUTE OPERATOR [VALUE[,VALUE]]: a value that
    is JSON is taken as such, any other word as text; "…" is text as JSON has it, '…' text as it stands. What has
    spaces, commas or parentheses in it is quoted. What a key is compared with is text: `company.key equals 42`.
    """
    require_letters(text)
    reader = _Reader(text, start)
    found = reader.either()
    if not reader.is_over():
        reader.fail("this is too much: and, or, or the end comes next; a text with spaces or ( is quoted")
    return found


class _Reader:
    """Goes through a text once: `at` is where the next word begins, or the end."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._depth = 0
        self._at = at
        self._skip(0)

    def fail(self, reason: str, at: int | None = None) -> NoReturn:
        raise FilterError(reason, self._text, self._at if at is None else at)

    def is_over(self) -> bool:
        return self._at == len(self._text)

    def either(self) -> Filter:
        """One or several with `or` between them."""
        found = [self._both()]
        while self._took(OR):
            found.append(self._both())
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _both(self) -> Filter:
        found = [self._one()]
        while self._took(AND):
            found.append(self._one())
        return found[0] if len(found) == 1 else AllOf(tuple(found))

    def _one(self) -> Filter:
        began = self._at
        self._depth += 1
        if self._depth > _DEEPEST:
            self.fail(f"more than {_DEEPEST} levels deep")
        if self._took(NOT):
            found: Filter = Not(self._one())
        elif self._took("("):
            found = self.either()
            if not self._took(")"):
                self.fail("this ( is not closed", began)
        else:
            found = self._condition()
        self._depth -= 1
        return found

    def _condition(self) -> Condition:
        attribute = self._name("an attribute is missing here, such as company.plan")
        began = self._at
        operators = f"there are: {', '.join(Operator)}"
        name = self._name(f"an operator is missing here; {operators}")
        if name not in [*Operator]:
            self.fail(f"{name!r} is not an operator; {operators}", began)
        operator = Operator(name)
        values: list[Json] = []
        if operator not in PRESENCES:
            values += self._values(keys=is_key(attribute))
            while self._took(","):
                values += self._values(keys=is_key(attribute))
        return Condition(attribute, operator, tuple(values))

    def _name(self, missing: str) -> str:
        if self._text[self._at : self._at + 1] in ('"', "'"):
            return self._quoted()
        return self._bare(missing)

    def _values(self, *, keys: bool) -> list[Json]:
        """The value that is next; of a list its values."""
        match self._text[self._at : self._at + 1]:
            case '"' | "'":
                return [self._quoted()]
            case "[":
                values = self._json()
                return [each if isinstance(each, str) else json.dumps(each) for each in values] if keys else values
            case _:
                word = self._bare("a value is missing here, such as pro or pro,team; a text with spaces or ( is quoted")
                return [word if keys else read_value(word)]

    def _bare(self, missing: str) -> str:
        found = BARE.match(self._text, self._at)
        if found is None:
            self.fail(missing)
        if found[0] in KEYWORDS:
            self.fail(f'{missing}; the word itself is written "{found[0]}"')
        self._skip(len(found[0]))
        return found[0]

    def _quoted(self) -> str:
        """A text in quotes."""
        began = self._at
        if self._text[began] == '"':
            return str(self._json())
        end = self._text.find("'", began + 1)
        if end < 0:
            self.fail("this ' is not closed")
        self._skip(end + 1 - began)
        return self._text[began + 1 : end]

    def _json(self) -> list[Json]:
        """A text or a list as JSON has it."""
        try:
            value, end = JSON.raw_decode(self._text, self._at)
        except (ValueError, RecursionError) as error:
            reason = "too deep" if isinstance(error, RecursionError) else getattr(error, "msg", str(error))
            at = getattr(error, "pos", None)
            self.fail(f"this is not JSON: {reason}. Between single quotes a text is taken as it stands", at)
        require_whole(value, self._text, self._at)
        self._skip(end - self._at)
        return value  # type: ignore[no-any-return] # what begins with " or [ is a text or a list

    def _took(self, word: str) -> bool:
        """Whether this is next, which is then behind us: a keyword, or a character of its own."""
        if word in KEYWORDS:
            found = BARE.match(self._text, self._at)
            is_next = found is not None and found[0] == word
        else:
            is_next = self._text.startswith(word, self._at)
        if is_next:
            self._skip(len(word))
        return is_next

    def _skip(self, characters: int) -> None:
        """Go on, to the next word."""
        space = _SPACE.match(self._text, self._at + characters)
        self._at = space.end() if space else len(self._text)
