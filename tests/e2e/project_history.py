"""A small history of a public project, made here: people of companies propose changes, and most are merged."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

COMPANIES = [f"company-{number}.example" for number in range(12)]
BEGIN = datetime(2012, 1, 1, tzinfo=UTC)
DAYS = 3 * 365


@dataclass(frozen=True)
class Line:
    """One event of the history."""

    event: str
    person: str
    company: str
    at: datetime
    insertions: int
    uuid: str

    def json(self) -> str:
        """As `burgee import` reads it."""
        return json.dumps(
            {
                "event": self.event,
                "distinct_id": self.person,
                "timestamp": self.at.timestamp(),
                "groups": {"company": self.company},
                "properties": {"insertions": self.insertions, "area": "docs"},
                "uuid": self.uuid,
            }
        )


def history(changes: int = 1_500, seed: int = 7) -> list[Line]:
    """The same history for the same seed; a person may work for more than one company over time."""
    return sorted(_changes(changes, random.Random(seed)), key=lambda line: line.at)


def _changes(count: int, chance: random.Random) -> Iterator[Line]:
    for _ in range(count):
        person = f"person-{int(chance.paretovariate(1.2)) % 90}"
        company = COMPANIES[min(int(chance.expovariate(0.4)), len(COMPANIES) - 1)]
        proposed = BEGIN + timedelta(seconds=chance.randrange(DAYS * 86_400))
        insertions = chance.randrange(1, 400)
        yield Line("change_proposed", person, company, proposed, insertions, _uuid(chance))
        if chance.random() < 0.7:
            merged = proposed + timedelta(days=chance.expovariate(1 / 9))
            yield Line("change_merged", person, company, merged, insertions, _uuid(chance))


def write(lines: list[Line], path: Path) -> Path:
    """The history as newline-delimited JSON."""
    path.write_text("".join(line.json() + "\n" for line in lines))
    return path


def converted(lines: list[Line], first: str, second: str, within: timedelta) -> tuple[int, int]:
    """How many people did the first, and of those how many did the second at most `within` after a first."""
    began: dict[str, list[datetime]] = {}
    ended: dict[str, list[datetime]] = {}
    for line in lines:
        for event, times in ((first, began), (second, ended)):
            if line.event == event:
                times.setdefault(line.person, []).append(line.at)
    through = {
        person
        for person, starts in began.items()
        if any(start <= end <= start + within for start in starts for end in ended.get(person, []))
    }
    return len(began), len(through)


def _uuid(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
