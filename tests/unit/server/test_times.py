"""What becomes of timestamps: the rule of sent_at, and the window around the server's clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.capture import TimeWindow

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOW = 1_800_000_000 * SECOND
ANY_INT64 = st.integers(-(2**63), 2**63 - 1)


def settled(timestamp, *, sent_at=0, future_hours=24.0, late_days=None, kept_from=0):
    """The time that an event is kept with; a text: why it is not."""
    times = TimeWindow(future_hours, late_days).at(NOW, sent_at, kept_from)
    moment = times.settle(timestamp)
    return moment if times.earliest <= moment <= times.latest else times.fault(moment)


@pytest.mark.parametrize("skew", [-40 * 365 * DAY, -DAY, -31 * SECOND, 31 * SECOND, HOUR, 56 * 365 * DAY])
def test_the_times_of_a_wrong_clock_are_moved_by_what_it_is_wrong(skew):
    """timestamp + (received - sent_at): what happened ten seconds before it was sent, happened ten seconds ago."""
    sent_at = NOW - skew

    assert settled(sent_at - 10 * SECOND, sent_at=sent_at) == NOW - 10 * SECOND


@pytest.mark.parametrize("skew", [-30 * SECOND, -1, 0, 1, 200_000, 30 * SECOND])
def test_a_difference_that_the_network_explains_moves_nothing(skew):
    """An event sent again, in whichever batch, has the same time, and so is the same event."""
    assert settled(NOW - 10 * SECOND, sent_at=NOW - skew) == NOW - 10 * SECOND


def test_without_sent_at_nothing_is_moved():
    """An import vouches for its times."""
    assert settled(1) == 1
    assert settled(NOW - 20 * 365 * DAY, late_days=1) == NOW - 20 * 365 * DAY


def test_what_is_older_than_the_environment_keeps_is_refused_from_any_sender():
    """Whether it is imported or live, by the time that it is moved to; and whatever `late_days` allows."""
    kept_from = 20_000 * DAY  # 2024-10-04

    assert settled(kept_from, kept_from=kept_from) == kept_from
    for live in ({}, {"sent_at": NOW}, {"sent_at": NOW, "late_days": 36_500}, {"sent_at": NOW, "late_days": 1}):
        assert "keeps no events from before 2024-10-04" in settled(kept_from - 1, kept_from=kept_from, **live)
    assert "days old" in settled(NOW - 2 * DAY, sent_at=NOW, late_days=1, kept_from=kept_from)
    assert settled(kept_from - 1, sent_at=NOW - HOUR, kept_from=kept_from) == kept_from - 1 + HOUR


def test_an_event_without_a_time_happened_when_it_was_received():
    """Whatever the sender's clock says."""
    assert settled(0) == settled(0, sent_at=NOW - 5 * HOUR) == NOW


def test_the_future_is_limited_by_the_setting():
    """To the microsecond; the reason names the limit and the distance."""
    assert settled(NOW + DAY) == NOW + DAY
    assert "at most 24 hours ahead of the server's clock, and is 24.0" in settled(NOW + DAY + 1)
    assert settled(NOW, future_hours=0) == NOW
    assert "at most 0 hours" in settled(NOW + 1, future_hours=0)
    assert settled(NOW + 100 * DAY, future_hours=2400) == NOW + 100 * DAY


def test_the_past_is_limited_by_the_setting_for_what_is_sent_live():
    """No limit unless it is set."""
    assert settled(NOW - 7 * DAY, sent_at=NOW, late_days=7) == NOW - 7 * DAY
    assert "at most 7 days old, and is 8.0" in settled(NOW - 8 * DAY, sent_at=NOW, late_days=7)
    assert settled(1, sent_at=NOW) == 1
    assert settled(1, sent_at=NOW, late_days=1_000_000) == 1


def test_the_limits_hold_for_the_time_after_it_was_moved():
    """And the reason says that it was moved, and by how much."""
    a_day_ahead = NOW + DAY
    assert settled(a_day_ahead + 10 * HOUR, sent_at=a_day_ahead) == NOW + 10 * HOUR
    reason = settled(NOW, sent_at=NOW - 30 * DAY)
    assert "720.0" in reason
    assert "moved by 720.0 hours, by sent_at_micros" in reason


@given(timestamp=ANY_INT64, sent_at=st.integers(0, 2**63 - 1), late_days=st.none() | st.floats(0.001, 1e9))
def test_what_is_kept_is_between_1970_and_the_limit_and_what_is_not_has_a_reason(timestamp, sent_at, late_days):
    """For any number that the wire can carry."""
    kept = settled(timestamp, sent_at=sent_at, late_days=late_days)

    assert (isinstance(kept, str) and kept) or 0 <= kept <= NOW + DAY
