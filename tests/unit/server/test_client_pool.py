"""Clients of a warehouse and their threads: whoever waits for one is answered, whatever happens, and closing ends."""

import sys

import pytest

from burgee_server.storage.clickhouse.pool import ClientPool


class FakeClient:
    """Does nothing, and cannot be closed if it is `broken`."""

    def __init__(self, *, broken=False):
        self._broken = broken

    def close(self):
        """End it."""
        if self._broken:
            raise OSError("it cannot be closed")


@pytest.fixture
def open_pool(monkeypatch):
    """A pool of so many fakes."""

    def opened(size, **how):
        monkeypatch.setattr(ClientPool, "_open", lambda _: FakeClient(**how))
        return ClientPool("clickhouse://nowhere", size, {})

    return opened


def test_it_is_closed_while_its_threads_take_the_last_of_what_waits(open_pool):
    """What close() finds waiting may be gone when it looks again: it does not wait for more, which never comes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(500):
            pool = open_pool(2)
            futures = [pool.submit(lambda _: None) for _ in range(number % 40)]
            pool.close()
            assert all(future.done() for future in futures)
    finally:
        sys.setswitchinterval(before)
    with pytest.raises(RuntimeError):
        pool.submit(lambda _: None)


def test_whoever_waits_for_what_fails_hears_of_it_though_its_client_cannot_be_closed(open_pool):
    """And the next is answered, too: its thread goes on, with another client."""
    pool = open_pool(1, broken=True)
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda _: 1 / 0).result(20)
    assert pool.submit(lambda _: 7).result(20) == 7
    pool.close()
