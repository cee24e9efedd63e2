"""Who is there: companies with a plan, a size and a fate, and the people who work there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random

from burgee_server.demo.names import company_names, first_names

COMPANIES = 200
_NEW_SHARE = 0.4
_INDUSTRIES = ("software", "retail", "logistics", "health", "finance", "manufacturing", "education", "media")
_REGIONS = {"eu": 1, "us-east": -5, "us-west": -8, "apac": 8}
_REGION_WEIGHTS = (40, 30, 15, 15)
_SEATS = {"free": (1, 4), "team": (4, 16), "business": (12, 40), "enterprise": (40, 120)}
_OLD_PLANS = (25, 40, 23, 12)
_PAID_PLANS = {"team": 70, "business": 25, "enterprise": 5}
_ROLES = ("admin", "editor", "viewer")


class Fate(Enum):
    """Where a company is going."""

    STEADY = "steady"
    GROWING = "growing"
    CHURNING = "churning"
    TRIAL = "trial"


class Step(Enum):
    """How far a trial gets: it stops after this."""

    SIGNED_UP = 1
    INVITED = 2
    CREATED = 3
    SHARED = 4


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works for a company, and how much: deeds on a full working day."""

    distinct_id: str
    company_key: str
    name: str
    role: str
    joined_at: datetime
    rate: float


@dataclass(frozen=True, slots=True)
class Company:
    """A customer, or one who may become one."""

    key: str
    name: str
    industry: str
    region: str
    utc_offset: int
    """Hours, of the place where it works."""
    plan: str
    """At the end of the world."""
    seats: int
    fate: Fate
    reaches: Step
    signed_up_at: datetime
    turns_at: datetime
    """When a growing company begins to grow, a churning one to leave, and a trial creates its first report."""
    upgraded_at: datetime | None
    people: tuple[Person, ...]


def found_companies(random: Random, start: datetime, days: int) -> Iterator[Company]:
    """The companies of a world that begins at `start`; three in five were customers before."""
    names = company_names(random, COMPANIES)
    new = int(COMPANIES * _NEW_SHARE)
    for name in names[new:]:
        yield _customer(random, name, start, days)
    moments = sorted(random.uniform(0.5, days - 3) for _ in range(new))
    for name, moment in zip(names[:new], moments, strict=True):
        yield _trial(random, name, start + timedelta(days=moment), start + timedelta(days=days))


def _customer(random: Random, name: str, start: datetime, days: int) -> Company:
    fate = random.choices((Fate.STEADY, Fate.GROWING, Fate.CHURNING), (50, 32, 18))[0]
    plan = random.choices(tuple(_SEATS), _OLD_PLANS)[0]
    turns_at = start + timedelta(days=random.uniform(5, days - 25))
    joined = start - timedelta(days=random.uniform(30, 700))
    seats = random.randint(*_SEATS[plan])
    upgraded_at = None
    if fate is Fate.GROWING and plan in ("team", "business") and random.random() < 0.5:
        upgraded_at = turns_at + timedelta(days=random.uniform(5, 20), hours=14)
    later = seats // 3 if fate is Fate.GROWING else 0
    arrivals = [joined] * (seats - later) + [turns_at + timedelta(days=random.uniform(0, 20)) for _ in range(later)]
    return _company(random, name, plan, fate, Step.SHARED, joined, turns_at, upgraded_at, arrivals)


def _trial(random: Random, name: str, signed_up_at: datetime, end: datetime) -> Company:
    reaches = random.choices(tuple(Step), (24, 20, 18, 38))[0]
    first_report = signed_up_at + timedelta(days=random.uniform(0.2, 8))
    upgraded_at, plan = None, "free"
    if reaches is Step.SHARED and random.random() < 0.6:
        decision = first_report + timedelta(days=random.uniform(4, 20))
        if decision < end:
            upgraded_at, plan = decision, random.choices(tuple(_PAID_PLANS), tuple(_PAID_PLANS.values()))[0]
    seats = 1 if reaches is Step.SIGNED_UP else max(2, random.randint(*_SEATS[plan]))
    arrivals = [signed_up_at] + [signed_up_at + timedelta(days=random.uniform(0.1, 6)) for _ in range(seats - 1)]
    return _company(random, name, plan, Fate.TRIAL, reaches, signed_up_at, first_report, upgraded_at, arrivals)


def _company(
    random: Random,
    name: str,
    plan: str,
    fate: Fate,
    reaches: Step,
    signed_up_at: datetime,
    turns_at: datetime,
    upgraded_at: datetime | None,
    arrivals: Sequence[datetime],
) -> Company:
    key = name.lower().replace(" ", "-")
    region = random.choices(tuple(_REGIONS), _REGION_WEIGHTS)[0]
    people = tuple(
        Person(
            distinct_id=f"{first.lower()}@{key}",
            company_key=key,
            name=first,
            role="admin" if number == 0 else random.choices(_ROLES, (8, 47, 45))[0],
            joined_at=arrival,
            rate=min(8.0, random.lognormvariate(0.1, 0.8)),
        )
        for number, (first, arrival) in enumerate(zip(first_names(random, len(arrivals)), arrivals, strict=True))
    )
    return Company(
        key=key,
        name=name,
        industry=random.choice(_INDUSTRIES),
        region=region,
        utc_offset=_REGIONS[region],
        plan=plan,
        seats=len(people),
        fate=fate,
        reaches=reaches,
        signed_up_at=signed_up_at,
        turns_at=turns_at,
        upgraded_at=upgraded_at,
        people=people,
    )
