"""GrowthBook: features given to the constructor; without a client key it never looks for newer ones."""

from importlib.metadata import version
from typing import Any

from growthbook import GrowthBook

from benchmarks.question import KEY, PERCENT, PLAN, SEATS, Company, Sdk


def sdk() -> Sdk:
    """A forced rule with coverage by company. Attributes are the instance's, so a check sets them first."""
    rule = {
        "condition": {"plan": PLAN, "seats": {"$gte": SEATS}},
        "force": True,
        "coverage": PERCENT / 100,
        "hashAttribute": "company",
        "seed": KEY,
        "hashVersion": 2,
    }
    book = GrowthBook(features={KEY: {"defaultValue": False, "rules": [rule]}})

    def context(company: Company) -> dict[str, Any]:
        return {"company": company.key, **company.properties}

    def check(attributes: dict[str, Any]) -> bool:
        book.set_attributes(attributes)
        return bool(book.is_on(KEY))

    def includes(key: str) -> bool:
        return _fnv1a(str(_fnv1a(KEY + key))) % 10_000 / 10_000 <= PERCENT / 100

    return Sdk(f"growthbook {version('growthbook')}", context, check, includes)


def _fnv1a(text: str) -> int:
    """The 32-bit FNV-1a hash."""
    hashed = 0x811C9DC5
    for character in text:
        hashed = (hashed ^ ord(character)) * 0x01000193 & 0xFFFFFFFF
    return hashed
