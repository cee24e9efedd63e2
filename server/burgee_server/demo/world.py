"""The product's world: companies, their people and 90 days of events, from a seed and nothing else.

The same seed and end give the same world to the byte: no clock, no global randomness.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from random import Random

from burgee_server.demo.activity import events_of_day
from burgee_server.demo.companies import Company, Person, found_companies

DAYS = 90


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the world, ready to be captured."""

    event: str
    distinct_id: str
    company_key: str
    properties: Mapping[str, str | int | float]
    timestamp: datetime
    uuid: str


class World:
    """200 companies over the 90 days before `end`, which has a time zone."""

    def __init__(self, seed: int, end: datetime) -> None:
        self._seed = seed
        self.start, self.end = end - timedelta(days=DAYS), end

    @cached_property
    def companies(self) -> tuple[Company, ...]:
        """Every company, the oldest first; what they are at the end."""
        return tuple(found_companies(self._random("companies"), self.start, DAYS))

    @property
    def people(self) -> Iterator[Person]:
        """Everybody who ever joined, company by company."""
        return (person for company in self.companies for person in company.people)

    def events(self) -> Iterator[Happening]:
        """Everything that happened, day by day and in order of time within a day."""
        for day in range(DAYS):
            random = self._random(f"day {day}")
            first = self.start + timedelta(days=day)
            deeds = sorted(
                (deed for company in self.companies for deed in events_of_day(random, company, first)),
                key=lambda deed: (deed.at, deed.person.distinct_id, deed.event),
            )
            for deed in deeds:
                if deed.at >= self.end:
                    continue
                yield Happening(
                    deed.event,
                    deed.person.distinct_id,
                    deed.person.company_key,
                    deed.properties,
                    deed.at,
                    _uuid(random),
                )

    def _random(self, purpose: str) -> Random:
        return Random(f"{self._seed}/{purpose}")  # noqa: S311 - a world is no secret


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
