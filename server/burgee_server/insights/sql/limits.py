"""What every question is held to."""

from burgee_server.errors import Invalid
from burgee_server.names import MAX_NAME, reading_fault, require

MAX_CELLS = 250_000
"""How many numbers an answer may have: what can be written out before a flag check has waited for it."""


def require_name(text: str, field: str, longest: int = MAX_NAME) -> None:
    """Raise Invalid for a name of an event, a property or a label that no event could have; or for any longer text."""
    if len(text) > longest:
        raise Invalid.of(field, f"must be at most {longest} characters, got {len(text)}")


def require_property(name: str, field: str) -> None:
    """Raise Invalid for the name of an event's property that no event could have, or that cannot be read."""
    require_name(name, field)
    require(field, reading_fault(name))
