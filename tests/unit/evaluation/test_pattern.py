"""The pattern engine: RE2's syntax and answers, in linear time."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import Pattern, PatternError
from tests.fixtures.examples import examples

OPTIONS = re2.Options()
OPTIONS.log_errors = False

# Left out on purpose: \C and scripts, which are refused; \B next to characters beyond ASCII, where RE2 sees bytes.
PIECES = (
    *"abAks09_ .^$|()[]-{},*+?1\\é",
    *(
        "(?:",
        "(?i)",
        "(?i:",
        "(?s)",
        "(?m)",
        "(?-i)",
        "(?U)",
        "(?i-s:",
        "(?-)",
        "(?P<n>a)",
        "(?<n>a)",
        "(?=a)",
        "(?<!a)",
    ),
    *("[ab]", "[^a]", "[a-z]", "[[:alpha:]]", "[[:^digit:]]", "[\\d_]", "[^\\W]", "[a-b-c]", "[]a]", "[k-s]", "[à-ö]"),
    *("{2}", "{1,2}", "{,2}", "{2,}", "{3,1}", "{1001}", "*?", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\b", "\\A"),
    *(
        "\\z",
        "\\Z",
        "\\1",
        "\\071",
        "\\07",
        "\\x41",
        "\\x{e9}",
        "\\pL",
        "\\PN",
        "[\\pN-]",
        "\\Qa.b\\E",
        "\\_",
        "\\-",
        "\\q",
    ),
)
patterns = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
texts = st.text("abAksſKS09 _\n\téÉß-.{},1", max_size=8)


@examples(300)
@given(patterns, st.lists(texts, min_size=3, max_size=3))
def test_it_accepts_and_finds_what_re2_does(pattern: str, some_texts: list[str]) -> None:
    """The same patterns are refused, and those that are not are found in the same texts."""
    try:
        theirs = re2.compile(pattern, OPTIONS)
    except re2.error:
        with pytest.raises(PatternError):
            Pattern(pattern)
        return
    ours = Pattern(pattern)
    for text in some_texts:
        assert ours.found_in(text) == bool(theirs.search(text))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 5000 + "b"),
        ("(a|aa)+$", "a" * 5000 + "b"),
        ("(.*)(.*)(.*)(.*)x", "a" * 5000),
        ("a?" * 100 + "a" * 100 + "$", "a" * 99),
    ],
)
def test_a_catastrophic_pattern_ends(pattern: str, text: str) -> None:
    """Patterns that a backtracking engine would not finish in a lifetime are answered."""
    assert not Pattern(pattern).found_in(text)


def test_what_is_remembered_is_bounded() -> None:
    """A pattern with far more states than are kept forgets them on the way, and still answers as RE2 does."""
    pattern, theirs = Pattern("a.{15}b$"), re2.compile("a.{15}b$", OPTIONS)
    letters = bin(pow(3, 20_000))[2:].replace("0", "a").replace("1", "b")
    for text in (letters, letters + "a" + "c" * 15 + "b", letters + "c" * 16 + "b"):
        assert pattern.found_in(text) == bool(theirs.search(text))
    assert pattern.kept <= 200_100


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "missing )"),
        (")", "unexpected )"),
        ("*", "nothing to repeat"),
        ("a**", "needs a group"),
        ("a{1001}", "up to 1,000"),
        ("(a{100}){11}", "multiply to more than 1,000"),
        ("(a\\w{900}|b\\d{900}|c\\s{900})", "too large"),
        ("(" * 101 + ")" * 101, "more than 100 deep"),
        ("a" * 1001, "at most 1,000 characters"),
        ("(?=a)", "lookaround"),
        ("(a)\\1", "backreferences"),
        ("[a", "missing ]"),
        ("[z-a]", "backwards"),
        ("[[:nope:]]", "not a class"),
        ("\\", "cannot end"),
        ("\\C", "no meaning"),
        ("\\p{Greek}", "scripts are not supported"),
        ("(?i)\\p{Lu}", "case is ignored"),
        ("\\x{110000}", "names no character"),
        ("(?P<a b>x)", "not a name"),
    ],
)
def test_a_refusal_says_why(pattern: str, message: str) -> None:
    """What is wrong with a pattern is said in words that its author can act on."""
    with pytest.raises(PatternError, match=message.replace(")", r"\)").replace("(", r"\(").replace("]", r"\]")):
        Pattern(pattern)
