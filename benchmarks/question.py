"""The question that every SDK is asked: is "beta" on for this company? Two conditions on it, then 30 % of companies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KEY = "beta"
PERSON = "ann"
PLAN = "enterprise"
SEATS = 100
PERCENT = 30


@dataclass(frozen=True, slots=True)
class Company:
    """A company, with the two properties that are asked for."""

    key: str
    plan: str
    seats: int

    @property
    def properties(self) -> dict[str, Any]:
        """A dictionary of its own for each caller, as a service would make one from its database."""
        return {"plan": self.plan, "seats": self.seats}

    @property
    def meets_conditions(self) -> bool:
        """Whether it comes down to the rollout."""
        return self.plan == PLAN and self.seats >= SEATS


@dataclass(frozen=True, slots=True)
class Sdk:
    """How one SDK answers: `check` of what `context` makes of a company. `includes` is its rollout, worked out here."""

    name: str
    context: Callable[[Company], Any]
    check: Callable[[Any], bool]
    includes: Callable[[str], bool]

    def verify(self) -> None:
        """Raise AssertionError unless it is on for exactly the companies that it should be on for."""
        found = {company.key for company in COMPANIES if self.check(self.context(company))}
        expected = {company.key for company in COMPANIES if company.meets_conditions and self.includes(company.key)}
        assert found == expected, f"{self.name}: {len(found ^ expected)} companies get what they should not"
        assert 0.2 < len(expected) / sum(company.meets_conditions for company in COMPANIES) < 0.4, self.name


COMPANIES = [
    Company(f"company-{number}", PLAN if number % 3 else "free", 250 if number % 4 else 20) for number in range(1_000)
]
"""Some that fail either condition, some that fail both, and 500 that meet them."""
