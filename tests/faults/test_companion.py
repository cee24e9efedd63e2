"""kill -9 and SIGSTOP of the companion at random moments, under load: no call fails, nothing is lost, nothing doubled.

Every other batch of the senders is large enough for it. What is killed while it begins is one of these moments.
"""

import os
import random
import signal
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import burgee
from tests.faults.senders import Senders, all_is_loaded
from tests.faults.storage import NO_MERGES, ask, check_stored
from tests.fixtures.nursery import ROOT
from tests.fixtures.serving import Serving, children, free_address, wait_for

REST_SECONDS = 0.02
STOPPED_SECONDS = 900
"""How long whatever is waited for may take: test and server may be stopped by signals for minutes, and go on."""
IMPATIENT = (sys.executable, "-m", "tests.faults.impatient")
SIGNALS = (signal.SIGKILL, signal.SIGSTOP)
LOST = "its work is done here"
"""What the server says of each."""


@pytest.mark.parametrize(
    ("times", "within"),
    [
        pytest.param(3, IMPATIENT, id="3 times"),
        pytest.param(200, IMPATIENT, id="200 times", marks=pytest.mark.soak),
        pytest.param(5, (), id="5 times with the pauses that servers make", marks=pytest.mark.soak),
    ],
)
def test_a_companion_that_is_killed_or_stopped_costs_no_call(
    tmp_path: Path, chance: random.Random, times: int, within: Sequence[str]
) -> None:
    """First each once while it works, then either at any moment. The server stays the same."""
    data, listen = tmp_path / "data", free_address()
    server = Serving(data, listen=listen).ready()
    key = server.key
    server.stop()
    ask(data, NO_MERGES)
    path = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
    server = Serving(data, listen=listen, within=within, PYTHONPATH=path, BURGEE_METRICS_LISTEN="127.0.0.1:0").ready()
    senders = Senders(listen, key, REST_SECONDS)
    senders.start()
    told: Counter[signal.Signals] = Counter()
    try:
        for number in range(times):
            if number < len(SIGNALS):
                wait_for(lambda: works(server), STOPPED_SECONDS)
            time.sleep(chance.uniform(0, 1))  # the moment is the test
            companion = companion_of(server)
            with_signal = SIGNALS[number] if number < len(SIGNALS) else chance.choice(SIGNALS)
            os.kill(companion, with_signal)
            told[with_signal] += 1
            wait_for(
                lambda lost=companion: senders.surprises or lost not in children(server.process.pid), STOPPED_SECONDS
            )
            assert senders.surprises == []
        senders.finish()
        with burgee.Client(listen, key) as client:
            wait_for(lambda: all_is_loaded(client), STOPPED_SECONDS)
        code, errors = server.stop()
    finally:
        server.close()
    assert (code, "Traceback" in errors) == (0, False), errors
    assert errors.count(LOST) >= times
    assert senders.failures == []
    check_stored(data, senders)
    kinds = ", ".join(f"{count} {kind.name}" for kind, count in told.items())
    print(
        f"{kinds}: {senders.events:,} events, {senders.batches / 2:,.0f} batches for the companion, no call made again"
    )


def companion_of(server: Serving) -> int:
    """Its process, once there is one, ready or not."""
    found: list[int] = []
    wait_for(lambda: found.extend(children(server.process.pid)) or found, STOPPED_SECONDS)
    return found[0]


def works(server: Serving) -> bool:
    """Whether its companion is ready, as its metrics say."""
    [address] = (line.removeprefix("burgee metrics ") for line in server.said if line.startswith("burgee metrics "))
    with urllib.request.urlopen(address, timeout=20) as answer:
        return b"burgee_companion_up 1.0" in answer.read()
