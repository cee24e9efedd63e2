"""What people do on a day: more on workdays and in working hours, more where a company grows, less where it leaves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from random import Random

from burgee_server.demo.companies import Company, Fate, Person, Step

_WEEKEND = 0.06
_DAILY = 0.62
"""Scales everybody's rate, so that a world has about 150,000 events."""

_MIX = {"dashboard_viewed": 52, "report_created": 20, "report_shared": 12, "export_started": 16}
_VIEWING = {"dashboard_viewed": 100}
_PLAN_PRICE = {"team": 12, "business": 24, "enterprise": 45}


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody did something."""

    event: str
    person: Person
    at: datetime
    properties: Mapping[str, str | int | float]


def events_of_day(random: Random, company: Company, first: datetime) -> Iterator[Deed]:
    """Everything that a company's people do in the 24 hours from `first` on, in no order."""
    after = first + timedelta(days=1)
    admin = company.people[0]
    if first <= company.signed_up_at < after:
        yield Deed("signed_up", admin, company.signed_up_at, {"source": random.choice(("search", "ads", "friend"))})
    if company.upgraded_at and first <= company.upgraded_at < after:
        monthly = company.seats * _PLAN_PRICE[company.plan]
        yield Deed("upgraded", admin, company.upgraded_at, {"plan": company.plan, "amount": monthly})
    for person in company.people[1:]:
        if first <= person.joined_at < after:
            yield Deed("invited_teammate", admin, person.joined_at, {"role": person.role})
    if company.fate is Fate.TRIAL and company.reaches.value >= Step.CREATED.value and first <= company.turns_at < after:
        yield _deed(random, "report_created", admin, company.turns_at)
        if company.reaches is Step.SHARED:
            yield _deed(random, "report_shared", admin, company.turns_at + timedelta(minutes=random.randint(3, 600)))
    strength = _DAILY * _mood(company, first) * (_WEEKEND if first.weekday() >= 5 else 1.0)
    if strength > 0:
        for person in company.people:
            for _ in range(_poisson(random, strength * person.rate)):
                at = _moment(random, first, company.utc_offset)
                if at > person.joined_at:
                    event = random.choices(*_weights(company, at))[0]
                    yield _deed(random, event, person, at)


def _mood(company: Company, day: datetime) -> float:
    """How active a company is on a day: 1 is as usual."""
    since = (day - company.turns_at) / timedelta(days=1)
    match company.fate:
        case Fate.GROWING:
            return 0.8 + 0.9 / (1 + exp(-since / 6))
        case Fate.CHURNING:
            return 0.0 if since > 28 else 1.0 - max(0.0, since) / 28
        case Fate.TRIAL if company.reaches is not Step.SHARED or company.upgraded_at is None:
            age = (day - company.signed_up_at) / timedelta(days=1)
            return max(0.0, 1.2 - age / 15)
        case _:
            return 1.0


def _weights(company: Company, at: datetime) -> tuple[tuple[str, ...], tuple[int, ...]]:
    mix = _MIX
    if company.fate is Fate.TRIAL:
        if company.reaches.value < Step.CREATED.value or at <= company.turns_at:
            mix = _VIEWING
        elif company.reaches is Step.CREATED:
            mix = {name: weight for name, weight in _MIX.items() if name != "report_shared"}
    return tuple(mix), tuple(mix.values())


def _deed(random: Random, event: str, person: Person, at: datetime) -> Deed:
    properties: dict[str, str | int | float]
    match event:
        case "dashboard_viewed":
            properties = {"seconds": round(random.lognormvariate(4.0, 0.9), 1)}
        case "report_created":
            properties = {
                "pages": 1 + int(random.expovariate(0.25)),
                "template": random.choice(("sales", "ops", "blank")),
            }
        case "report_shared":
            properties = {"recipients": 1 + int(random.expovariate(0.5))}
        case _:
            properties = {
                "format": random.choice(("csv", "pdf", "xlsx")),
                "megabytes": round(random.expovariate(0.4), 2),
            }
    return Deed(event, person, at, properties)


def _moment(random: Random, first: datetime, utc_offset: int) -> datetime:
    """A moment of the day, most likely in the middle of the working hours there."""
    hour = (random.triangular(7, 20, 12.5) - utc_offset) % 24
    return first + timedelta(microseconds=int(hour * 3_600_000_000))


def _poisson(random: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average (Knuth's method, for small means)."""
    limit, count, product = exp(-mean), 0, random.random()
    while product > limit:
        count += 1
        product *= random.random()
    return count
