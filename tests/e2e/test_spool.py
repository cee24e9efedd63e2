"""Clients with a spool, and a server that is away at times: what was safe is stored, once, whoever dies when."""

import random
import signal

import pytest

import burgee
from tests.e2e.test_serve import stored_uuids, wait_for
from tests.fixtures.nursery import run_python
from tests.fixtures.spooling import kill_at_random
from tests.unit.client.fakes import unused_target

KEY = "the-key-of-the-spooling-clients"

ENDS = """
import sys
import burgee, burgee.lifetime
burgee.lifetime._AT_EXIT_SECONDS = 0.2
client = burgee.Client(sys.argv[1], sys.argv[2], spool=sys.argv[3])
for number in range(100):
    client.capture("seen", "ann", {"n": number}, uuid=f"ffffffff-0000-4000-8000-{number:012x}", timestamp=1_750_000_000)
"""


@pytest.mark.parametrize("rounds", [1, pytest.param(40, marks=pytest.mark.soak)])
def test_what_was_safe_is_stored_once_whoever_dies_when(serve, tmp_path, rounds):
    """Clients are killed while the server is away, while it is there, and after it was killed; one ends by itself."""
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    target = unused_target()
    spool = tmp_path / "spool"
    safe = {f"ffffffff-0000-4000-8000-{number:012x}" for number in range(100)}

    for number in range(0, 4 * rounds, 4):
        safe |= kill_at_random(target, KEY, spool, range(number, number + 1), chance)
        server = serve("--listen", target, BURGEE_BOOTSTRAP_KEY=KEY)
        safe |= kill_at_random(target, KEY, spool, range(number + 1, number + 3), chance)
        server.stop(signal.SIGKILL)
        safe |= kill_at_random(target, KEY, spool, range(number + 3, number + 4), chance)
    run_python("-c", ENDS, target, KEY, str(spool)).check_returncode()

    server = serve("--listen", target, BURGEE_BOOTSTRAP_KEY=KEY)
    with burgee.Client(target, KEY, spool=spool) as last:
        assert last.flush(60), (seed, last.stats)
        wait_for(lambda: safe <= set(stored_uuids(server, KEY)))
        stored = stored_uuids(server, KEY)
        assert len(stored) == len(set(stored)), seed
        assert last.trend("seen", start="2025-06-01", end="2025-07-01", interval="month").rows[0].total == len(stored)
    assert [path for path in spool.rglob("*") if path.is_file()] == []
