"""Filters as options of commands."""

from typing import Any

import click

from burgee.evaluation import Filter
from burgee_server.cli.filters.reader import FilterError, read_filter


class FilterType(click.ParamType[Filter]):
    """A filter, as read_filter() reads it."""

    name = "filter"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Filter:
        """The filter in a text."""
        try:
            return read_filter(str(value))
        except FilterError as error:
            self.fail(str(error), param, ctx)


where_option = click.option(
    "--where",
    "filters",
    type=FilterType(),
    multiple=True,
    help="Only where this holds: 'company.plan in pro,team and not event.pages lt 3'; several must all hold.",
)
