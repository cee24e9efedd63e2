"""The flags and companies of a grown product, for benchmarks: a mix that repeats every hundred flags."""

from burgee.evaluation import Flag, Properties, flag_from_document, with_defaults

PASSED = {"email": "ann@acme.example", "role": "admin", "app_version": "4.2.0"}
"""What a service knows of the person that it asks for."""

_COMPANY_ROLLOUT = {"bucket_by": "company", "rollout": 30_000}
_SPLIT = [{"variant": "control", "weight": 1}, {"variant": "short", "weight": 1}, {"variant": "long", "weight": 2}]


def _asks(attribute: str, operator: str, *values: object) -> dict[str, object]:
    return {"attribute": attribute, "operator": operator, "values": list(values)}


def _ruled(*conditions: dict[str, object], **distribution: object) -> dict[str, object]:
    return {"rules": [{"conditions": list(conditions), "distribution": distribution}]}


def _texts(*names: str) -> dict[str, object]:
    return {"type": "string", "variants": [{"key": name, "value": name} for name in names]}


_PLAN = _asks("company.plan", "in", "business", "enterprise")
_MIX: tuple[tuple[int, str, dict[str, object]], ...] = (
    (25, "on for everybody", {"fallthrough": {}}),
    (10, "off", {"enabled": False}),
    (15, "by plan", _ruled(_PLAN)),
    (15, "two conditions, 30 % by company", _ruled(_PLAN, _asks("company.seats", "gte", 100), **_COMPANY_ROLLOUT)),
    (8, "a rollout by user", _ruled(rollout=20_000)),
    (5, "named companies", _ruled(_asks("company.key", "in", *(f"company-{n}" for n in range(20))))),
    (5, "staff", _ruled(_asks("user.email", "ends_with", "@burgee.example"))),
    (
        5,
        "a split by company",
        {**_texts("control", "short", "long"), "fallthrough": {"bucket_by": "company", "weights": _SPLIT}},
    ),
    (
        4,
        "a configuration",
        {
            "type": "json",
            "variants": [{"key": "small", "value": {"rows": 50}}, {"key": "large", "value": {"rows": 500, "tags": []}}],
            "rules": [{"conditions": [_PLAN], "distribution": {"weights": [{"variant": "large", "weight": 1}]}}],
        },
    ),
    (
        3,
        "a ramp",
        _ruled(
            bucket_by="company",
            ramp=[{"at": "2026-01-01", "rollout": 10_000}, {"at": "2027-01-01", "rollout": 100_000}],
        ),
    ),
    (2, "a version", _ruled(_asks("user.app_version", "semver_gte", "4.1.0"))),
    (2, "since a date", _ruled(_asks("company.created", "after", "-90d"), **_COMPANY_ROLLOUT)),
    (1, "a pattern", _ruled(_asks("company.domain", "matches", r"^[a-z0-9-]+\.example$"))),
)  # fmt: skip


def flags(count: int) -> list[Flag]:
    """So many flags; of each hundred, the last five of those by plan need the first that is on for everybody."""
    made: list[Flag] = []
    kinds = [(name, fields) for share, name, fields in _MIX for _ in range(share)]
    for number in range(count):
        name, fields = kinds[number % len(kinds)]
        needed = f"flag-{number - number % len(kinds)}"
        needs = {"prerequisites": [{"flag_key": needed, "variants": ["on"]}]} if 45 <= number % len(kinds) < 50 else {}
        document = {"key": f"flag-{number}", "enabled": True, "description": name, "owner": "growth", **fields, **needs}
        made.append(with_defaults(flag_from_document(document)))
    return made


def company(number: int) -> Properties:
    """What is stored of a company: four properties that flags mention, and four that they do not."""
    return {
        "plan": ("free", "team", "business", "enterprise")[number % 4],
        "seats": number % 997,
        "created": f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
        "domain": f"company-{number}.example",
        "name": f"Company {number} & Sons",
        "country": ("DE", "FR", "US", "JP", "BR")[number % 5],
        "mrr": number * 7 % 10_000,
        "crm_id": f"0015{number:012}",
    }
