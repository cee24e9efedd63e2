"""Flags in the server's memory: what is read when, and that no change is ever missed."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from burgee.evaluation import Flag, FlagType, with_defaults
from burgee_server.errors import NotFound, Unavailable
from burgee_server.flags import Catalog
from burgee_server.ports.changes import Change, Kind

ENVIRONMENT = 1


def flag(key: str, version: int = 1) -> Flag:
    """A flag that does nothing."""
    return with_defaults(Flag(key, FlagType.BOOLEAN, (), "", version=version))


@dataclass(frozen=True)
class Kept:
    """What a store returns of a flag."""

    flag: Flag


@dataclass
class Store:
    """Flags as a test puts them there, and what was read of them; `before` runs before each read is answered."""

    flags: dict[str, Flag] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    before: Any = None

    async def _read(self, what: str) -> None:
        self.reads.append(what)
        before, self.before = self.before, None
        if before is not None:
            await before()

    async def all(self, _environment_id: int) -> list[Flag]:
        """Every flag."""
        found = list(self.flags.values())
        await self._read("all")
        return found

    async def parent_types(self, _environment_id: int) -> dict[str, str]:
        """Which types groups belong to."""
        return dict(self.parents)

    async def get(self, _environment_id: int, key: str) -> Kept:
        """One flag."""
        found = self.flags.get(key)
        await self._read(key)
        if found is None:
            raise NotFound(key)
        return Kept(found)


class Server:
    """A store and a catalog, and the feed between them."""

    def __init__(self) -> None:
        self.store = Store({key: flag(key) for key in "abc"})
        self.catalog = Catalog(self.store, self.store)  # type: ignore[arg-type]

    def save(self, key: str, version: int) -> None:
        """Save a flag and tell of it."""
        self.store.flags[key] = flag(key, version)
        self.catalog.forget(Change(Kind.FLAGS, ENVIRONMENT, (key,)))

    async def versions(self) -> dict[str, int]:
        """What the next check would see."""
        return {key: each.version for key, each in (await self.catalog.get(ENVIRONMENT)).flags.items()}


@pytest.fixture
def server() -> Server:
    """Three flags at version 1."""
    return Server()


async def test_all_is_read_once_and_then_what_changes(server: Server) -> None:
    """By key; a check between two changes finds everything in memory."""
    assert await server.versions() == {"a": 1, "b": 1, "c": 1}
    assert server.catalog.peek(ENVIRONMENT) is await server.catalog.get(ENVIRONMENT)
    server.save("b", 2)
    server.save("d", 1)
    assert server.catalog.peek(ENVIRONMENT) is None
    assert await server.versions() == {"a": 1, "b": 2, "c": 1, "d": 1}
    assert server.store.reads == ["all", "b", "d"]


async def test_a_flag_that_is_gone_is_gone(server: Server) -> None:
    """What the store does not have any more, memory does not have either."""
    await server.versions()
    del server.store.flags["b"]
    server.catalog.forget(Change(Kind.FLAGS, ENVIRONMENT, ("b",)))
    assert await server.versions() == {"a": 1, "c": 1}


@pytest.mark.parametrize("known", [False, True])
async def test_a_change_while_flags_are_read_is_not_missed(server: Server, known: bool) -> None:
    """Whoever asks gets the flag as it is, not as it was when the read began."""
    if known:
        await server.versions()
        server.save("b", 2)

    async def change() -> None:
        server.save("b", 3)
        server.save("c", 7)

    server.store.before = change
    assert await server.versions() == {"a": 1, "b": 3, "c": 7}


async def test_a_change_is_not_lost_with_the_read_that_failed(server: Server) -> None:
    """The next check reads it again."""
    await server.versions()
    server.save("b", 2)

    async def fail() -> None:
        raise Unavailable("the store is away")

    server.store.before = fail
    with pytest.raises(Unavailable):
        await server.versions()
    assert await server.versions() == {"a": 1, "b": 2, "c": 1}


async def test_many_who_ask_at_once_wait_for_one_read(server: Server) -> None:
    """At first use, and after a change."""

    async def slowly() -> None:
        await asyncio.sleep(0)

    server.store.before = slowly
    assert len({id(each) for each in await asyncio.gather(*(server.catalog.get(ENVIRONMENT) for _ in range(9)))}) == 1
    server.save("a", 2)
    server.store.before = slowly
    await asyncio.gather(*(server.catalog.get(ENVIRONMENT) for _ in range(9)))
    assert server.store.reads == ["all", "a"]


async def test_what_did_not_change_stays_the_same_object(server: Server) -> None:
    """Nothing is read or compiled again for a flag that is as it was."""
    before = (await server.catalog.get(ENVIRONMENT)).flags["a"]
    server.save("b", 2)
    after = await server.catalog.get(ENVIRONMENT)
    assert after.flags["a"] is before
    assert after.flags["b"] == replace(flag("b"), version=2)


async def test_a_check_beside_one_that_is_reading_a_change_sees_it_too(server: Server) -> None:
    """The change was made before both: nobody is shown what there was until it has been read."""
    await server.catalog.get(ENVIRONMENT)
    seen = []

    async def look() -> None:
        seen.append(server.catalog.peek(ENVIRONMENT))

    server.store.before = look
    server.save("a", 2)
    versions = await asyncio.gather(server.versions(), server.versions())

    assert seen == [None]
    assert [each["a"] for each in versions] == [2, 2]


async def test_the_next_check_sees_that_a_type_belongs_to_another(server: Server) -> None:
    """Flags are not read again for it; without such a change nobody asks what belongs to what."""
    await server.versions()
    server.store.parents["team"] = "company"
    assert (await server.catalog.get(ENVIRONMENT)).parent_types == {}

    server.catalog.forget(Change(Kind.GROUP_TYPES, ENVIRONMENT))

    assert server.catalog.peek(ENVIRONMENT) is None
    assert (await server.catalog.get(ENVIRONMENT)).parent_types == {"team": "company"}
    assert server.store.reads == ["all"]
