"""flagd: the evaluator that its OpenFeature provider runs in process, without the OpenFeature client around it."""

from importlib.metadata import version

import cbor2
import mmh3
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from benchmarks.question import KEY, PERCENT, PERSON, PLAN, SEATS, Company, Sdk


def sdk() -> Sdk:
    """JsonLogic with `fractional` by company, checked with `resolve_boolean_value`."""
    both = {"and": [{"==": [{"var": "plan"}, PLAN]}, {">=": [{"var": "seats"}, SEATS]}]}
    drawn = {"fractional": [{"var": "company"}, ["on", PERCENT], ["off", 100 - PERCENT]]}
    flag = {
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": "off",
        "targeting": {"if": [both, drawn, "off"]},
    }
    core = FlagdCore()
    core.set_flags({"flags": {KEY: flag}})

    def context(company: Company) -> EvaluationContext:
        return EvaluationContext(PERSON, {"company": company.key, **company.properties})

    def includes(key: str) -> bool:
        return mmh3.hash(cbor2.dumps(key, canonical=True), signed=False) * 100 >> 32 < PERCENT

    return Sdk(
        f"openfeature-flagd-core {version('openfeature-flagd-core')}",
        context,
        lambda asked: bool(core.resolve_boolean_value(KEY, False, asked).value),
        includes,
    )
