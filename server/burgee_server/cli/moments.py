"""Moments as they are typed: `2026-03-01T12:00:00Z`."""

from datetime import UTC, datetime
from typing import Any

import click


class MomentType(click.ParamType[datetime]):
    """Reads RFC 3339, or a date, which is its midnight; UTC unless an offset is given."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, aware."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a moment, such as 2026-03-01T12:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


MOMENT = MomentType()
