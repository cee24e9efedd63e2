"""Accounts that all nodes share."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from burgee_server.causes import cause
from burgee_server.ports.clock import Clock
from burgee_server.storage.memory.quota import LocalQuota
from burgee_server.storage.redis.connection import AWAY, PREFIX, RETRY_SECONDS, Client

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 1.0
"""How long a call waits for its account, which is not worth more."""

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
    the rate on any one node. Those who find it away wait for it once; after that one call in RETRY_SECONDS asks.
    """

    def __init__(self, client: Client, clock: Clock, is_ours: Callable[[], bool], prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._is_ours = is_ours
        self._prefix = prefix
        self._charge = client.register_script(_CHARGE)
        self._here = LocalQuota(clock)
        self._away = False
        self._ask_at = 0.0
        """While it is away: when somebody may ask again, on time.monotonic()."""

    async def wait(self, key: str, rate: float) -> float:
        """See the port."""
        if self._is_left_alone():
            return await self._here.wait(key, rate)
        try:
            paid_until = await self._answered(self._client.get(f"{self._prefix}quota:{key}"))
        except AWAY:
            return await self._here.wait(key, rate)
        return max(float(paid_until or 0) - self._clock.unix_seconds() - 1.0, 0.0)

    async def charge(self, key: str, rate: float, amount: float) -> None:
        """See the port."""
        if self._is_left_alone():
            await self._here.charge(key, rate, amount)
            return
        now = repr(self._clock.unix_seconds())
        try:
            await self._answered(self._charge(keys=[f"{self._prefix}quota:{key}"], args=[now, amount / rate]))
        except AWAY:
            await self._here.charge(key, rate, amount)

    def _is_left_alone(self) -> bool:
        """Whether Redis is away and it is not yet time to ask again; if it is, the one who is told so is to ask.

        One of which it is not known yet whose it is is left alone, too.
        """
        if not self._is_ours():
            return True
        if not self._away:
            return False
        now = time.monotonic()
        if now < self._ask_at:
            return True
        self._ask_at = now + RETRY_SECONDS
        return False

    async def _answered(self, asked: Awaitable[T]) -> T:
        """The answer. Raises what AWAY has, and remembers that it did."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await asked
        except AWAY as error:  # a TimeoutError is an OSError
            if not self._away:
                log.warning("limits of API keys are counted by this node alone until Redis is back: %s", cause(error))
            self._away, self._ask_at = True, time.monotonic() + RETRY_SECONDS
            raise
        self._away = False
        return answer
