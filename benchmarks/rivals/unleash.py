"""Unleash: a bootstrapped cache; the client is not initialized, so that it neither fetches nor reports."""

import json
from importlib.metadata import version
from typing import Any

import mmh3
from UnleashClient import UnleashClient
from UnleashClient.cache import BaseCache
from UnleashClient.constants import FEATURES_URL

from benchmarks.question import KEY, PERCENT, PERSON, PLAN, SEATS, Company, Sdk


class _Memory(BaseCache):
    """A cache that is a dictionary."""

    def __init__(self, features: dict[str, Any]) -> None:
        self._kept: dict[str, Any] = {FEATURES_URL: json.dumps(features)}
        self.bootstrapped = True

    def set(self, key: str, value: Any) -> None:
        self._kept[key] = value

    def mset(self, data: dict[str, Any]) -> None:
        self._kept |= data

    def get(self, key: str, default: Any = None) -> Any:
        return self._kept.get(key, default)

    def exists(self, key: str) -> bool:
        return key in self._kept

    def destroy(self) -> None:
        self._kept.clear()


def sdk() -> Sdk:
    """A flexible rollout that sticks to the company, checked with `is_enabled`."""
    strategy = {
        "name": "flexibleRollout",
        "parameters": {"rollout": str(PERCENT), "stickiness": "company", "groupId": KEY},
        "constraints": [
            {"contextName": "plan", "operator": "IN", "values": [PLAN]},
            {"contextName": "seats", "operator": "NUM_GTE", "value": str(SEATS)},
        ],
    }
    feature = {"name": KEY, "type": "release", "enabled": True, "strategies": [strategy], "variants": []}
    cache = _Memory({"version": 2, "features": [feature]})
    client = UnleashClient("http://127.0.0.1:9", KEY, cache=cache, disable_metrics=True, disable_registration=True)

    def context(company: Company) -> dict[str, Any]:
        return {"userId": PERSON, "properties": {"company": company.key, **company.properties}}

    def includes(key: str) -> bool:
        return mmh3.hash(f"{KEY}:{key}", signed=False) % 100 + 1 <= PERCENT

    return Sdk(
        f"unleashclient {version('unleashclient')}", context, lambda asked: client.is_enabled(KEY, asked), includes
    )
