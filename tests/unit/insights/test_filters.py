"""A filter and a flag rule mean the same: every operator in SQL against the evaluation core."""

from datetime import UTC, datetime
from typing import Any

import pytest

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Json, Not, Operator, operators
from burgee_server.insights.trend import Series, TrendQuery
from burgee_server.insights.words import Breakdown
from burgee_server.ports.warehouse import ProfileRow
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import MARCH, NOW, trend

VALUES: list[Json] = [
    None, "", ["5", 5, {"a": 1}], "pro", "Pro", "prod", "5", "true", "a.b\nc", "naïve 🦄", "it's \\ `x` {p:String} %s",
    5, 5.0, 5.5, -1, 0, 2**53, 2**63 + 2048, 1e300, True, False, [], ["pro", "x"], [5, 6], [5.5, True],
    [True, "x"], [True, {"a": 1}], [5, True], [1, "x", False], ["true", 5], [1e19, {"a": 1}],
    "1.2.3", "1.2.3-beta.2", "1.2.3-beta.11", "1.10.0", "2.0.0-alpha", "v1.2.3", "0.2.9",
    "2026-03-01", "2026-03-01T12:00:00+02:00", "2026-04-14T00:00:00.000001Z", "2026-02-30", "2026-03-01T12:00:00",
    "2026-00-10", "2026-13-01", "2026-01-00", "0000-01-01", "0001-01-01", "2016-12-31T23:59:60Z",
    "2016-12-31T23:59:61Z", "2026-03-01T24:00:00Z", "2026-03-01T23:60:00Z", "2026-03-01t12:00:00.1234567z",
    "2026-03-01T12:00:00-01:75", "2026-03-01 12:00:00+23:59", "2026-03-01T12:00:00.Z", "2026-03-01\n",
    "2026-03-01T12:00:00+24:00",
]  # fmt: skip

CONDITIONS: list[tuple[Operator, tuple[Json, ...]]] = [
    (Operator.EQUALS, ("pro",)),
    (Operator.EQUALS, ("",)),
    (Operator.EQUALS, ("it's \\ `x` {p:String} %s",)),
    (Operator.EQUALS, (5,)),
    (Operator.EQUALS, (True,)),
    (Operator.NOT_EQUALS, ("pro",)),
    (Operator.NOT_EQUALS, (5,)),
    (Operator.NOT_EQUALS, (False,)),
    (Operator.IN, ("pro", 5, False, "naïve 🦄")),
    (Operator.NOT_IN, ("pro", 5, False)),
    (Operator.CONTAINS, ("pro", "🦄")),
    (Operator.CONTAINS, (5, True)),
    (Operator.CONTAINS, (True,)),
    (Operator.CONTAINS, ("true", 1e19)),
    (Operator.CONTAINS, (1, 0)),
    (Operator.CONTAINS, ("",)),
    (Operator.NOT_CONTAINS, ("pro", 5)),
    (Operator.NOT_CONTAINS, ("",)),
    (Operator.STARTS_WITH, ("pr", "1.")),
    (Operator.ENDS_WITH, ("od", "🦄")),
    (Operator.MATCHES, ("^[Pp]ro.?$",)),
    (Operator.MATCHES, ("b.c",)),
    (Operator.MATCHES, ("(?s)b.c",)),
    (Operator.MATCHES, ("ï",)),
    (Operator.GT, (5,)),
    (Operator.GTE, (5,)),
    (Operator.LT, (5.5,)),
    (Operator.LTE, (0,)),
    (Operator.GT, (2.0**63,)),
    (Operator.BEFORE, ("2026-03-01T10:00:00Z",)),
    (Operator.AFTER, ("2026-03-01",)),
    (Operator.AFTER, ("-36h",)),
    (Operator.BEFORE, ("now",)),
    (Operator.SEMVER_EQ, ("1.2.3+build",)),
    (Operator.SEMVER_GT, ("1.2.3-beta.2",)),
    (Operator.SEMVER_GTE, ("1.2.3",)),
    (Operator.SEMVER_LT, ("1.2.3",)),
    (Operator.SEMVER_LTE, ("1.2.3",)),
    (Operator.SEMVER_TILDE, ("1.2.3-beta.3",)),
    (Operator.SEMVER_CARET, ("1.2.3",)),
    (Operator.SEMVER_CARET, ("0.2.1",)),
    (Operator.IS_SET, ()),
    (Operator.IS_NOT_SET, ()),
]


