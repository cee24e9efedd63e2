"""Accounts that all nodes share."""

import logging

from burgee_server.ports.clock import Clock
from burgee_server.storage.memory.quota import LocalQuota
from burgee_server.storage.redis.connection import AWAY, PREFIX, Client

log = logging.getLogger(__name__)

# ARGV: now, seconds that the amount takes at the rate. An account that is not in debt need not be known.
_CHARGE = """
local paid_until = tonumber(redis.call('GET', KEYS[1]) or '0')
paid_until = math.max(paid_until, tonumber(ARGV[1])) + tonumber(ARGV[2])
redis.call('SET', KEYS[1], string.format('%.6f', paid_until))
redis.call('PEXPIRE', KEYS[1], math.ceil((paid_until - tonumber(ARGV[1])) * 1000) + 60000)
return 1
"""


class RedisQuota:
    """Knows of each key until when what it spent is paid for, as LocalQuota does. Clocks of nodes differ a little.

    While Redis is away, each node keeps accounts by itself: nobody is turned away for that, and nobody gets more than
    the rate on any one node.
    """

    def __init__(self, client: Client, clock: Clock, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._prefix = prefix
        self._charge = client.register_script(_CHARGE)
        self._here = LocalQuota(clock)

    async def wait(self, key: str, rate: float) -> float:
        """See the port."""
        try:
            paid_until = await self._client.get(f"{self._prefix}quota:{key}")
        except AWAY:
            return await self._here.wait(key, rate)
        return max(float(paid_until or 0) - self._clock.unix_seconds() - 1.0, 0.0)

    async def charge(self, key: str, rate: float, amount: float) -> None:
        """See the port."""
        now = repr(self._clock.unix_seconds())
        try:
            await self._charge(keys=[f"{self._prefix}quota:{key}"], args=[now, amount / rate])
        except AWAY:
            await self._here.charge(key, rate, amount)
