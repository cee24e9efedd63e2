"""The change feed of several nodes: by Redis at once, and by the control store whenever a word may have been missed."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from uuid import uuid4

from burgee_server.causes import cause
from burgee_server.errors import BurgeeError
from burgee_server.ports.changes import Change, ChangeLog, Kind, Listener, Position
from burgee_server.storage.redis.connection import AWAY, PREFIX, Client

log = logging.getLogger(__name__)

SILENCE_SECONDS = 1.0
"""After so long without a word it is asked whether there was one."""
AWAY_SECONDS = 2.0
"""How often the control store is asked while Redis is away, or while it does not answer itself."""
LOOK_SECONDS = 30.0
"""How often it is asked anyway: whoever made a change may have ended before it could tell."""
MOST_MEMBERS = 1_000
"""A change of more members of a cohort is told without them: all are read again."""

# ARGV: what to say. Each word has the next number, so that whoever hears one knows whether it missed another.
_SAY = """
local number = redis.call('INCR', KEYS[1])
redis.call('PUBLISH', KEYS[2], number .. ' ' .. ARGV[1])
return number
"""


class RedisFeed:
    """Made by open(), before anybody keeps a copy of anything."""

    def __init__(
        self, client: Client, changes: ChangeLog, position: Position, is_ours: Callable[[], bool], prefix: str
    ) -> None:
        self._client = client
        self._is_ours = is_ours
        self._changes = changes
        self._position = position
        self._number_key, self._channel = f"{prefix}changes", f"{prefix}changed"
        self._say = client.register_script(_SAY)
        self._node = uuid4().hex
        self._listeners: list[Listener] = []
        self.listening = asyncio.Event()
        """Set while words of others reach this node at once."""
        self._untold = False
        """Whether there was a change that could not be told."""
        self._heard = 0
        self._look_at = self._tell_all_at = 0.0
        """When the control store is asked next, on time.monotonic(), whatever is heard."""
        self._told_all = True

    @classmethod
    async def open(
        cls, client: Client, changes: ChangeLog, is_ours: Callable[[], bool], prefix: str = PREFIX
    ) -> "RedisFeed":
        """A feed of everything that changes from now on. While Redis is not `is_ours`, nothing is told it or heard."""
        return cls(client, changes, await changes.end(), is_ours, prefix)

    def listen(self, listener: Listener) -> None:
        """See the port."""
        self._listeners.append(listener)

    async def publish(self, change: Change) -> None:
        """See the port. What cannot be told now is counted as soon as it can be, and others look what it was."""
        self._tell(change)
        if not self._is_ours():
            if not self._untold:
                log.warning(
                    "changes are told to other nodes when Redis is claimed again; until then they look for them"
                )
            self._untold = True
            return
        try:
            await self._say(keys=[self._number_key, self._channel], args=[_write(self._node, change)])
        except AWAY as error:
            self._untold = True
            log.warning("a change is told to other nodes when Redis is back; until then they look: %s", cause(error))

    async def follow(self) -> None:
        """See the port."""
        while True:
            try:
                if self._is_ours():
                    await self._hear()
            except AWAY as error:
                self.listening.clear()
                log.warning("changes of other nodes are read from the control store: %s", cause(error))
            await self._look()
            if time.monotonic() > self._tell_all_at:
                await self._tell_unnumbered()
            await asyncio.sleep(AWAY_SECONDS)

    async def _hear(self) -> None:
        """Listen to Redis until it is away."""
        async with self._client.pubsub() as channel:
            await channel.subscribe(self._channel)
            await self._look_if_missed()
            await self._look()
            await self._tell_unnumbered()
            await self._count_untold()
            self.listening.set()
            while True:
                word = await channel.get_message(timeout=SILENCE_SECONDS)
                await self._count_untold()
                if word is None:
                    await self._look_if_missed()
                elif word["type"] == "message":
                    await self._take(word["data"])
                if time.monotonic() > self._look_at:
                    await self._look()
                if not self._told_all and time.monotonic() > self._tell_all_at:
                    await self._tell_unnumbered()

    async def _count_untold(self) -> None:
        """Count what could not be told as one missed word: nodes that hear nothing notice that within a second."""
        if not self._untold or not self._is_ours():
            return
        self._untold = False
        try:
            await self._client.incr(self._number_key)
        except AWAY:
            self._untold = True
            raise

    async def _take(self, data: bytes) -> None:
        number, _, text = data.partition(b" ")
        missed = int(number) > self._heard + 1
        self._heard = max(int(number), self._heard)
        try:
            node, change = _read(text)
        except ValueError:  # of a newer node, which knows kinds that this one does not
            log.warning("a change that another node told of cannot be read: everything is looked at anew")
            missed = True
        else:
            if node != self._node:
                self._tell(change)
        if missed:
            await self._look()
            await self._tell_unnumbered()

    async def _look_if_missed(self) -> None:
        """Ask Redis for the number of the latest word, and look what it was unless it was heard."""
        number = int(await self._client.get(self._number_key) or 0)
        if number != self._heard:  # less: it has lost its memory
            self._heard = number
            await self._look()
            await self._tell_unnumbered()

    async def _look(self) -> None:
        """Tell of everything in the control store that came after what was found there last."""
        try:
            while (stretch := await self._changes.since(self._position)).end != self._position:
                for change in stretch.changes:
                    self._tell(change)
                self._position = stretch.end
        except BurgeeError as error:
            log.warning("changes of other nodes cannot be read now: %s", cause(error))
            self._look_at = time.monotonic() + AWAY_SECONDS
            return
        self._look_at = time.monotonic() + LOOK_SECONDS

    async def _tell_unnumbered(self) -> None:
        """Tell of what may have changed while nobody was heard, and is not in the log."""
        try:
            for change in await self._changes.unnumbered():
                self._tell(change)
        except BurgeeError as error:
            log.warning("computed cohorts cannot be read now: %s", cause(error))
            self._told_all, self._tell_all_at = False, time.monotonic() + AWAY_SECONDS
            return
        self._told_all, self._tell_all_at = True, time.monotonic() + LOOK_SECONDS

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)


def _write(node: str, change: Change) -> str:
    subject = change.subject
    if change.kind is Kind.COHORT and len(subject) > MOST_MEMBERS:
        subject = subject[:2]
    return json.dumps([node, change.kind.value, change.environment_id, subject])


def _read(text: bytes) -> tuple[str, Change]:
    node, kind, environment_id, subject = json.loads(text)
    return node, Change(Kind(kind), environment_id, tuple(subject))
