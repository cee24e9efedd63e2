"""Events and actions as they are typed, with filters of their own."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import burgee
from burgee.evaluation import Condition, Operator
from burgee_server.cli.filters import FilterError
from burgee_server.cli.happenings import happening_text, label_of, read_happening
from tests.fixtures.examples import examples

LARGE = Condition("event.rows", Operator.GT, (100,))


@pytest.mark.parametrize(
    ("typed", "happening"),
    [
        ("a", burgee.Happening("a")),
        ("@a", burgee.Happening(action="a")),
        ("@@a", burgee.Happening("@a")),
        ("@@@a", burgee.Happening("@@a")),
        ("", burgee.Happening()),
        ("a@b", burgee.Happening("a@b")),
        ("Signed up (again), now", burgee.Happening("Signed up (again), now")),
        ("where", burgee.Happening("where")),
        ("nowhere else", burgee.Happening("nowhere else")),
        ("imported where event.rows gt 100", burgee.Happening("imported", LARGE)),
        ("File imported  where\tevent.rows gt 100", burgee.Happening("File imported", LARGE)),
        ("@big where event.rows gt 100", burgee.Happening(action="big", where=LARGE)),
        ("where event.rows gt 100", burgee.Happening(where=LARGE)),
        ('"went where it hurts"', burgee.Happening("went where it hurts")),
        ('"went where it hurts" where event.rows gt 100', burgee.Happening("went where it hurts", LARGE)),
        ('"\\"quoted\\""', burgee.Happening('"quoted"')),
        ('"@@a"', burgee.Happening("@a")),
        ("imported where(event.rows gt 100)", burgee.Happening("imported", LARGE)),
    ],
)
def test_an_at_names_an_action_and_what_is_behind_where_narrows_it(typed, happening):
    """Two are an event whose name begins with one; quotes are for names with a where in them."""
    assert read_happening(typed) == happening


@pytest.mark.parametrize(
    ("typed", "word", "place"),
    [
        ("imported where event.rows > 100", "'>' is not an operator", "> 100"),
        ('"imported" event.rows gt 100', "where, or the end", "event.rows gt 100"),
        ('"imported', "begins with a quote", '"imported'),
        ("imported where", "an attribute is missing", ""),
        ("@", "the key of an action is missing", ""),
        ("@ where event.rows gt 100", "the key of an action is missing", " where event.rows gt 100"),
        ("caf\udce9", "no letter", "?"),
        ('"caf\\ud800"', "no letter", '"caf\\ud800"'),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place_in_the_whole(typed, word, place):
    """Not in the filter alone."""
    with pytest.raises(FilterError) as raised:
        read_happening(typed)
    reason, line, caret = str(raised.value).split("\n")
    assert word in reason
    assert line[len(caret) - 1 :] == place


_odd = st.sampled_from(["@", "@@", "where", " where ", "\twhere(", '"', "\\", " ", "a"])


@examples(200)
@given(st.lists(_odd | st.text(min_size=1, max_size=3), min_size=1, max_size=4).map("".join), st.booleans())
@example("where", True)
@example("a where", False)
@example("@a where b", False)
def test_what_is_said_of_an_event_is_what_would_be_typed(name, filtered):
    """Whatever it is called: one that begins with an @ is not said to be an action."""
    happening = burgee.Happening(name, LARGE if filtered else None)
    assert read_happening(happening_text(happening)) == happening


def test_what_has_a_filter_of_its_own_is_labelled_with_it_as_far_as_a_label_may_be_long():
    """So that two steps of the same event can be told apart; what has none keeps its name."""
    assert label_of(read_happening("imported")) == ""
    assert label_of(read_happening("@big where event.rows gt 100")) == "@big where event.rows gt 100"
    assert label_of(read_happening("where event.rows gt 100")) == "any event where event.rows gt 100"
    assert len(label_of(read_happening(f"imported where event.rows in {','.join('abcdefghij' * 20)}"))) == 200
    assert happening_text(burgee.Happening("a", [LARGE, LARGE])) == "a where event.rows gt 100 and event.rows gt 100"
