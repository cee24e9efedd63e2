"""What can be wrong with one event, and with one text in it."""

from burgee_server.names import MAX_NAME, name_fault

MOST_TEXT_BYTES = 4 * MAX_NAME
"""No text of 200 characters has more bytes of UTF-8."""


class Fault(Exception):
    """What is wrong with an event: the field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def text_fault(text: bytes) -> str:
    """What is wrong with a name or a key, or nothing."""
    if len(text) > MOST_TEXT_BYTES:
        return f"must be at most {MAX_NAME} characters"
    try:
        return name_fault(text.decode())
    except UnicodeDecodeError:
        return "must be UTF-8"
