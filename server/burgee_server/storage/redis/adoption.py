"""Takes over what is in another journal, under the ids that it has there: done again, it changes nothing."""

from typing import Any

from burgee_server.storage.redis import scripts
from burgee_server.storage.redis.connection import PREFIX, Client, told


class Adoption:
    """Into the journal and the quarantine of a Redis, beside which no node runs yet."""

    def __init__(self, client: Client, prefix: str = PREFIX) -> None:
        self._keys = scripts.Keys.under(prefix)
        self._id = client.register_script(scripts.ADOPT_ID)
        self._part = client.register_script(scripts.ADOPT_PART)
        self._event = client.register_script(scripts.ADOPT_EVENT)

    async def batch_id(self, environment_id: int, batch_id: str, events: int, received_at: float) -> None:
        """A batch that was acknowledged; forgotten a day after it was received."""
        await self._run(self._id, f"{environment_id}/{batch_id}", events, repr(received_at))

    async def part(self, part_id: int, payload: bytes, events: int, examined: bool, received_at: float) -> None:
        """What was set aside."""
        await self._run(self._part, part_id, payload, events, int(examined), repr(received_at))

    async def event(self, quarantine_id: int, environment_id: int, payload: bytes, reason: str, micros: int) -> None:
        """An event in quarantine."""
        await self._run(self._event, quarantine_id, environment_id, payload, reason, micros)

    async def _run(self, script: Any, *arguments: Any) -> None:
        with told():
            await script(keys=self._keys.all, args=arguments)
