"""Questions made up by a seed: what all of them are made of, over the whole space that a request has."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not, Operator
from burgee_server.insights.words import Breakdown, Happening, Interval, TimeRange
from tests.unit.insights.combined.worlds import COMPANIES, FLAG, IDS, World

OWNERS = ["user", "company", "team"]
ATTRIBUTES = [
    *("event.plan", "event.amount", "event.o`d.d", "user.key", "company.key", "team.key"),
    *("user.plan", "company.plan", "team.seats", f"company.$feature/{FLAG}", f"user.$feature/{FLAG}"),
    *("user.$cohort/team", "company.$cohort/ours", "user.$cohort/never a", "company.$cohort/busy"),
]
CONDITIONS = [
    *(Condition(f"{owner}.plan", Operator.EQUALS, ("pro",)) for owner in ("event", *OWNERS)),
    *(Condition(f"{owner}.plan", Operator.NOT_IN, ("pro", 5, True)) for owner in ("event", *OWNERS)),
    *(Condition(f"{owner}.plan", Operator.IS_SET) for owner in ("event", *OWNERS)),
    *(Condition(f"{owner}.plan", Operator.IS_NOT_SET) for owner in ("event", *OWNERS)),
    *(Condition(f"{owner}.plan", Operator.CONTAINS, ("r", 5)) for owner in ("event", "company")),
    *(Condition(f"{owner}.plan", Operator.NOT_CONTAINS, ("pro",)) for owner in ("event", "user")),
    *(Condition(f"{owner}.plan", Operator.MATCHES, ("^.r.$",)) for owner in ("event", "company")),
    *(Condition(f"{owner}.plan", Operator.BEFORE, ("2026-03-02",)) for owner in ("event", "company")),
    Condition("event.plan", Operator.SEMVER_GTE, ("1.0.0",)),
    *(Condition(f"{owner}.$feature/{FLAG}", Operator.EQUALS, ("on",)) for owner in ("user", "company")),
    *(Condition(f"{owner}.$feature/{FLAG}", Operator.NOT_EQUALS, ("on",)) for owner in ("user", "company")),
    *(Condition(f"company.$feature/{FLAG}", operator) for operator in (Operator.IS_SET, Operator.IS_NOT_SET)),
    Condition("event.amount", Operator.GT, (1,)),
    Condition("event.amount", Operator.LTE, (2.5,)),
    Condition("company.seats", Operator.GTE, (50,)),
    *(Condition("user.key", operator, ("anon-1",)) for operator in (Operator.EQUALS, Operator.NOT_EQUALS)),
    Condition("user.key", Operator.IN, (*IDS[:3], "nobody")),
    Condition("user.key", Operator.STARTS_WITH, ("an",)),
    Condition("company.key", Operator.NOT_IN, (COMPANIES[0],)),
    Condition("company.key", Operator.IS_SET),
    *(Condition("user.key", operator, ("team", "did a")) for operator in (Operator.IN_COHORT, Operator.NOT_IN_COHORT)),
    *(Condition("user.key", operator, ("never a",)) for operator in (Operator.IN_COHORT, Operator.NOT_IN_COHORT)),
    Condition("user.key", Operator.IN_COHORT, ("team or never a",)),
    *(Condition("company.key", operator, ("ours",)) for operator in (Operator.IN_COHORT, Operator.NOT_IN_COHORT)),
    Condition("company.key", Operator.IN_COHORT, ("busy",)),
]


def filter_(random: Random, depth: int = 0) -> Filter:
    """A tree of at most three levels."""
    kind = random.random()
    if depth == 2 or kind < 0.5:
        return random.choice(CONDITIONS)
    if kind < 0.65:
        return Not(filter_(random, depth + 1))
    branches = tuple(filter_(random, depth + 1) for _ in range(random.choice([1, 2, 3])))
    return AllOf(branches) if kind < 0.82 else AnyOf(branches)


def perhaps(random: Random, chance: float = 0.35) -> Filter | None:
    """A filter, or none."""
    return filter_(random) if random.random() < chance else None


def happening(random: Random, *, some: bool = False) -> Happening:
    """Events of a name, of an action, or any, unless there must be `some`."""
    events = ["a", "a", "b", "c", "$feature_flag_called", *([] if some else ["", ""])]
    if random.random() < 0.25:
        return Happening(action=random.choice(["either", "paid a", "anything"]), filter=perhaps(random, 0.2))
    return Happening(random.choice(events), filter=perhaps(random, 0.25))


def breakdown(random: Random, most: int = 3) -> Breakdown:
    """By one to three attributes."""
    count = random.choice([1, 1, 1, 2, 3][: most + 2])
    return Breakdown(tuple(random.sample(ATTRIBUTES, count)), random.choice([0, 1, 2]))


def range_(random: Random, world: World, zone: str, middle: datetime) -> TimeRange:
    """Around the moment at which the clocks change, in every way to write it; sometimes compared."""
    compare = random.choice(["", "", "", "previous", "previous", "-1d", "-1m", "-1y", "-36h"])
    if random.random() < 0.3:
        names = ["today", "yesterday", "this week", "last week", "this month", "last month", "this quarter"]
        return TimeRange(random.choice([*names, "last quarter", "this year"]), "", compare)
    if random.random() < 0.2:
        return TimeRange(random.choice(["", "-7d", "-36h", "-2w", "-1m", "-1y"]), "", compare)
    if random.random() < 0.05:
        return TimeRange("all")
    if random.random() < 0.05:  # before there can be events, and after
        return random.choice([TimeRange("1965-01-01", "1971-01-01"), TimeRange("2099-11-01", "2101-01-01", "-1y")])
    here = ZoneInfo(zone)
    start = middle + timedelta(hours=random.choice([-1500, -800, -170, -25, -2, -1, 0]))
    end = middle + timedelta(hours=random.choice([1, 2, 24, 49, 170, 700]))
    start, end = start.astimezone(here), end.astimezone(here)
    match random.choice(["dates", "local", "utc"]):
        case "dates":
            return TimeRange(f"{start:%Y-%m-%d}", f"{end + timedelta(days=1):%Y-%m-%d}", compare)
        case "local":  # in a gap or twice there, where the clocks change
            return TimeRange(f"{start:%Y-%m-%dT%H}:30", f"{end:%Y-%m-%dT%H:%M}", compare)
    return TimeRange(start.isoformat(), end.isoformat(), compare)


def interval(random: Random, range_: TimeRange, intervals: Sequence[Interval] = tuple(Interval)) -> Interval:
    """Any, but for hours of a year."""
    is_long = "y" in range_.start or range_.start[:4] in ("1965", "2099")
    return random.choice([each for each in intervals if each is not Interval.HOUR or not is_long])
