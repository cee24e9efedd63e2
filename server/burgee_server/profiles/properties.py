"""What properties a profile may have."""

import json

from burgee.evaluation.model import Properties

from burgee_server.errors import Invalid
from burgee_server.names import MAX_NAME, name_fault, require

MAX_BYTES = 65_536


def check_properties(field: str, properties: Properties) -> None:
    """Raise Invalid, naming the property, for what JSON cannot say, bad names, or more than 64 KB as JSON."""
    size = 0
    for name, value in properties.items():
        path = f"{field}[{name[:MAX_NAME]}]"
        require(path, name_fault(name))
        try:
            size += len(json.dumps(value, allow_nan=False)) + len(name)
        except ValueError as error:
            raise Invalid.of(path, "must be JSON: NaN and Infinity are not") from error
    if size > MAX_BYTES:
        raise Invalid.of(field, f"must be at most {MAX_BYTES:,} bytes as JSON, got {size:,}")
