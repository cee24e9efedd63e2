"""Nothing that can be written down as a flag makes evaluation raise, and no pattern makes it take for ever."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from burgee import wire
from burgee.evaluation import (
    Context,
    DocumentError,
    Flag,
    FlagSet,
    Json,
    Pattern,
    PatternError,
    Prerequisite,
    Profiles,
    Reason,
    flag_from_document,
    flag_to_document,
    violations,
    with_defaults,
)
from burgee.v1 import flags_pb2
from tests.fixtures.examples import examples
from tests.unit.evaluation.strategies import NOW, contexts, flags, json_values, profiles
from tests.unit.evaluation.test_pattern import patterns, texts

needing_itself = flags(prerequisites=(Prerequisite("f", ("one",)), Prerequisite("gone", ("two",))))


@st.composite
def damaged_documents(draw: st.DrawFn) -> Json:
    """A flag's document, in which something was put in another thing's place, here and there."""
    document: Any = deepcopy(flag_to_document(draw(flags() | needing_itself)))
    for _ in range(draw(st.integers(1, 3))):
        parent, name = None, None
        inside = document
        while isinstance(inside, dict | list) and inside and (parent is None or draw(st.booleans())):
            parent, name = (
                inside,
                draw(st.sampled_from(list(inside) if isinstance(inside, dict) else range(len(inside)))),
            )
            inside = parent[name]
        if parent is not None:
            parent[name] = draw(json_values | st.just(deepcopy(document[draw(st.sampled_from(list(document)))])))
    return document  # type: ignore[no-any-return]


def ask_everything(flag: Flag, context: Context, stored: Profiles) -> None:
    """Everything that is done with a flag: nothing raises, and what cannot be evaluated says so."""
    flag = with_defaults(flag)
    faults = violations(flag, {flag.key: flag})
    flag_set = FlagSet([flag])
    resolution = flag_set.evaluate(flag.key, context, stored, NOW)
    assert (resolution.reason is Reason.ERROR) == bool(violations(flag))
    assert flag_set.explain(flag.key, context, stored, NOW).resolution == resolution
    assert flag_set.evaluate_all(context, stored, NOW) == ([] if flag.archived else [resolution])
    assert flag_set.mentions_of(flag.key) <= flag_set.mentions
    assert all(path and reason for path, reason in faults)


@examples(40)
@given(damaged_documents(), contexts(), profiles)
def test_no_document_makes_evaluation_raise(document: Json, context: Context, stored: Profiles) -> None:
    """It is refused as a DocumentError that names the path, or it answers every context, if only with ERROR."""
    with suppress(DocumentError):
        ask_everything(flag_from_document(document), context, stored)


@examples(40)
@given(flags() | needing_itself, st.data(), contexts(), profiles)
def test_no_message_makes_evaluation_raise(flag: Flag, data: st.DataObject, context: Context, stored: Profiles) -> None:
    """It is no message, or a WireError that names the field, or it answers every context, if only with ERROR."""
    message = bytearray(wire.flag_to_proto(flag).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DecodeError, wire.WireError):
        ask_everything(wire.flag_from_proto(flags_pb2.Flag.FromString(bytes(message))), context, stored)


class Counted(tuple[Any, ...]):
    """A program that counts how often it is looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        """One step."""
        self.looks += 1
        return super().__getitem__(at)


def steps(pattern: Pattern, text: str) -> int:
    """How many steps a search takes that remembers nothing of another."""
    program = pattern._program = Counted(pattern._program)  # type: ignore[assignment]
    pattern._forget()
    pattern.found_in(text)
    assert isinstance(program, Counted)
    return program.looks


@examples(100)
@given(patterns, st.lists(texts, max_size=8).map("".join))
def test_a_search_takes_a_step_for_each_character_and_instruction_at_most(pattern: str, text: str) -> None:
    """Linear in the text, whatever the pattern: that of counting each place once for each character."""
    with suppress(PatternError):
        compiled = Pattern(pattern)
        assert steps(compiled, text) <= (len(text) + 1) * len(compiled._program)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "(a|a?)+b",
        "([ab]*)*c",
        "(.*)(.*)(.*)(.*)(.*)x",
        "a?" * 60 + "a" * 60,
        "(a|b)*a(a|b){200}c",
        "(?:(?:a{0,9}){0,9}){0,9}c",
        "(\\w+\\s?)+$",
    ],
)
def test_patterns_that_hang_others_take_no_more(pattern: str) -> None:
    """The longest text that a check looks at, of letters that lead each of them on."""
    compiled = Pattern(pattern)
    for text in ("a" * 2_048, "ab" * 1_024, bin(pow(3, 1_290))[2:].replace("0", "a").replace("1", "b")[:2_048]):
        assert steps(compiled, text) <= (len(text) + 1) * len(compiled._program) < 5_000_000
