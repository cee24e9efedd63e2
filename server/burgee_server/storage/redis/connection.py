"""Connects to a Redis, and says what its durability depends on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from burgee_server.errors import Overloaded, Unavailable, Unsupported

log = logging.getLogger(__name__)

Client: TypeAlias = Any
"""A redis.asyncio.Redis. Its types allow for text wherever we are given bytes."""

ANSWER_SECONDS = 5.0
"""A Redis that says nothing for so long is away."""
CONNECT_SECONDS = 2.0
BLOCK_SECONDS = 2.0
"""How long a call that waits for news stays with the server before it asks again."""
RETRY_SECONDS = 2.0

PREFIX = "{burgee}:"
"""Of every key. The braces keep all of them on one node of a Redis Cluster, where one script can reach them."""

_UNREACHED = (exceptions.ConnectionError, exceptions.TimeoutError, OSError, RuntimeError)
"""RuntimeError is uvloop's, for a connection that the other side closed between two steps of ours."""

AWAY = (exceptions.RedisError, *_UNREACHED)
"""What a call raises that Redis does not answer, or not as it should."""


def connect(url: str) -> Client:
    """A client that never sends a command twice by itself: an append that was not answered may have been made."""
    return Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        max_connections=1_000,
        client_name="burgee",
    )


@contextmanager
def told() -> Iterator[None]:
    """Trouble with Redis is not the caller's fault and may pass. Raises Unavailable, and Overloaded when it is full."""
    try:
        yield
    except exceptions.OutOfMemoryError as error:
        raise Overloaded("Redis has no memory left for events; try again later", RETRY_SECONDS) from error
    except _UNREACHED as error:
        raise Unavailable("Redis cannot be reached now", RETRY_SECONDS) from error
    except exceptions.RedisError as error:
        raise Unavailable(f"Redis cannot do that now ({type(error).__name__})", RETRY_SECONDS) from error


async def durability(client: Client) -> dict[str, str] | None:
    """Redis's settings that durability depends on. None where one may not ask, because somebody else runs it."""
    found: dict[str, str] = {}
    with told():
        try:
            for pattern in ("append*", "maxmemory-policy"):
                answer = await client.config_get(pattern)
                found |= {_text(key): _text(value) for key, value in answer.items()}
        except exceptions.ResponseError:
            return None
    return found


async def check_durability(client: Client) -> None:
    """Warn of what could lose acknowledged events.

    Raises Unsupported for a Redis that throws them away when it is full, and for one that does not let us in: neither
    passes by itself, as it does that one is away.
    """
    try:
        found = await durability(client)
    except Unavailable as error:
        if isinstance(error.__cause__, exceptions.AuthenticationError):
            raise Unsupported("Redis does not take the user or the password of BURGEE_REDIS") from error
        raise
    if found is None:
        log.warning("Redis does not say how durable it is. It must have appendonly yes and appendfsync always")
        return
    if found.get("maxmemory-policy", "").startswith("allkeys"):
        raise Unsupported(
            "this Redis throws any key away when it is full (maxmemory-policy allkeys-…), acknowledged events too:"
            " set it to noeviction"
        )
    if found.get("appendonly") != "yes" or found.get("appendfsync") != "always":
        log.warning(
            "Redis loses the latest acknowledged events if its machine fails: set appendonly yes, appendfsync always"
        )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