def expected(operator: Operator, values: tuple[Json, ...]) -> set[str]:
    """The distinct_ids whose value passes, by the evaluation core. u0 has null, "absent" has no such property."""
    test, missing = operators.test_of(operator, values), operator in operators.NEGATIVE
    passing = {
        f"u{index}"
        for index, value in enumerate(VALUES)
        if (missing if value is None else test(value, NOW.timestamp()))
    }
    return passing | ({"absent"} if missing else set())


async def who(environment: Environment, filter_: Filter) -> set[str]:
    """The distinct_ids of the events that pass."""
    query = TrendQuery((Series(filter=filter_),), MARCH, breakdown=Breakdown(("user.key",), 1000))
    return {row.part.value for row in (await trend(environment, query)).rows if row.part}


@pytest.fixture
async def zoo(environment: Environment) -> Environment:
    """A user a value, who has it as an event property, as a user property, and as their company's property."""
    holders = [(f"u{index}", {"p`.x": value}) for index, value in enumerate(VALUES)] + [("absent", {})]
    at = datetime(2026, 3, 10, tzinfo=UTC)
    await environment.load(
        *(
            Fact(
                distinct_id=name,
                timestamp=at,
                properties=properties,
                groups={} if name == "absent" else {"company": name},
            )
            for name, properties in holders
        )
    )
    mine = environment.environment_id
    await environment.warehouse.load_profiles(
        [
            ProfileRow(mine, type_, name, properties, 1)
            for name, properties in holders
            if name != "absent"
            for type_ in ("user", "company")
        ]
    )
    return environment


@pytest.mark.parametrize("owner", ["event", "user", "company"])
async def test_every_operator_means_what_it_means_in_a_rule(zoo: Environment, owner: str) -> None:
    """Over values of every type, for properties of events, users and groups, present, null and absent."""
    wrong: list[Any] = []
    for operator, values in CONDITIONS:
        found = await who(zoo, Condition(f"{owner}.p`.x", operator, values))
        if found != expected(operator, values):
            differing = found ^ expected(operator, values)
            wrong.append(
                (operator, values, [VALUES[int(name[1:])] if name != "absent" else name for name in differing])
            )
    assert not wrong


async def test_every_operator_means_the_same_of_a_key(environment: Environment) -> None:
    """Of the group's, which an event may lack; the user's is read alike. A key is text, equal to no other type."""
    keys = [value for value in VALUES if isinstance(value, str) and value]
    at = datetime(2026, 3, 10, tzinfo=UTC)
    await environment.load(
        *(Fact(distinct_id=key, timestamp=at, groups={"company": key}) for key in keys),
        Fact(distinct_id="absent", timestamp=at),
    )
    wrong: list[Any] = []
    for operator, values in CONDITIONS:
        test, missing = operators.test_of(operator, values), operator in operators.NEGATIVE
        passing = {key for key in keys if test(key, NOW.timestamp())} | ({"absent"} if missing else set())
        found = await who(environment, Condition("company.key", operator, values))
        if found != passing:
            wrong.append((operator, values, found ^ passing))
    assert await who(environment, Condition("user.key", Operator.CONTAINS, ("abs",))) == {"absent"}
    assert not wrong


async def test_conditions_combine(zoo: Environment) -> None:
    """All, any and not, where a condition on a missing value is false and its opposite true."""
    text = Condition("event.p`.x", Operator.EQUALS, ("pro",))
    number = Condition("user.p`.x", Operator.GT, (5,))
    everyone = {f"u{index}" for index in range(len(VALUES))} | {"absent"}
    pro, above = expected(Operator.EQUALS, ("pro",)), expected(Operator.GT, (5,))
    assert await who(zoo, AnyOf((text, number))) == pro | above
    assert await who(zoo, AllOf((text, number))) == set()
    assert await who(zoo, Not(number)) == everyone - above
    assert await who(zoo, Not(AnyOf((Not(AllOf((Not(text), Not(number)))),)))) == everyone - pro - above
