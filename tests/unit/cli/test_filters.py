"""Filters as they are typed: what is read, where it cannot be, and what is written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not, Operator
from burgee.evaluation.operators import PRESENCES
from burgee_server.cli.filters import FilterError, filter_text, read_filter
from tests.fixtures.examples import examples

A, B, C = (Condition(f"event.{name}", Operator.EQUALS, (1,)) for name in "abc")


@pytest.mark.parametrize(
    ("typed", "filter_"),
    [
        ("event.a equals 1", A),
        ("event.a equals 1 and event.b equals 1 and event.c equals 1", AllOf((A, B, C))),
        ("event.a equals 1 or event.b equals 1 and event.c equals 1", AnyOf((A, AllOf((B, C))))),
        ("(event.a equals 1 or event.b equals 1) and event.c equals 1", AllOf((AnyOf((A, B)), C))),
        ("not event.a equals 1 and event.b equals 1", AllOf((Not(A), B))),
        ("not (event.a equals 1 and not not event.b equals 1)", Not(AllOf((A, Not(Not(B)))))),
        ("not(event.a equals 1)or(event.b equals 1)", AnyOf((Not(A), B))),
        ("  event.a\n\tequals  1 ", A),
    ],
)
def test_or_binds_less_than_and_which_binds_less_than_not(typed, filter_):
    """Parentheses say otherwise, and space says nothing."""
    assert read_filter(typed) == filter_


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("event.x equals pro", ("pro",)),
        ("event.x in pro,team , 3,true", ("pro", "team", 3, True)),
        ('event.x in ["a,b", 1, null], c', ("a,b", 1, None, "c")),
        ('event.x equals "3"', ("3",)),
        ('event.x equals "say \\"and\\" (or so)"', ('say "and" (or so)',)),
        (r"event.x matches '^\d+ (a|b)$'", (r"^\d+ (a|b)$",)),
        (r"event.x matches ^/docs/\d+$", (r"^/docs/\d+$",)),
        ("event.x equals O'Brien", ("O'Brien",)),
        ("event.x equals AND", ("AND",)),
        ("event.x in NaN,-Infinity,1e999", ("NaN", "-Infinity", "1e999")),
        (f"event.x in {'9' * 400},-9", ("9" * 400, -9)),
        ("event.x is_set", ()),
        ("company.key equals 42", ("42",)),
        ("user.key in 7, ann,true", ("7", "ann", "true")),
        ('team.key in ["a,b", 7]', ("a,b", "7")),
        ('company.key equals "a,b"', ("a,b",)),
        ("event.key equals 42", (42,)),
    ],
)
def test_a_value_is_json_or_else_text_and_that_of_a_key_is_text_whatever_it_looks_like(typed, values):
    """A company may be called 42; the property of an event that is called key is none."""
    found = read_filter(typed)
    assert isinstance(found, Condition)
    assert found.values == values


def test_an_attribute_with_spaces_is_quoted():
    """The names of properties are anything."""
    assert read_filter("'event.Plan (new)' equals x") == Condition("event.Plan (new)", Operator.EQUALS, ("x",))


@pytest.mark.parametrize(
    ("typed", "word", "place"),
    [
        ("", "an attribute is missing", ""),
        ("event.a equals 1 and", "an attribute is missing", ""),
        ("event.a equals 1 and or event.b is_set", "an attribute is missing", "or event.b is_set"),
        ("company.plan", "an operator is missing", ""),
        ("company.plan = pro", "'=' is not an operator; there are: equals, not_equals", "= pro"),
        ("company.plan equals", "a value is missing", ""),
        ("company.plan equals and event.a is_set", 'the word itself is written "and"', "and event.a is_set"),
        ("company.country in (de, at)", "a value is missing", "(de, at)"),
        ("company.plan in pro,,team", "a value is missing", ",team"),
        ("company.name equals Acme Corp", "this is too much", "Corp"),
        ("event.a is_set 3", "this is too much", "3"),
        ("(event.a is_set or (event.b is_set)", "this ( is not closed", "(event.a is_set or (event.b is_set)"),
        ("event.a is_set)", "this is too much", ")"),
        ("event.a equals 'x", "this ' is not closed", "'x"),
        ('event.a equals "x', "this is not JSON: Unterminated string", '"x'),
        (r'event.a matches "\d"', r"this is not JSON: Invalid \escape", r'\d"'),
        ("event.a in [1, 2", "this is not JSON", ""),
        ("event.a in [1, NaN]", "this is not JSON: NaN", "[1, NaN]"),
        ('event.a in ["b", "\\ud800"]', "no letter", '["b", "\\ud800"]'),
        ("event.a equals caf\udce9 and", "no letter", "? and"),
        ("not " * 30 + "event.a is_set", "more than 20 levels deep", "not " * 10 + "event.a is_set"),
        ("[" * 3, "an attribute is missing", "[[["),
        (f"event.a in {'[' * 100_000}", "too deep", "[" * 100_000),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(typed, word, place):
    """The reason in a line, the text in the next, and below it where."""
    with pytest.raises(FilterError) as raised:
        read_filter(typed)
    reason, line, caret = str(raised.value).split("\n")
    assert word in reason
    assert line[len(caret) - 1 :] == place[:50]
    assert caret.strip() == "^"


def test_the_place_is_shown_in_its_own_line_under_wide_letters_too():
    """A filter may have several lines; what takes two columns is counted as two."""
    with pytest.raises(FilterError) as raised:
        read_filter("event.a is_set\nand event.名前 = 1")
    assert str(raised.value).split("\n")[1:] == ["  and event.名前 = 1", f"  {' ' * 15}^"]


_names = st.text(min_size=1, max_size=5) | st.sampled_from(["and", "or", "not", "where", "key", "a b", '"', "'", "(x)"])
_values = _names | st.integers() | st.booleans() | st.none() | st.sampled_from(["3", "true", "[1]", "NaN", "-", "1e9"])


@st.composite
def _conditions(draw) -> Condition:
    operator = draw(st.sampled_from(Operator))
    attribute = f"{draw(st.sampled_from(['event', 'user', 'company']))}.{draw(_names)}"
    if operator in PRESENCES:
        return Condition(attribute, operator)
    of_key = attribute in ("user.key", "company.key")
    values = draw(st.lists(_names if of_key else _values, min_size=1, max_size=3))
    return Condition(attribute, operator, tuple(values))


_filters = st.recursive(
    _conditions(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda found: AllOf(tuple(found)))
        | st.lists(inner, min_size=1, max_size=3).map(lambda found: AnyOf(tuple(found)))
        | inner.map(Not)
    ),
    max_leaves=6,
)


def _plain(filter_: Filter) -> Filter:
    """Without lists of one, and without lists in lists of their own kind: what says the same with fewer parentheses."""
    match filter_:
        case AllOf((sole,)) | AnyOf((sole,)):
            return _plain(sole)
        case AllOf(filters) | AnyOf(filters):
            kind = type(filter_)
            parts = [_plain(each) for each in filters]
            return kind(
                tuple(inner for each in parts for inner in (each.filters if isinstance(each, kind) else (each,)))
            )
        case Not(inner):
            return Not(_plain(inner))
        case _:
            return filter_


@examples(200)
@given(_filters)
def test_what_is_written_is_read_back_as_the_same(filter_):
    """Whatever names and values are made of."""
    assert read_filter(filter_text(filter_)) == _plain(filter_)


def test_what_is_written_has_no_quotes_and_parentheses_that_it_does_not_need():
    """As people type it."""
    for typed in (
        "company.plan in pro,team and not (event.pages lt 3 or user.email is_not_set)",
        'event.a equals 1 and event.b equals "1" or company.key equals 1',
        '"event.a b" equals "x y" and (event.a is_set or event.b is_set)',
    ):
        assert filter_text(read_filter(typed)) == typed
