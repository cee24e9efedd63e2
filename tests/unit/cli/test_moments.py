"""Moments as they are typed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
import pytest

from burgee_server.cli.moments import MOMENT, read_time
from burgee_server.cli.query.people import column_of

NEW_YEAR = datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2017-01-01",
        "2017-01-01T00:00:00",
        "2017-01-01T01:00:00+01:00",
        "2016-12-31T23:59:60Z",
        "2016-12-31 23:59:60",
        "2017-01-01T05:44:60+05:45",
    ],
)
def test_a_moment_is_read_in_utc_and_a_leap_second_is_the_second_after_it(text):
    """As conditions of flags have it, and a column of an answer is named in the same way."""
    assert MOMENT.convert(text, None, None) == NEW_YEAR
    assert column_of(text, [NEW_YEAR], ZoneInfo("UTC")) == NEW_YEAR


def test_a_time_without_an_offset_is_of_the_zone_that_was_said():
    """A leap second, too, beside clocks that are set back then."""
    assert read_time("2017-01-01T00:59:60.25", ZoneInfo("Europe/Berlin")) == NEW_YEAR.replace(microsecond=250_000)
    havana = ZoneInfo("America/Havana")
    assert read_time("2026-11-01T00:59:60", havana) == datetime(2026, 11, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2016-12-31T23:59:61Z", "2016-12-31T23:60:60Z", "9999-12-31T23:59:60Z"])
def test_what_is_no_moment_is_told(text):
    """Also the leap second after which there is no time."""
    with pytest.raises(click.BadParameter, match="is not a moment"):
        MOMENT.convert(text, None, None)
