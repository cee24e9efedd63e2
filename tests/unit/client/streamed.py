"""Flags and properties as a server streams them, and how to wait for what they do."""

import json
from functools import partial
from typing import Any

from burgee.evaluation import Flag, flag_from_document, with_defaults
from burgee.v1 import flags_pb2
from burgee.wire import flag_to_proto
from tests.fixtures import serving


def flag(key: str = "f", version: int = 1, attribute: str = "company.plan", **fields: Any) -> Flag:
    """On for companies whose attribute is "pro"."""
    condition = {"attribute": attribute, "operator": "equals", "values": ["pro"]}
    rule = {"conditions": [condition], "distribution": {"bucket_by": "company"}}
    document = {"key": key, "enabled": True, "rules": [rule], "version": version, **fields}
    return with_defaults(flag_from_document(document))


def change(version: str, *flags: Flag, **fields: Any) -> flags_pb2.WatchResponse:
    """A message that completes a version."""
    return flags_pb2.WatchResponse(version=version, flags=map(flag_to_proto, flags), **fields)


def stored(**plans: str) -> list[flags_pb2.StoredProperties]:
    """The plans of companies."""
    return [
        flags_pb2.StoredProperties(group_type="company", group_key=key, properties_json=json.dumps({"plan": plan}))
        for key, plan in plans.items()
    ]


CARRIED = flags_pb2.CarriedTypes(group_types=["company"])


def snapshot(version: str, *flags: Flag, **plans: str) -> flags_pb2.WatchResponse:
    """A snapshot in one message."""
    return change(version, *flags, snapshot=True, carried=CARRIED, stored=stored(**plans))


wait_for = partial(serving.wait_for, seconds=10)
"""Return when a condition holds."""
