"""LaunchDarkly: its own in-memory store, filled by an update processor that asks nobody."""

from hashlib import sha1
from importlib.metadata import version
from threading import Event
from typing import Any

from ldclient import Context, LDClient
from ldclient.config import Config
from ldclient.interfaces import FeatureStore, UpdateProcessor
from ldclient.versioned_data_kind import FEATURES, SEGMENTS

from benchmarks.question import KEY, PERCENT, PERSON, PLAN, SEATS, Company, Sdk

_SALT = "pepper"


def _flag() -> dict[str, Any]:
    def clause(attribute: str, operator: str, value: object) -> dict[str, Any]:
        return {"contextKind": "company", "attribute": attribute, "op": operator, "values": [value], "negate": False}

    rollout = {
        "contextKind": "company",
        "bucketBy": "key",
        "variations": [
            {"variation": 0, "weight": PERCENT * 1_000},
            {"variation": 1, "weight": 100_000 - PERCENT * 1_000},
        ],
    }
    clauses = [clause("plan", "in", PLAN), clause("seats", "greaterThanOrEqual", SEATS)]
    return {
        "key": KEY,
        "version": 1,
        "on": True,
        "salt": _SALT,
        "variations": [True, False],
        "offVariation": 1,
        "fallthrough": {"variation": 1},
        "prerequisites": [],
        "targets": [],
        "contextTargets": [],
        "rules": [{"id": "rule", "clauses": clauses, "rollout": rollout}],
    }


class _Filled(UpdateProcessor):
    """Puts the flag into the store, and is done."""

    def __init__(self, _config: Config, store: FeatureStore, ready: Event) -> None:
        self._store = store
        self._ready = ready

    def start(self) -> None:
        self._store.init({FEATURES: {KEY: _flag()}, SEGMENTS: {}})
        self._ready.set()

    def stop(self) -> None:
        """Nothing runs."""

    def initialized(self) -> bool:
        return self._store.initialized


def sdk() -> Sdk:
    """A multi-kind context of a user and a company, checked with `variation`."""
    config = Config("nobody", update_processor_class=_Filled, send_events=False, diagnostic_opt_out=True)
    client = LDClient(config)

    def context(company: Company) -> Context:
        made = Context.builder(company.key).kind("company").set("plan", company.plan).set("seats", company.seats)
        return Context.create_multi(Context.create(PERSON), made.build())

    def includes(key: str) -> bool:
        return int(sha1(f"{KEY}.{_SALT}.{key}".encode()).hexdigest()[:15], 16) / 0xFFFFFFFFFFFFFFF < PERCENT / 100

    return Sdk(
        f"launchdarkly-server-sdk {version('launchdarkly-server-sdk')}",
        context,
        lambda context: bool(client.variation(KEY, context, False)),
        includes,
    )
