"""What properties a profile may have."""

import json

from burgee.evaluation.model import Properties
from burgee_server.errors import Invalid
from burgee_server.names import MAX_NAME, name_fault, require

MAX_BYTES = 65_536


def check_properties(field: str, properties: Properties) -> None:
    """Raise Invalid, naming the property, for a name that will not do, or more than 64 KB as JSON."""
    for name in properties:
        require(f"{field}.{name[:MAX_NAME]}", name_fault(name))
    size = len(json.dumps(properties))
    if size > MAX_BYTES:
        raise Invalid.of(field, f"must be at most {MAX_BYTES:,} bytes as JSON, got {size:,}")
