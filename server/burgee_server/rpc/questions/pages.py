"""Pages of the users or groups behind a number of an answer."""

from datetime import datetime
from typing import Any

from burgee.v1 import questions_pb2 as pb
from burgee_server.errors import Invalid
from burgee_server.insights.words import ActorPage, Page, Part
from burgee_server.rpc.paging import page_size, page_token, read_page_token
from burgee_server.rpc.questions.words import read_part
from burgee_server.rpc.timestamps import read_timestamp


def read_page(request: Any) -> Page:
    """The `page_size` and `page_token` of a request. Raises Invalid."""
    position = read_page_token(request.page_token, str)
    return Page(position[0] if position else "", page_size(request.page_size))


def read_column(request: Any) -> datetime:
    """The `column` of a request. Raises Invalid."""
    if not request.HasField("column"):
        raise Invalid.of("column", "must be where a column of the answer begins")
    return read_timestamp(request.column, "column")


def read_part_of(request: Any) -> Part | None:
    """The `part` of a request, if it has one. Raises Invalid."""
    return read_part(request.part, "part") if request.HasField("part") else None


def write_page(page: ActorPage, message: pb.ActorPage) -> None:
    """Who they are, and where the next page begins."""
    message.keys.extend(page.keys)
    if page.has_more:
        message.next_page_token = page_token(page.keys[-1])
