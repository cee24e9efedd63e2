"""Worlds made up by a seed, around a moment at which the clocks of a zone change; and a warehouse filled with one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from burgee.evaluation import USER, Condition, Operator
from burgee_server.insights import Insights
from burgee_server.insights.sql.variants import EXPOSURE
from burgee_server.insights.words import AsOf
from burgee_server.ports.actions import Matcher
from burgee_server.ports.criteria import Between, Comparison, Criterion, Events, InCohort, Performed, Some, Unless
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.vocabulary import action, cohort, insights, named
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.combined.world import Cohort, Seen, Version, World, key_of

CHANGES = {
    "UTC": "2026-03-01T00:00",
    "Europe/Berlin": "2026-03-29T01:00",
    "America/New_York": "2026-11-01T06:00",
    "Asia/Kathmandu": "2026-02-28T18:15",
    "Australia/Lord_Howe": "2026-04-04T15:00",
    "Africa/Cairo": "2026-04-23T22:00",
    "America/Havana": "2026-11-01T05:00",
    "America/Santiago": "2026-04-05T03:00",
    "Pacific/Apia": "2011-12-30T10:00",
}
"""Zones, and a moment in UTC at which their clocks change, or a month begins."""

IDS = ["ann", "anon-1", "bob", "eve", "joe"]
COMPANIES = ["acme", "globex", "it's `x`"]
TEAMS = ["red", "blue"]
FLAG = "new-ui"
VALUES: list[Any] = [None, None, "pro", "free", "", "5", 5, 5.0, 2.5, True, ["pro", 5], {"a": 1}, "2026-03-01", "1.2.0"]
AMOUNTS: list[Any] = [None, 1, 2, 2.5, -3, 0, 10**6, "7", True, [1], "x"]


@dataclass(frozen=True)
class Clock:
    """Always the now of a world."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def made_up(random: Random, zone: str) -> World:
    """A world of few names and few moments, so that duplicates, ties and edges are common."""
    change = datetime.fromisoformat(CHANGES[zone]).replace(tzinfo=UTC)
    homogeneous = random.random() < 0.3
    facts = [_fact(random, change, homogeneous) for _ in range(random.choice([0, 3, 10, 25, 40]))]
    facts += [random.choice(facts) for _ in range(random.choice([0, 2]))] if facts else []
    facts += [_exposure(random, change) for _ in range(random.choice([0, 0, 3, 8]))]
    persons = random.choice([{}, {"anon-1": "ann"}, {"anon-1": "ann", "joe": "ann"}, {"ann": "anon-1", "bob": "eve"}])
    parent_types = random.choice([{}, {"team": "company"}])
    world = World(
        now=_now(random, change, zone),
        facts=facts,
        profiles=_profiles(random, persons, parent_types),
        history=_history(random, change, parent_types),
        persons=persons,
        parent_types=parent_types,
        actions={
            "either": (Matcher("a"), Matcher("b")),
            "paid a": (Matcher("a", Condition("event.plan", Operator.EQUALS, ("pro",))), Matcher("c")),
            "anything": (Matcher(filter=Condition("event.plan", Operator.IS_SET)),),
        },
    )
    return replace(
        world, cohorts=_cohorts(random, world), internal=random.choice(["", "", "", "team", "ours", "never a", "busy"])
    )


def _moment(random: Random, change: datetime) -> datetime:
    if random.random() < 0.5:
        away = timedelta(minutes=random.choice([-120, -90, -60, -45, -30, -15, 0, 15, 30, 45, 60, 90, 120]))
    else:
        away = timedelta(days=random.choice([-62, -31, -30, -29, -8, -7, -2, -1, 1, 2, 7, 14, 28]))
    return change + away + timedelta(microseconds=random.choice([-1, 0, 0, 0, 1]))


def _now(random: Random, change: datetime, zone: str) -> datetime:
    """Also in the very moment in which a month begins."""
    now = change + timedelta(days=random.choice([0, 1, 3, 10, 40]), hours=random.choice([0, 0.5, 11]))
    if random.random() < 0.2:
        local = now.astimezone(ZoneInfo(zone))
        now = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    return now


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _groups(random: Random) -> dict[str, str]:
    company, team = random.choice(["", *COMPANIES]), random.choice(["", "", *TEAMS])
    return ({"company": company} if company else {}) | ({"team": team} if team else {})


def _fact(random: Random, change: datetime, homogeneous: bool) -> Fact:
    plan = random.choice(["pro", "free"]) if homogeneous else random.choice(VALUES)
    amount = random.choice([1, 2, 7]) if homogeneous else random.choice(AMOUNTS)
    properties = {"plan": plan, "amount": amount, "o`d.d": random.choice([None, "x", "y"])}
    return Fact(
        random.choice("aabbc"),
        random.choice(IDS),
        _moment(random, change),
        _groups(random),
        {name: value for name, value in properties.items() if value is not None},
        _uuid(random),
    )


