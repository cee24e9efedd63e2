"""One client, many threads: checks, events and changes of flags at the same time."""

import threading
from collections.abc import Callable

from burgee import Client, Reason
from tests.unit.client.fakes import Feed, Recorder
from tests.unit.client.streamed import change, flag, snapshot, stored, wait_for

ROUNDS = 100
CHANGES = 8


def at_once(*works: Callable[[], None]) -> None:
    """Run each in a thread of its own; fail with what one of them raised."""
    raised: list[BaseException] = []
    together = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        together.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []


def test_a_check_sees_a_flag_before_a_change_or_after_it_and_nothing_between(
    client: Client, server: Recorder, feed: Feed
) -> None:
    """Odd versions give `on`, even ones `off`: no answer mixes two, no thread goes back, none is an error."""
    feed.begin = (snapshot("e.1", flag(), acme="pro"),)
    assert client.is_enabled("f", company="acme")
    done = threading.Event()

    def check() -> None:
        seen = 0
        while not done.is_set():
            answer = client.resolve("f", "ann", company="acme")
            assert answer.reason is not Reason.ERROR
            assert answer.variant == ("on" if answer.flag_version % 2 else "off")
            assert answer.flag_version >= seen
            seen = answer.flag_version
            assert client.all_flags("ann", company="acme").keys() == {"f"}

    def alter() -> None:
        try:
            for version in range(2, CHANGES):
                feed.send(change(f"e.{version}", flag(version=version, enabled=bool(version % 2))))
                feed.send(change(f"e.{version}.5", stored=stored(globex=str(version))))
            wait_for(lambda: client.flag_status.version == f"e.{CHANGES - 1}.5")
        finally:
            done.set()

    at_once(alter, check, check, check)


def test_the_first_checks_of_many_threads_open_one_stream(client: Client, server: Recorder, feed: Feed) -> None:
    """All wait for it, and all are answered from it."""

    def check() -> None:
        assert client.resolve("f", "ann", company="acme").reason is Reason.TARGETING_MATCH

    at_once(*[check] * 16)
    assert len(server.requests) == 1


def test_events_of_many_threads_all_arrive_once(client: Client, server: Recorder) -> None:
    """Captured, changed and flushed at once, from eight threads."""

    def use() -> None:
        name = threading.current_thread().name
        for number in range(ROUNDS):
            client.capture("seen", f"{name}-{number}")
        client.group("company", name, {"seats": 1})
        assert client.flush(30)

    at_once(*[use] * 8)
    assert len({event.distinct_id for event in server.events}) == len(server.events) == 8 * ROUNDS
    assert client.stats.sent == 8 * (ROUNDS + 1)


def test_closing_while_others_check_raises_nothing(server: Recorder, feed: Feed) -> None:
    """They get what was known, or the default."""
    client = Client(server.target, flag_timeout=5.0)
    assert client.is_enabled("f", company="acme")

    def use() -> None:
        for _ in range(ROUNDS):
            assert client.is_enabled("f", "ann", company="acme") in (True, False)
            client.capture("seen", "ann")

    at_once(use, use, use, lambda: client.close() and None)
