"""What people may call things: the one place that knows how long a name may be and what it may hold."""

from burgee_server.errors import Invalid

MAX_NAME = 200
MAX_NOTE = 2_000
MAX_GROUP_TYPES = 1_000
"""How many group types an environment may have: beyond that, keys are being used as types."""
RESERVED_TYPES = frozenset({"user", "event"})


def name_fault(text: str) -> str:
    """What is wrong with a name, or nothing: 1 to 200 characters, not all blank, no control characters."""
    if not text or text.isspace():
        return "must not be empty"
    if len(text) > MAX_NAME:
        return f"must be at most {MAX_NAME} characters, got {len(text)}"
    if not text.isprintable() and any(character < " " or character == "\x7f" for character in text):
        return "must not hold control characters"
    return ""


_PARTS = ("^`", ":`", "@`")


def reading_fault(text: str) -> str:
    """What is wrong with a key of a JSON column for whoever asks for it, or nothing.

    What begins so is, to ClickHouse, an object or a type in the column, however it is quoted.
    """
    begins = next((part for part in _PARTS if text.startswith(part)), None)
    return f"must not begin with {begins}: the warehouse cannot read what is called so" if begins else ""


def group_type_fault(text: str) -> str:
    """What is wrong with the name of a group type, or nothing: a name without a dot that is not reserved, and can be
    read.

    In an attribute such as "company.plan" the first dot ends the type, and "user" and "event" mean something else.
    """
    if fault := name_fault(text) or reading_fault(text):
        return fault
    if "." in text:
        return "must not hold a dot"
    if text in RESERVED_TYPES:
        return f"must not be {text!r}, which is reserved"
    return ""


def key_fault(text: str) -> str:
    """What is wrong with a project's or environment's key, or nothing: letters, digits, "-" and "_"."""
    if fault := name_fault(text):
        return fault
    if not all(character.isascii() and (character.isalnum() or character in "-_") for character in text):
        return 'may only hold letters, digits, "-" and "_"'
    return ""


def note_fault(text: str) -> str:
    """What is wrong with a text that only people read, or nothing: at most 2,000 characters."""
    return f"must be at most {MAX_NOTE:,} characters, got {len(text):,}" if len(text) > MAX_NOTE else ""


def require(field: str, fault: str) -> None:
    """Raise Invalid for the field if there is a fault."""
    if fault:
        raise Invalid.of(field, fault)
