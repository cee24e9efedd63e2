"""The work that one node at a time does."""

import pytest

from burgee_server.work import Work


class BrokenLease:
    """A lease that nobody can take."""

    async def take(self) -> None:
        raise RuntimeError("the lease is broken")

    async def lost(self) -> None:
        raise AssertionError("nobody has it")


async def test_a_node_that_cannot_take_the_lease_does_not_work_without_it() -> None:
    """Two nodes that load would each believe that they are alone: better an end, which is seen."""
    worked = []

    async def work() -> None:
        worked.append(1)

    with pytest.raises(RuntimeError, match="the lease is broken"):
        await Work(BrokenLease(), [], [work]).run()
    assert worked == []
