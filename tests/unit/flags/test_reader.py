"""What is read as a whole, and what is too much for that."""

from datetime import UTC, datetime

from burgee_server.errors import NotFound
from burgee_server.flags.reader import Reader
from burgee_server.ports.cohorts import Cohort, Member

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Store:
    """One cohort, "beta", and how many of its pages were read."""

    def __init__(self, *keys):
        self.keys = sorted(keys)
        self.pages = 0

    async def get(self, _environment_id, key):
        if key != "beta":
            raise NotFound(key)
        return Cohort("beta", "company", "", len(self.keys), 1, AT, AT)

    async def members(self, _environment_id, _key, *, after, limit):
        self.pages += 1
        return [Member(key, AT) for key in self.keys if key > after][:limit]


async def test_a_cohort_is_read_page_by_page(monkeypatch):
    """To the end, however many pages there are."""
    monkeypatch.setattr("burgee_server.flags.reader._MEMBERS", 2)
    store = Store("a", "b", "c", "d", "e")

    assert await Reader(1, None, store, 5).cohort("beta") == {"a", "b", "c", "d", "e"}


async def test_a_cohort_that_is_too_large_is_not_read_at_all():
    """Its count says so: a million members are not fetched to be thrown away."""
    store = Store("a", "b", "c")

    assert await Reader(1, None, store, 2).cohort("beta") is None
    assert store.pages == 0


async def test_a_cohort_that_is_not_there_has_no_members():
    """A flag that names it asks for nobody."""
    assert await Reader(1, None, Store(), 2).cohort("gone") == set()
