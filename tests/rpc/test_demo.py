"""What the demo says of a flag that is rolled out."""

import asyncio
from datetime import UTC, datetime

import burgee
from burgee_server.demo.rollout import roll_out
from burgee_server.demo.world import World


async def test_the_demo_counts_who_sees_the_flag_once_the_change_has_come(server, admin):
    """A tenth and then a third of 200 companies, give or take what is left to chance, and who had it keeps it.

    A change reaches the client some milliseconds after it was made: counted before, it would be a tenth twice.
    """

    def play():
        with burgee.Client(server.target, admin.secret, flag_timeout=20) as client:
            return roll_out(client, World(1, datetime(2026, 3, 1, tzinfo=UTC)))

    tenth, third = await asyncio.to_thread(play)

    assert 10 <= len(tenth) <= 30
    assert 45 <= len(third) <= 90
    assert tenth < third
