"""Who may be at work in the warehouse, and who is next."""

import asyncio

import pytest

from burgee_server.storage.clickhouse.seats import Seats


class Room:
    """Seats, and who has one, in the order in which they were given."""

    def __init__(self, size: int) -> None:
        self.seats = Seats(size)
        self.given: list[str] = []

    def come(self, *askers: str) -> list[asyncio.Task[None]]:
        """Have each take a seat, one after the other."""
        return [asyncio.create_task(self._take(asker)) for asker in askers]

    async def _take(self, asker: str) -> None:
        await self.seats.take(asker)
        self.given.append(asker)


async def settled() -> None:
    """Let everybody go as far as they get."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_who_asks_for_everything_leaves_a_seat_to_another() -> None:
    """However many statements it has; whoever else comes does not wait for one of them."""
    room = Room(4)
    hungry = room.come(*["hungry"] * 40)
    await settled()
    assert room.given == ["hungry"] * 3

    room.come("modest")
    await settled()
    assert room.given == ["hungry"] * 3 + ["modest"]
    for each in hungry:
        each.cancel()


async def test_a_single_seat_is_everybodys() -> None:
    """One at a time, of one asker as of several, and in turns."""
    room = Room(1)
    room.come("a", "a", "a", "b")
    for asker in ("a", "a", "b", "a"):
        await settled()
        assert room.given[-1] == asker
        room.seats.leave(asker)
    assert room.given == ["a", "a", "b", "a"]


async def test_whoever_has_the_fewest_is_next_and_equals_take_turns() -> None:
    """And not whoever came first, nor whoever waits with the most."""
    room = Room(3)
    room.come("a", "a", "b", "a", "a", "b", "b", "c")
    await settled()
    assert room.given == ["a", "a", "b"]
    for leaves, comes in (("a", "c"), ("c", "a"), ("b", "b"), ("a", "a")):
        room.seats.leave(leaves)
        await settled()
        assert (leaves, room.given[-1]) == (leaves, comes)


async def test_whoever_is_gone_takes_no_turn_from_another_who_waits_with_it() -> None:
    """The one behind it, of the same asker, came before others."""
    room = Room(1)
    room.come("first")
    await settled()
    [gone, *_] = room.come("a", "a", "b")
    await settled()
    gone.cancel()
    for leaves in ("first", "a"):
        room.seats.leave(leaves)
        await settled()
    assert room.given == ["first", "a", "b"]


@pytest.mark.parametrize("given", [False, True], ids=["it waits", "it was just given one"])
async def test_whoever_is_gone_has_no_seat(given: bool) -> None:
    """Neither does the seat that it waited for, or was given in that moment, stay empty."""
    room = Room(1)
    room.come("first")
    await settled()
    [gone] = room.come("gone")
    room.come("next")
    await settled()
    if given:
        room.seats.leave("first")
    gone.cancel()
    await settled()
    if not given:
        room.seats.leave("first")
        await settled()
    assert room.given == ["first", "next"]
