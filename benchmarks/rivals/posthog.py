"""PostHog: local evaluation, with definitions put where its poller would put them."""

from hashlib import sha1
from importlib.metadata import version

from posthog import Posthog

from benchmarks.question import KEY, PERCENT, PERSON, PLAN, SEATS, Company, Sdk


def sdk() -> Sdk:
    """A flag by group, checked with `feature_enabled`; nothing is sent."""
    client = Posthog("phc_nobody", host="http://127.0.0.1:9", send=False, enable_local_evaluation=False)
    client.group_type_mapping = {"0": "company"}
    conditions = [
        {"key": "plan", "type": "group", "group_type_index": 0, "operator": "exact", "value": [PLAN]},
        {"key": "seats", "type": "group", "group_type_index": 0, "operator": "gte", "value": SEATS},
    ]
    filters = {
        "aggregation_group_type_index": 0,
        "groups": [{"properties": conditions, "rollout_percentage": PERCENT}],
    }
    client.feature_flags = [{"id": 1, "key": KEY, "active": True, "filters": filters}]

    def context(company: Company) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        return {"company": company.key}, {"company": company.properties}

    def check(context: tuple[dict[str, str], dict[str, dict[str, object]]]) -> bool:
        groups, properties = context
        return bool(
            client.feature_enabled(
                KEY,
                PERSON,
                groups=groups,
                group_properties=properties,
                only_evaluate_locally=True,
                send_feature_flag_events=False,
            )
        )

    def includes(key: str) -> bool:
        return int(sha1(f"{KEY}.{key}".encode()).hexdigest()[:15], 16) / 0xFFFFFFFFFFFFFFF <= PERCENT / 100

    return Sdk(f"posthog {version('posthog')}", context, check, includes)
