"""How other people write times."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from burgee_server.cli.imports.records import NotAnEvent
from burgee_server.cli.imports.times import clock

NOON = 1_772_366_400_000_000


@pytest.mark.parametrize(
    ("form", "value", "micros"),
    [
        ("", 1_772_366_400, NOON),
        ("", 1_772_366_400.25, NOON + 250_000),
        ("", 1_772_366_400.123457, NOON + 123_457),
        ("", 0, 0),
        ("", "2026-03-01T12:00:00Z", NOON),
        ("", "2026-03-01 12:00:00", NOON),
        ("", "2026-03-01T13:00:00.000001+01:00", NOON + 1),
        ("", "2026-03-01T12:00:00.123456789Z", NOON + 123_456),
        ("", "2026-03-01", NOON - 12 * 3_600_000_000),
        ("", "2026-03-01T11:59:60Z", NOON),
        ("", "2026-03-01T12:59:60.5+01:00", NOON + 500_000),
        ("", datetime(2026, 3, 1, 12, tzinfo=UTC), NOON),
        ("", datetime.fromisoformat("2026-03-01T12:00"), NOON),
        ("", datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))), NOON),
        ("rfc3339", "2026-03-01T12:00:00Z", NOON),
        ("seconds", "1772366400", NOON),
        ("seconds", "1772366400.000001", NOON + 1),
        ("milliseconds", 1_772_366_400_001, NOON + 1_000),
        ("milliseconds", "1772366400000.5", NOON + 500),
        ("microseconds", NOON + 7, NOON + 7),
        ("%d.%m.%Y %H:%M", "01.03.2026 12:00", NOON),
        ("%Y-%m-%d %H:%M:%S %z", "2026-03-01 13:00:00 +0100", NOON),
    ],
)
def test_a_time_is_read_to_the_microsecond(form, value, micros):
    """Numbers by their unit, text by its form; in UTC where nothing else is said."""
    assert clock(form)(value) == micros


def test_text_without_an_offset_is_in_the_zone_that_was_said():
    """Summer and winter; one with an offset keeps it."""
    read = clock("", ZoneInfo("Europe/Berlin"))
    assert read("2026-03-01T13:00:00") == NOON
    assert read("2026-07-01T14:00:00") == read("2026-07-01T12:00:00Z")
    assert clock("%d.%m.%Y %H:%M", ZoneInfo("Europe/Berlin"))("01.03.2026 13:00") == NOON
    assert read(1_772_366_400) == NOON


@pytest.mark.parametrize(
    ("form", "value", "words"),
    [
        ("", None, "is missing"),
        ("", "", "is missing"),
        ("", "soon", "got 'soon'"),
        ("", "1772366400", "seconds?"),
        ("", "1772366400000.5", "milliseconds?"),
        ("", "9" * 5_000, "RFC 3339"),
        ("", True, "got 'True'"),
        ("", [1], "RFC 3339"),
        ("", "1969-12-31T23:59:59Z", "between 1970 and 2100"),
        ("", datetime(2100, 1, 1, tzinfo=UTC), "between 1970 and 2100"),
        ("", -1, "between 1970 and 2100"),
        ("", 1e300, "between 1970 and 2100"),
        ("", float("nan"), "number of seconds"),
        ("", float("inf"), "number of seconds"),
        ("", 1_772_366_400_000, "milliseconds?"),
        ("", NOON, "microseconds?"),
        ("microseconds", 10**16, "between 1970 and 2100"),
        ("seconds", "1772366400000", "milliseconds?"),
        ("seconds", "soon", "number of seconds"),
        ("seconds", "NaN", "number of seconds"),
        ("seconds", {}, "number of seconds"),
        ("rfc3339", "01.03.2026", "RFC 3339"),
        ("%d.%m.%Y", "2026-03-01", "must be like %d.%m.%Y"),
        ("%d.%m.%Y", 20260301, "must be like %d.%m.%Y"),
    ],
)
def test_what_is_no_time_says_what_would_be_one(form, value, words):
    """And where another unit would make it a time of this century, which."""
    with pytest.raises(NotAnEvent) as caught:
        clock(form)(value)
    assert caught.value.field == "timestamp"
    assert words.removesuffix("?") in caught.value.reason
    if words.endswith("?"):
        assert f"are these {words}" in caught.value.reason
