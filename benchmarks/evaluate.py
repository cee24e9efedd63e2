"""What a flag check costs in the core, and what the wire adds: `python -m benchmarks.evaluate`."""

import platform
from collections.abc import Callable
from dataclasses import replace
from timeit import repeat
from typing import Any

from burgee import wire
from burgee.evaluation import (
    COHORT,
    Context,
    Flag,
    FlagSet,
    Profiles,
    Properties,
    cohort,
    flag_from_document,
    with_defaults,
)
from burgee.v1 import flags_pb2

NOW = 1_772_366_400.0
COMPANY: Properties = {
    "plan": "enterprise",
    "seats": 250,
    "created": "2026-01-15",
    "version": "3.2.1",
    "domain": "acme.example",
}
PASSED = Context("ann", {"company": "acme"}, {}, {"company": COMPANY})
STORED: Profiles = {("company", "acme"): COMPANY}
NAMED = Context("ann", {"company": "acme"})


def flag(*conditions: tuple[str, str, object], key: str = "beta", **distribution: Any) -> Flag:
    """A flag with one rule."""
    asked = [{"attribute": name, "operator": operator, "values": [value]} for name, operator, value in conditions]
    rule = {"conditions": asked, "distribution": {"bucket_by": "company", **distribution}}
    return with_defaults(flag_from_document({"key": key, "enabled": True, "rules": [rule]}))


PLAN, SEATS = ("company.plan", "equals", "enterprise"), ("company.seats", "gte", 100)


def check(*conditions: tuple[str, str, object], **distribution: Any) -> Callable[[], object]:
    """One check of such a flag, by a company whose properties are passed."""
    evaluate = FlagSet([flag(*conditions, **distribution)]).evaluate
    return lambda: evaluate("beta", PASSED, {}, NOW)


def fresh_companies() -> Callable[[], object]:
    """The same check, each time by a company that was never seen."""
    evaluate = FlagSet([flag(PLAN, SEATS, rollout=30_000)]).evaluate
    numbers = iter(range(10**9))

    def one() -> object:
        return evaluate("beta", Context("ann", {"company": str(next(numbers))}, {}, {"company": COMPANY}), {}, NOW)

    return one


def cases() -> dict[str, Callable[[], object]]:
    """What is measured."""
    target = flag(PLAN, SEATS, rollout=30_000)
    thousand = FlagSet([replace(target, key=f"flag-{number}") for number in range(1000)])
    needs = with_defaults(
        flag_from_document(
            {
                "key": "needs",
                "enabled": True,
                "fallthrough": {},
                "prerequisites": [{"flag_key": "beta", "variants": ["on"]}],
            }
        )
    )
    empty, one, chained = FlagSet([replace(target, rules=())]), FlagSet([target]), FlagSet([target, needs])
    split = [{"variant": "on", "weight": 1}, {"variant": "off", "weight": 1}]
    ramp = [{"at": "2026-01-01", "rollout": 30_000}, {"at": "2027-01-01", "rollout": 60_000}]
    listed = FlagSet([flag(("company.key", "in_cohort", "beta"))])
    members: Profiles = {(COHORT, "beta"): cohort([*(f"company-{number}" for number in range(50_000)), "acme"])}
    asked = wire.context_to_proto(PASSED)
    answered = one.evaluate("beta", PASSED, {}, NOW)
    answer = wire.resolution_to_proto(answered)
    request = flags_pb2.EvaluateRequest(flag_key="beta", context=asked).SerializeToString()
    return {
        "no rules": lambda: empty.evaluate("beta", PASSED, {}, NOW),
        "two conditions, 30 % by company": check(PLAN, SEATS, rollout=30_000),
        "  its properties stored": lambda: one.evaluate("beta", NAMED, STORED, NOW),
        "  a company never seen before": fresh_companies(),
        "  and a split": check(PLAN, SEATS, rollout=30_000, weights=split),
        "  a ramp": check(PLAN, SEATS, ramp=ramp),
        "a pattern": check(("company.domain", "matches", r"^[a-z]+\.example$")),
        "a time relative to now": check(("company.created", "after", "-90d")),
        "a semantic version": check(("company.version", "semver_caret", "3.1.0")),
        "a cohort of 50,000": lambda: listed.evaluate("beta", NAMED, members, NOW),
        "a prerequisite": lambda: chained.evaluate("needs", PASSED, {}, NOW),
        "explain": lambda: one.explain("beta", PASSED, {}, NOW),
        "all of 1,000 flags": lambda: thousand.evaluate_all(PASSED, {}, NOW),
        "compile a flag, and its first check": lambda: FlagSet([target]).evaluate("beta", PASSED, {}, NOW),
        "change one of 1,000 flags": lambda: thousand.with_changes([replace(target, key="flag-7", version=2)]),
        "wire: context to message": lambda: wire.context_to_proto(PASSED),
        "wire: context from message": lambda: wire.context_from_proto(asked),
        "wire: resolution to message": lambda: wire.resolution_to_proto(answered),
        "wire: resolution from message": lambda: wire.resolution_from_proto(answer),
        "wire: parse, translate, evaluate, translate, serialize": lambda: wire.resolution_to_proto(
            one.evaluate(
                "beta", wire.context_from_proto(flags_pb2.EvaluateRequest.FromString(request).context), {}, NOW
            )
        ).SerializeToString(),
    }


def microseconds(measured: Callable[[], object]) -> float:
    """The best of seven runs, each of some 50 milliseconds, a call."""
    measured()
    calls = max(1, int(0.05 / max(min(repeat(measured, number=10, repeat=3)) / 10, 1e-7)))
    return min(repeat(measured, number=calls, repeat=7)) / calls * 1e6


def main() -> None:
    """Print the table."""
    print(f"Flag evaluation, one thread, {platform.python_implementation()} {platform.python_version()}\n")
    print("| one call | µs |\n|---|---:|")
    for name, measured in cases().items():
        print(f"| {name.replace('  ', '… ', 1)} | {microseconds(measured):,.2f} |")


if __name__ == "__main__":
    main()
