"""What a resolution says that it was drawn by: exposures count by it."""

from typing import Any

import pytest

from burgee.evaluation import Context, FlagSet, Reason, flag_from_document, with_defaults
from burgee.wire import resolution_from_proto, resolution_to_proto

PRO = [{"attribute": "company.plan", "operator": "equals", "values": ["pro"]}]
RULE = {"conditions": PRO, "distribution": {"bucket_by": "company"}}
BY_TEAM = {"bucket_by": "team", "rollout": 50_000}
ACME = Context("ann", {"company": "acme", "team": "red"}, {}, {"company": {"plan": "pro"}})


@pytest.mark.parametrize(
    ("flag", "reason", "bucket_by"),
    [
        ({"rules": [RULE], "fallthrough": BY_TEAM}, Reason.TARGETING_MATCH, "company"),
        ({"rules": [{**RULE, "conditions": [{**PRO[0], "values": ["x"]}]}]}, Reason.DEFAULT, "company"),
        ({"rules": [{**RULE, "distribution": {"bucket_by": "squad"}}], "fallthrough": BY_TEAM}, Reason.SPLIT, "team"),
        (
            {"rules": [{"distribution": {"bucket_by": "squad"}}, {"distribution": {"rollout": 0}}]},
            Reason.DEFAULT,
            "user",
        ),
        ({"fallthrough": {**BY_TEAM, "bucket_by": "team.region"}}, Reason.DEFAULT, "team.region"),
        ({"fallthrough": {}}, Reason.STATIC, "user"),
        ({}, Reason.STATIC, "user"),
        ({"enabled": False, "rules": [RULE]}, Reason.DISABLED, "company"),
        ({"off_variant": "none", "rules": [RULE]}, Reason.ERROR, ""),
    ],
)
def test_a_resolution_says_what_it_was_drawn_by(flag: dict[str, Any], reason: Reason, bucket_by: str) -> None:
    """The rule's or the fallthrough's that decided; else the fallthrough's, the last rule's, or the user. In
    explanations and over the wire, too."""
    flags = FlagSet([with_defaults(flag_from_document({"key": "f", "enabled": True, **flag}))])
    given = flags.evaluate("f", ACME, {}, 0.0)
    assert (given.reason, given.bucket_by) == (reason, bucket_by)
    assert flags.explain("f", ACME, {}, 0.0).resolution.bucket_by == bucket_by
    assert resolution_from_proto(resolution_to_proto(given)).bucket_by == bucket_by
