"""What the door lets in of Capture."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from burgee_server.access import Principal
from burgee_server.errors import Overloaded
from burgee_server.ports.access import Environment, Role
from burgee_server.rpc.coming import MOST_MISSED
from burgee_server.rpc.limits import CaptureLimits
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.memory.quota import LocalQuota

SOMEBODY = Principal("key_1", "k", Role.SERVICE, Environment(1, 1, "p", "production", datetime(2026, 3, 1, tzinfo=UTC)))


def limits(max_calls=10, max_bytes=100, events_per_second=0.0, **clock):
    """Limits as small as a test likes."""
    quota = LocalQuota(SystemClock())
    return CaptureLimits(quota, max_calls=max_calls, max_bytes=max_bytes, events_per_second=events_per_second, **clock)


async def test_beyond_so_many_calls_nobody_is_let_in_until_one_has_gone():
    """They are told when to come back."""
    some = limits(max_calls=1)
    await some.check(SOMEBODY)
    with some.inside(SOMEBODY, 1):
        with pytest.raises(Overloaded) as refused:
            await some.check(SOMEBODY)
        with pytest.raises(Overloaded), some.inside(SOMEBODY, 1):
            pass
    assert refused.value.retry_after > 0
    await some.check(SOMEBODY)


async def test_the_room_of_a_call_that_ends_badly_is_given_back():
    """Or the server would fill up with calls that are gone."""
    some = limits(max_calls=1, max_bytes=100)
    with pytest.raises(ValueError, match="bad"), some.inside(SOMEBODY, 100):
        raise ValueError("bad")
    await some.check(SOMEBODY)


async def test_beyond_so_many_bytes_nobody_is_let_in():
    """Before the message is read if there is no room at all, and else when its size is known."""
    some = limits(max_bytes=100)
    with some.inside(SOMEBODY, 60):
        await some.check(SOMEBODY)
        with pytest.raises(Overloaded), some.inside(SOMEBODY, 41):
            pass
        with some.inside(SOMEBODY, 40), pytest.raises(Overloaded):
            await some.check(SOMEBODY)


async def test_one_message_larger_than_all_the_room_is_taken_by_itself():
    """Else it could never be."""
    some = limits(max_bytes=100)
    with some.inside(SOMEBODY, 1_000), pytest.raises(Overloaded):
        await some.check(SOMEBODY)


async def test_a_message_that_will_not_fit_is_refused_before_it_is_read():
    """Its size is not known then: it is taken for one like those before it."""
    some = limits(max_bytes=100)
    for _ in range(100):
        with some.inside(SOMEBODY, 30):
            pass
    with some.inside(SOMEBODY, 60):
        await some.check(SOMEBODY)
        with some.inside(SOMEBODY, 30), pytest.raises(Overloaded):
            await some.check(SOMEBODY)


async def test_the_room_of_those_who_were_let_in_is_kept_for_them_and_not_for_ever():
    """Their messages are on their way. One that does not come within a tenth of a second keeps nobody out."""
    now = 0.0
    some = limits(max_calls=2, seconds=lambda: now)
    await some.check(SOMEBODY)
    await some.check(SOMEBODY)
    with pytest.raises(Overloaded):
        await some.check(SOMEBODY)
    with some.inside(SOMEBODY, 1), pytest.raises(Overloaded):
        await some.check(SOMEBODY)
    now = 0.2
    await some.check(SOMEBODY)


async def test_messages_that_come_late_are_not_missed_and_places_are_kept_for_those_after_them():
    """As in an overload, when each comes after its place was given up: else all would be let in, and read in vain."""
    now = 0.0
    some = limits(max_calls=10, seconds=lambda: now)
    for tick in range(200):
        now = tick * 0.3
        for _ in range(10):
            await some.check(SOMEBODY)
        with pytest.raises(Overloaded):
            await some.check(SOMEBODY)
        now += 0.2
        for _ in range(10):
            with some.inside(SOMEBODY, 1):
                pass


async def test_a_key_whose_messages_do_not_come_keeps_nobody_out():
    """However many calls it opens and says nothing; what it sends after all is taken, and makes up for it."""
    now = 0.0
    some = limits(max_calls=10, seconds=lambda: now)
    other = replace(SOMEBODY, api_key_id="key_2")
    refused = Counter()
    for tick in range(1_000):
        now = tick / 100
        for _ in range(20):
            try:
                await some.check(SOMEBODY)
            except Overloaded:
                refused["silent"] += 1
        try:
            await some.check(other)
        except Overloaded:
            refused["other"] += 1
        else:
            with some.inside(other, 1):
                refused["taken"] += 1
    assert refused["other"] < 150  # the first second, after which messages count as missed
    assert refused["taken"] > 850

    for _ in range(MOST_MISSED):
        await some.check(SOMEBODY)
        with some.inside(SOMEBODY, 1):
            pass
    for _ in range(10):
        await some.check(SOMEBODY)
    with pytest.raises(Overloaded):
        await some.check(other)
