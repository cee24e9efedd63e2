"""Which days of events a move copies at a time."""

from datetime import date

from burgee_server.storage.clickhouse.copying import Days, gathered


def day(month: int, number: int, events: int, *, year: int = 2026, environment_id: int = 1) -> Days:
    """One day that has events."""
    when = date(year, month, number)
    return Days(environment_id, when, when, events)


def test_days_go_together_up_to_what_fits_into_memory_within_a_year_and_an_environment() -> None:
    """A long history of few events is few inserts; what is copied is not copied again, nor what lies in between."""
    days = [
        day(12, 31, 5, year=2025),
        day(1, 1, 60_000),
        day(3, 9, 40_000),
        day(3, 10, 1),
        day(3, 11, 2),
        day(3, 12, 3),
        day(3, 13, 900_000),
        day(3, 13, 7, environment_id=2),
    ]
    assert list(gathered(days, {day(3, 11, 2)})) == [
        day(12, 31, 5, year=2025),
        Days(1, date(2026, 1, 1), date(2026, 3, 9), 100_000),
        day(3, 10, 1),
        day(3, 12, 3),
        day(3, 13, 900_000),
        day(3, 13, 7, environment_id=2),
    ]
    assert list(gathered(days, set(days))) == []
    assert list(gathered(days, {day(3, 12, 4)}))[2] == Days(1, date(2026, 3, 10), date(2026, 3, 12), 6)
