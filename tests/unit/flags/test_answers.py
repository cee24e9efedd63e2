"""Answers that are kept: which, for how long, and for whom."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from burgee.evaluation import (
    Condition,
    Context,
    Distribution,
    Flag,
    FlagSet,
    FlagType,
    Operator,
    RampStep,
    Rule,
    VariantWeight,
    with_defaults,
)
from burgee.v1 import flags_pb2 as pb
from burgee_server.flags import Answers, Checks, Stored
from burgee_server.ports.clock import Clock
from burgee_server.rpc.flags import FlagServicer

RULE = Rule("r1", Distribution((VariantWeight("on", 1),)), (Condition("company.plan", Operator.EQUALS, ("pro",)),))
FLAG = with_defaults(Flag("beta", FlagType.BOOLEAN, (), "", enabled=True, rules=(RULE,)))
ACME = Context("ann", {"company": "acme"})


class Memory:
    """Flags and profiles as a test puts them there: one object a state, as in the server."""

    def __init__(self) -> None:
        self.flags = FlagSet([FLAG])
        self.members = Members()
        self.stored = Stored(self, self.members)
        self.profiles: dict[tuple[int, str, str], dict[str, str]] = {(1, "company", "acme"): {"plan": "pro"}}

    def peek(self, environment_id, *identity):
        return self.profiles.get((environment_id, *identity)) if identity else self.flags

    async def get(self, environment_id, *identity):
        return self.profiles.setdefault((environment_id, *identity), {}) if identity else self.flags


class Members:
    """Who is in which cohorts; one object a state, too."""

    def __init__(self) -> None:
        self.cohorts: dict[tuple[int, str, str], frozenset[str]] = {}

    def peek(self, *identity):
        return self.cohorts.get(identity)

    async def get(self, *identity):
        return self.cohorts.setdefault(identity, frozenset())


class Noon(Clock):
    """A clock that stands still until a test moves it."""

    seconds = 43_200.0

    def unix_seconds(self):
        return self.seconds


@pytest.fixture
def memory() -> Memory:
    """Flags and profiles as they are now."""
    return Memory()


async def remember(memory: Memory, answers: Answers, question: bytes = b"question", environment_id: int = 1) -> None:
    """Check the flag and keep the answer, as the servicer does."""
    given = await Checks(memory, memory.stored, Noon()).evaluate(environment_id, "beta", ACME)
    answers.keep(environment_id, question, given.flags, given.known, given.resolution.variant.encode())


async def test_an_answer_is_given_again_while_nothing_changes(memory):
    """The very bytes come back for the very question, and for no other."""
    answers = Answers(memory, memory.stored, 10)
    await remember(memory, answers)

    assert answers.find(1, b"question") == b"on"
    assert answers.find(1, b"another") is None


async def test_a_change_of_the_company_ends_an_answer(memory):
    """Nobody tells: that memory holds another object, or none, is enough."""
    answers = Answers(memory, memory.stored, 10)
    await remember(memory, answers)
    kept = memory.profiles.pop((1, "company", "acme"))
    assert answers.find(1, b"question") is None

    memory.profiles[1, "company", "acme"] = dict(kept)
    assert answers.find(1, b"question") is None


async def test_who_comes_into_a_cohort_or_leaves_it_ends_an_answer(memory):
    """Also of a company that was in none: it is remembered that it was not."""
    rule = replace(RULE, conditions=(Condition("company.key", Operator.IN_COHORT, ("first",)),))
    memory.flags = FlagSet([replace(FLAG, rules=(rule,))])
    acme = (1, "company", "acme")
    answers = Answers(memory, memory.stored, 10)
    await remember(memory, answers)
    assert answers.find(1, b"question") == b"off"

    memory.members.cohorts[acme] = frozenset({"first", "other"})
    assert answers.find(1, b"question") is None
    await remember(memory, answers)
    assert answers.find(1, b"question") == b"on"

    del memory.members.cohorts[acme]
    assert answers.find(1, b"question") is None


async def test_a_change_of_flags_ends_every_answer(memory):
    """Even if the flags are equal: whether they are is not looked at."""
    answers = Answers(memory, memory.stored, 10)
    await remember(memory, answers)
    memory.flags = FlagSet([FLAG])

    assert answers.find(1, b"question") is None


async def test_an_answer_is_for_its_environment_alone(memory):
    """The same bytes in another environment are another question."""
    answers = Answers(memory, memory.stored, 10)
    await remember(memory, answers)

    assert answers.find(2, b"question") is None


async def test_no_more_is_kept_than_there_is_room_for(memory):
    """The capacity is for all environments together; a question kept twice counts once."""
    answers = Answers(memory, memory.stored, 3)
    for environment_id, question in ((1, b"a"), (2, b"b"), (2, b"b"), (1, b"c")):
        await remember(memory, answers, question, environment_id)
    assert [answers.find(1, b"a"), answers.find(2, b"b"), answers.find(1, b"c")] == [b"on", b"off", b"on"]

    await remember(memory, answers, b"d")

    assert answers.find(2, b"b") is None
    assert answers.find(1, b"d") == b"on"


async def test_a_change_of_flags_makes_room(memory):
    """What was kept for flags that are gone does not count."""
    answers = Answers(memory, memory.stored, 2)
    for _ in range(5):
        memory.flags = FlagSet([FLAG])
        await remember(memory, answers, b"a")
        await remember(memory, answers, b"b")
        assert (answers.find(1, b"a"), answers.find(1, b"b")) == (b"on", b"on")


async def test_long_questions_are_not_kept(memory):
    """Memory is bounded by count, so each has to be small."""
    answers = Answers(memory, memory.stored, 10)
    await remember(memory, answers, b"x" * 1_025)

    assert answers.find(1, b"x" * 1_025) is None


def test_a_check_that_names_the_company_needs_no_team(memory):
    """Though teams belong to companies: nothing is read of the team, and only a check that names it alone waits."""
    memory.flags = FlagSet([FLAG], {"team": "company"})
    checks = Checks(memory, memory.stored, Noon())
    given = checks.peek(1, "beta", Context("ann", {"team": "t1", "company": "acme"}))

    assert (given.resolution.variant, list(given.known.properties)) == ("on", [("company", "acme")])
    assert checks.peek(1, "beta", Context("ann", {"team": "t1"})) is None


def test_what_is_written_once_for_all_has_no_parents_in_it(memory):
    """A resolution that says whose company it was is made anew each time: to keep it would only fill memory."""
    memory.flags = FlagSet([FLAG], {"team": "company"})
    servicer = FlagServicer(Checks(memory, memory.stored, Noon()), Answers(memory, memory.stored, 10), None)
    asked = [{"team": f"t{number}"} for number in range(3)]
    for groups in (*asked, {"company": "acme"}):
        if "team" in groups:
            memory.profiles[1, "team", groups["team"]] = {"company": "acme"}
        question = pb.EvaluateRequest(flag_key="beta", context={"groups": groups}).SerializeToString()
        answer = pb.EvaluateResponse.FromString(servicer.at_once(1, question)).resolution
        assert (answer.variant, len(answer.parent_groups)) == ("on", "team" in groups)

    assert [resolution.parent_groups for resolution, _ in servicer._responses.values()] == [{}]


class Reading(Checks):
    """Checks that count how often a question had to be read."""

    read = 0

    def peek(self, *question):
        self.read += 1
        return super().peek(*question)


def test_a_question_about_a_ramp_is_read_once_and_answered_by_the_time(memory):
    """What is remembered is whom it is about, and not the answer; a change of the company makes it be read again."""
    steps = [
        RampStep(datetime.fromtimestamp(seconds, UTC), rollout) for seconds, rollout in ((0, 0), (50_000, 100_000))
    ]
    rule = replace(RULE, distribution=Distribution((VariantWeight("on", 1),), "company", ramp=tuple(steps)))
    memory.flags = FlagSet([replace(FLAG, rules=(rule,))])
    clock = Noon()
    checks = Reading(memory, memory.stored, clock)
    servicer = FlagServicer(checks, Answers(memory, memory.stored, 10), None)
    question = pb.EvaluateRequest(flag_key="beta", context={"groups": {"company": "acme"}}).SerializeToString()

    def asked():
        return pb.EvaluateResponse.FromString(servicer.at_once(1, question)).resolution.variant, checks.read

    assert [asked(), asked()] == [("off", 1), ("off", 1)]
    clock.seconds = 50_000.0
    assert asked() == ("on", 1)
    clock.seconds = 49_999.0
    assert asked() == ("off", 1)
    assert sum(servicer.evaluations.values()) == 4

    clock.seconds = 50_000.0
    memory.profiles[1, "company", "acme"] = {"plan": "free"}
    assert [asked(), asked()] == [("off", 2), ("off", 2)]
