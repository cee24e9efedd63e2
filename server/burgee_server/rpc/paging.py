"""Page sizes and page tokens: opaque text that says where the next page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from burgee_server.errors import Invalid

DEFAULT_PAGE = 100
MAX_PAGE = 1_000
MAX_PAGE_BYTES = 3 << 20
"""A page is no larger, unless it is one item: gRPC's own clients refuse an answer of more than 4 MB."""

T = TypeVar("T")


def page_size(requested: int) -> int:
    """How many to return. Raises Invalid."""
    if requested > MAX_PAGE:
        raise Invalid.of("page_size", f"must be at most {MAX_PAGE:,}, got {requested:,}")
    return requested or DEFAULT_PAGE


def fill(page: Any, items: Sequence[T], limit: int, write: Callable[[T], Any]) -> T | None:
    """Put items, of which `limit` were asked for, into a page: fewer, if they are large. The last that is on it; None
    if there are no more."""
    size = 0
    for index, item in enumerate(items):
        message = write(item)
        size += message.ByteSize()
        if index and size > MAX_PAGE_BYTES:
            return items[index - 1]
        page.append(message)
    return items[-1] if len(items) == limit else None


def page_token(*position: str | int) -> str:
    """A token for the position of the last item of a page."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def read_page_token(token: str, *shape: type, field: str = "page_token") -> tuple[Any, ...] | None:
    """The position in a token, of these types; None for the first page. Raises Invalid for the field."""
    if not token:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Invalid.of(field, "is not one that this server gave") from error
    if (
        not isinstance(position, list)
        or [type(part) for part in position] != list(shape)
        or not all(map(_fits, position))
    ):
        raise Invalid.of(field, "is not one that this server gave for such a request")
    return tuple(position)


def _fits(part: str | int) -> bool:
    """Whether a store can look for it: text that UTF-8 can say, without NUL; numbers that 64 bits hold."""
    if isinstance(part, int):
        return 0 <= part < 2**63
    return "\0" not in part and part.encode(errors="replace").decode() == part
