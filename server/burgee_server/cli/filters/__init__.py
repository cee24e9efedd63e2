"""Filters as they are typed: `company.plan in pro,team and not (event.pages lt 3 or user.email is_not_set)`."""

from burgee_server.cli.filters.options import FilterType, where_option
from burgee_server.cli.filters.reader import FilterError, read_filter, require_letters, require_whole
from burgee_server.cli.filters.text import filter_text

__all__ = [
    "FilterError",
    "FilterType",
    "filter_text",
    "read_filter",
    "require_letters",
    "require_whole",
    "where_option",
]
