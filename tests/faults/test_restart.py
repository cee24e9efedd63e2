"""SIGTERM under load and back on the same port, again and again: the clients lose nothing and hear of nothing.

The clients are the ones that users have, capturing events and changing profiles all the while; and others of any
language, which make a call again if it is UNAVAILABLE, and take anything else for a failure.
"""

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest

import burgee
from burgee.v1 import profiles_pb2
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.faults.senders import Senders
from tests.faults.storage import NO_MERGES, ask, check_stored
from tests.fixtures.serving import Serving, free_address, wait_for

CLIENTS = 3
REST_SECONDS = 0.1
PAUSE_SECONDS = 0.01
CHANGE_EVERY = 50
EVENT = "worked"


class Working:
    """A client at work in a thread of its own, as the person `person-n`."""

    def __init__(self, number: int, target: str, key: str) -> None:
        self.name = f"person-{number}"
        self.count = 0
        self.lost: list[Any] = []
        self.client = burgee.Client(target, key, on_drop=self.lost.append, flush_interval=0.02, batch_size=50)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop working, and have everything acknowledged."""
        self._ending.set()
        self._thread.join()
        assert self.client.flush(60), self.client.stats

    def _work(self) -> None:
        while not self._ending.wait(PAUSE_SECONDS):
            self.client.capture(EVENT, self.name, {"number": self.count}, company="acme")
            if self.count % CHANGE_EVERY == 0:
                self.client.identify(self.name, {f"property-{self.count}": self.count})
            self.count += 1


def test_clients_hear_nothing_of_a_server_that_is_restarted(tmp_path: Path, chance: random.Random) -> None:
    """Twice; the second time with no patience for the calls that run."""
    restart_and_check(tmp_path, chance, ["20", "0"])


@pytest.mark.soak
def test_clients_hear_nothing_of_a_server_that_is_restarted_fifty_times(tmp_path: Path, chance: random.Random) -> None:
    """Every other time with no patience for the calls that run."""
    restart_and_check(tmp_path, chance, ["20", "0"] * 25)


def check_profile(working: Working) -> None:
    """Every change that it made is in its profile."""
    request = profiles_pb2.GetPersonRequest(distinct_id=working.name)
    found = working.client.stub(ProfileServiceStub).GetPerson(request).person.properties
    assert dict(found) == {f"property-{number}": number for number in range(0, working.count, CHANGE_EVERY)}


def restart_and_check(tmp_path: Path, chance: random.Random, drains: list[str]) -> None:
    """Restart the server as often as `drains` is long, with these drain_seconds; then look at what clients heard."""
    data, listen = tmp_path / "data", free_address()
    server = Serving(data, listen=listen).ready()
    key = server.key
    server.stop()
    ask(data, NO_MERGES)
    server = Serving(data, listen=listen, BURGEE_DRAIN_SECONDS=drains[0]).ready()
    working = [Working(number, listen, key) for number in range(CLIENTS)]
    senders = Senders(listen, key, REST_SECONDS)
    senders.start()
    try:
        for drain in drains:
            before = sum(each.client.stats.sent for each in working), senders.batches
            wait_for(lambda before=before: sum(each.client.stats.sent for each in working) > before[0] + 100)
            wait_for(lambda before=before: senders.batches > before[1] + 3 or senders.surprises)
            assert senders.surprises == []
            time.sleep(chance.uniform(0, 0.5))  # the moment is the test
            code, errors = server.stop()
            assert (code, "Traceback" in errors) == (0, False), errors
            server = Serving(data, listen=listen, BURGEE_DRAIN_SECONDS=drain).ready()
        for each in working:
            each.end()
            check_profile(each)
        senders.finish()
        assert {failure.code for failure in senders.failures} <= {grpc.StatusCode.UNAVAILABLE}, senders.failures
        now = time.time()
        wait_for(lambda: working[0].client.trend(EVENT).info.complete_until.timestamp() >= now, 120)
        server.stop()
    finally:
        server.close()
        stats = [each.client.stats for each in working]
        for each in working:
            each.client.close(timeout=10)
    assert [each.lost for each in working] == [[]] * CLIENTS
    assert [(each.dropped, each.rejected, each.queued) for each in stats] == [(0, 0, 0)] * CLIENTS
    [rows] = ask(data, f"SELECT distinct_id, properties.number.:Int64 FROM events WHERE event = '{EVENT}'")
    assert Counter(map(tuple, rows)) == Counter((each.name, number) for each in working for number in range(each.count))
    check_stored(data, senders)
    retried = sum(each.retried for each in stats) + len(senders.failures)
    events = len(rows) + senders.events
    print(f"{len(drains)} restarts: {events:,} events, {retried:,} batches sent again, nothing dropped")
