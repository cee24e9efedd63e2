"""What services that keep something under a key check alike."""

from burgee_server.errors import Invalid


def named(key: str, field: str) -> str:
    """The key of what is meant. Raises Invalid if there is none."""
    if not key:
        raise Invalid.of(field, "must not be empty")
    return key


def require_version(expected_version: int) -> None:
    """Raise Invalid for what is no version that a change may have been made from."""
    if expected_version < 0:
        raise Invalid.of("expected_version", "must be 0 or the version that the change was made from")
