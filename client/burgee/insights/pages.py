"""Pages of the users or groups behind a number of an answer."""

from dataclasses import dataclass
from typing import Any, ClassVar

from burgee.insights.words import Answered, QueryInfo, read_info


@dataclass(frozen=True, slots=True)
class ActorPage(Answered):
    """Users by their distinct_id, or groups by their key, in byte order; the last page has no `next_page_token`."""

    keys: tuple[str, ...]
    next_page_token: str
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = ("key",)

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict each: key."""
        return [{"key": key} for key in self.keys]


def read_page(response: Any) -> ActorPage:
    """The page in a response."""
    return ActorPage(tuple(response.page.keys), response.page.next_page_token, read_info(response.info))
