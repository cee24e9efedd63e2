"""Looks at a Redis without changing it."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

from redis import exceptions

from burgee_server.causes import of_system
from burgee_server.errors import BurgeeError
from burgee_server.findings import Finding, ok, warning, wrong
from burgee_server.storage.backlog import judge
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.redis.connection import ANSWER_SECONDS, connect, durability, told
from burgee_server.storage.redis.journal import RedisJournal

_SKEW_SECONDS = 2.0
_TOO_FULL = 0.8


def check_redis(url: str, max_bytes: int) -> Iterator[Finding]:
    """Whether a Redis answers, keeps what it is given, has room, and what waits in its journal. Blocks."""
    yield from asyncio.run(_look(url, max_bytes))


async def _look(url: str, max_bytes: int) -> list[Finding]:
    client = connect(url)
    try:
        with told():
            about = await client.info()
            seconds, micros = await client.time()
        found = [
            ok("redis", f"Redis {about['redis_version']} answers"),
            *_memory(about),
            *_kept(await durability(client)),
        ]
        if abs(skew := seconds + micros / 1e6 - time.time()) > _SKEW_SECONDS:
            found.append(warning("clock", f"Redis's is {skew:+,.1f} s from ours", "keep both with NTP"))
        journal = RedisJournal(client, max_bytes, LocalTurns())
        found += judge(await journal.backlog(), await journal.quarantine.held(), time.time())
    except BurgeeError as error:
        return [_away(error)]
    finally:
        await client.aclose()
    return found


def _away(error: BurgeeError) -> Finding:
    """What Redis or the system says; Redis quotes commands, and nothing that it keeps."""
    why = error.__cause__
    if isinstance(why, exceptions.AuthenticationError):
        return wrong("redis", f"refuses us: {why}", "see the user and the password in BURGEE_REDIS")
    if isinstance(why, exceptions.ResponseError):
        return wrong(
            "redis", f"answers with a fault: {why}", "see the number in BURGEE_REDIS, and what its user may do"
        )
    if isinstance(why, exceptions.TimeoutError):
        found = f"has not answered in {ANSWER_SECONDS:.0f} s"
    else:
        found = f"cannot be reached: {of_system(error) or error}"
    return wrong("redis", found, "see that it runs, and that BURGEE_REDIS has its host and port")


def _memory(about: Mapping[str, Any]) -> Iterator[Finding]:
    most, used = int(about.get("maxmemory", 0)), int(about["used_memory"])
    if most and used > most * _TOO_FULL:
        yield warning(
            "redis", f"{used / most:.0%} of its memory in use", "raise maxmemory: Capture is refused when it is full"
        )


def _kept(settings: Mapping[str, str] | None) -> Iterator[Finding]:
    """Whether acknowledged events survive what may happen to it."""
    if settings is None:
        yield warning("redis", "does not say how durable it is", "see that it has appendonly yes, appendfsync always")
        return
    if settings.get("maxmemory-policy", "").startswith("allkeys"):
        yield wrong("redis", "throws acknowledged events away when it is full", "set maxmemory-policy noeviction")
    if (settings.get("appendonly"), settings.get("appendfsync")) != ("yes", "always"):
        found = "loses the latest acknowledged events if its machine fails"
        yield warning("redis", found, "set appendonly yes, appendfsync always")
