"""Lists that a server gives a page at a time."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar


class _Request(Protocol):
    page_token: str


class _Page(Protocol):
    next_page_token: str


RequestT = TypeVar("RequestT", bound=_Request)
PageT = TypeVar("PageT", bound=_Page)


def pages(call: Callable[[RequestT], PageT], request: RequestT) -> Iterator[PageT]:
    """Every page, from the one that is asked for."""
    while True:
        page = call(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
