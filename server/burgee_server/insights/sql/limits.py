"""What every question is held to."""

from burgee_server.errors import Invalid
from burgee_server.names import MAX_NAME


def require_name(text: str, field: str) -> None:
    """Raise Invalid for a name of an event, a property or a label that no event could have."""
    if len(text) > MAX_NAME:
        raise Invalid.of(field, f"must be at most {MAX_NAME} characters, got {len(text)}")