def _exposure(random: Random, change: datetime) -> Fact:
    properties = {
        "$feature_flag": random.choice([FLAG, FLAG, "other"]),
        "$feature_flag_response": random.choice(["on", "off", "on", 5]),
        "$feature_flag_bucket_by": random.choice(["company", "user", "company.plan"]),
    }
    moment = _moment(random, change)
    return Fact(EXPOSURE, random.choice(IDS), moment, _groups(random), properties, _uuid(random))


def _holders() -> list[tuple[str, str]]:
    return [(USER, key) for key in IDS] + [("company", key) for key in COMPANIES] + [("team", key) for key in TEAMS]


def _properties(random: Random, parent_type: str | None = None) -> dict[str, Any]:
    values = {"plan": random.choice(VALUES), "seats": random.choice([None, 1, 50])}
    if parent_type:
        values[parent_type] = random.choice([None, 5, *COMPANIES])
    return {name: value for name, value in values.items() if value is not None}


def _profiles(
    random: Random, persons: Mapping[str, str], parent_types: Mapping[str, str]
) -> dict[tuple[str, str], dict[str, Any]]:
    known = [holder for holder in _holders() if holder[1] not in persons or holder[0] != USER]
    return {holder: _properties(random, parent_types.get(holder[0])) for holder in known if random.random() < 0.6}


def _history(random: Random, change: datetime, parent_types: Mapping[str, str]) -> list[Version]:
    holders = [random.choice(_holders()) for _ in range(random.choice([0, 4, 12]))]
    return [
        Version(owner, key, _moment(random, change), _properties(random, parent_types.get(owner)))
        for owner, key in holders
    ]


CRITERIA: dict[str, tuple[str, Criterion]] = {
    "did a": (USER, Performed(Events("a"), Comparison.AT_LEAST, 2, Between("1990-01-01", "2050-01-01"))),
    "never a": (USER, Unless(Performed(Events("a"), Comparison.AT_LEAST, 1, Between("1990-01-01", "2050-01-01")))),
    "team or never a": (USER, Some((InCohort("team"), InCohort("never a")))),
    "busy": ("company", Performed(Events(), Comparison.AT_LEAST, 3, Between("1990-01-01", "2050-01-01"))),
}


def _cohorts(random: Random, world: World) -> dict[str, Cohort]:
    """Two lists, and what CRITERIA says: of all events, those of the environment's own people, too."""
    team = frozenset(world.person(each) for each in IDS if random.random() < 0.4)
    ours = frozenset(each for each in COMPANIES if random.random() < 0.3)
    seen = Seen(world, AsOf.NOW, include_internal=True).facts

    def often(owner: str, least: int, event: str) -> frozenset[str]:
        done = [key_of(fact, owner) for fact in seen if fact.event == event or (not event and fact.event != EXPOSURE)]
        return frozenset(key for key in done if key is not None and done.count(key) >= least)

    ever = often(USER, 1, "a")
    return {
        "team": Cohort(USER, team),
        "ours": Cohort("company", ours),
        "did a": Cohort(USER, often(USER, 2, "a")),
        "never a": Cohort(USER, ever, is_rest=True),
        "team or never a": Cohort(USER, ever - team, is_rest=True),
        "busy": Cohort("company", often("company", 3, "")),
    }


async def filled(warehouse: ClickHouseWarehouse, world: World) -> tuple[Environment, Insights]:
    """A new environment that is this world, and who answers questions about it."""
    environment = new_environment(warehouse)
    mine = environment.environment_id
    if world.facts:
        await environment.load(*world.facts)
    rows = [ProfileRow(mine, *holder, properties, 100) for holder, properties in world.profiles.items()]
    rows += [ProfileRow(mine, USER, alias, {}, 200, person) for alias, person in world.persons.items()]
    if rows:
        await warehouse.load_profiles(rows)
    if world.history:
        await warehouse.load_profile_versions(
            [
                ProfileVersion(mine, each.owner, each.key, each.at, each.properties, revision)
                for revision, each in enumerate(world.history, 1)
            ]
        )
    cohorts = [cohort(key, of=world.cohorts[key].owner) for key in ("team", "ours")]
    cohorts += [cohort(key, criterion, of=owner) for key, (owner, criterion) in CRITERIA.items()]
    vocabulary = named(
        *(action(key, *matchers) for key, matchers in world.actions.items()),
        cohorts={each.key: each for each in cohorts},
        has_aliases=bool(world.persons),
        internal_cohort_key=world.internal,
        parent_types=world.parent_types,
    )
    members = {key: sorted(world.cohorts[key].keys) for key in ("team", "ours")}
    return environment, insights(warehouse, Clock(world.now), vocabulary, members)
