"""Checks while the control store cannot be reached, for companies that are not in memory."""

import pytest

from burgee.evaluation import (
    Condition,
    Context,
    Distribution,
    Flag,
    FlagSet,
    FlagType,
    Operator,
    Rule,
    VariantWeight,
    with_defaults,
)
from burgee_server.errors import Unavailable
from burgee_server.flags import Answers, Checks, Stored
from tests.unit.flags.test_answers import Noon

ON = Distribution((VariantWeight("on", 1),))


def flag(key, *conditions):
    """A flag that is on where its conditions hold."""
    rule = Rule("r1", ON, conditions)
    return with_defaults(Flag(key, FlagType.BOOLEAN, (), "", enabled=True, rules=(rule,)))


FLAGS = FlagSet(
    [
        flag("everybody"),
        flag("of-a-key", Condition("company.key", Operator.EQUALS, ("acme",))),
        flag("not-free", Condition("company.plan", Operator.NOT_EQUALS, ("free",))),
        flag("of-a-person", Condition("user.role", Operator.EQUALS, ("admin",))),
        flag("not-in-cohort", Condition("company.key", Operator.NOT_IN_COHORT, ("beta",))),
    ]
)


class Away:
    """Flags in memory, and the person ann; whatever else is asked for cannot be had."""

    def __init__(self):
        self.ann = {"role": "admin"}

    def peek(self, environment_id, *identity):
        if not identity:
            return FLAGS
        return self.ann if identity == ("user", "ann") else None

    async def get(self, _environment_id, *identity):
        if not identity:
            return FLAGS
        raise Unavailable("the control store cannot be reached")


class NoCohorts:
    """Nobody's cohorts are in memory, and none can be read."""

    def peek(self, *_identity):
        return None

    async def get(self, *_identity):
        raise Unavailable("the control store cannot be reached")


@pytest.fixture
def stored():
    """What memory has, and a store that is away."""
    return Stored(Away(), NoCohorts())


async def check(stored, key, context=Context("ann", {"company": "acme"})):  # noqa: B008 - frozen
    """The answer to one check."""
    return await Checks(Away(), stored, Noon()).evaluate(1, key, context)


@pytest.mark.parametrize("key", ["everybody", "of-a-key", "of-a-person"])
async def test_a_flag_that_does_not_ask_for_what_cannot_be_read_gives_what_it_always_gives(stored, key):
    """Although other flags of the environment would ask for the company's properties and cohorts."""
    assert (await check(stored, key)).resolution.variant == "on"


@pytest.mark.parametrize("key", ["not-free", "not-in-cohort"])
async def test_a_flag_that_does_is_not_guessed_at(stored, key):
    """Without a plan, the company would be taken for one that is not on the free one; and so with cohorts."""
    with pytest.raises(Unavailable):
        await check(stored, key)


async def test_what_the_caller_passes_need_not_be_read(stored):
    """It would come first anyway."""
    passed = Context("ann", {"company": "acme"}, group_properties={"company": {"plan": "pro"}})

    assert (await check(stored, "not-free", passed)).resolution.variant == "on"


async def test_such_an_answer_holds_for_as_long_as_what_it_rests_on(stored):
    """It is remembered like any other."""
    answers = Answers(Away(), stored, 10)
    given = await check(stored, "everybody")
    answers.keep(1, b"question", given.flags, given.known, b"answer")

    assert answers.find(1, b"question") == b"answer"
