"""Keeps questions under keys."""

import json
from collections.abc import Awaitable, Callable, Sequence

from burgee_server.errors import Invalid
from burgee_server.names import group_type_fault, key_fault, name_fault, note_fault, require
from burgee_server.ports.access import Authorship
from burgee_server.ports.clock import Clock
from burgee_server.ports.saved import InsightContents, SavedInsight, SavedInsightStore
from burgee_server.ports.turns import Turns

MAX_TAGS = 20
MAX_INSIGHTS = 2_000
"""How many an environment may keep."""
MAX_QUESTION_BYTES = 32 << 10
"""How large a question that is kept may be, as JSON."""


class SavedInsights:
    """Saved insights of environments. Whoever keeps one says how its question is checked: as if it were asked."""

    def __init__(self, store: SavedInsightStore, turns: Turns, clock: Clock) -> None:
        self._store = store
        self._turns = turns
        self._clock = clock

    async def create(
        self,
        environment_id: int,
        key: str,
        contents: InsightContents,
        check: Callable[[], Awaitable[None]],
        actor: str,
        note: str,
    ) -> SavedInsight:
        """Keep a new insight. Raises Invalid, also for one too many, and AlreadyExists."""
        require("insight.key", key_fault(key))
        _require(contents)
        by = self._by(actor, note)
        async with self._turns[environment_id]:  # what it asks for must not be taken away meanwhile
            await check()
            if len(await self._store.all(environment_id)) >= MAX_INSIGHTS:
                raise Invalid.of("insight.key", f"there are {MAX_INSIGHTS:,} insights here: take one away first")
            return await self._store.create(environment_id, key, contents, by)

    async def update(
        self,
        environment_id: int,
        key: str,
        contents: InsightContents,
        check: Callable[[], Awaitable[None]],
        expected_version: int,
        actor: str,
        note: str,
    ) -> SavedInsight:
        """Change an insight; `expected_version` 0 means whatever is current. Raises Invalid, NotFound, Stale."""
        _require(contents)
        by = self._by(actor, note)
        async with self._turns[environment_id]:
            await check()
            return await self._store.update(environment_id, key, contents, expected_version, by)

    async def delete(self, environment_id: int, key: str, actor: str, note: str) -> None:
        """Take an insight away. Raises NotFound."""
        await self._store.delete(environment_id, key, self._by(actor, note))

    async def get(self, environment_id: int, key: str) -> SavedInsight:
        """One insight. Raises NotFound."""
        return await self._store.get(environment_id, key)

    async def page(self, environment_id: int, *, tag: str, after: str, limit: int) -> Sequence[SavedInsight]:
        """Insights by key, after the key `after`: those with a tag, or, if it is empty, all."""
        found = await (self.tagged(environment_id, tag) if tag else self._store.all(environment_id))
        return [each for each in found if each.key > after][:limit]

    async def tagged(self, environment_id: int, tag: str) -> Sequence[SavedInsight]:
        """All insights with a tag, by key."""
        return [each for each in await self._store.all(environment_id) if tag in each.contents.tags]

    def _by(self, actor: str, note: str) -> Authorship:
        require("change_note", note_fault(note))
        return Authorship(actor, self._clock.now(), note)


def _require(contents: InsightContents) -> None:
    if contents.name:
        require("insight.name", name_fault(contents.name))
    require("insight.description", note_fault(contents.description))
    if len(contents.tags) > MAX_TAGS:
        raise Invalid.of("insight.tags", f"at most {MAX_TAGS}")
    for index, tag in enumerate(contents.tags):
        twice = "is there twice" if tag in contents.tags[:index] else ""
        require(f"insight.tags[{index}]", key_fault(tag) or twice)
    if len(json.dumps(contents.question).encode()) > MAX_QUESTION_BYTES:
        raise Invalid.of("insight.question", f"must be at most {MAX_QUESTION_BYTES >> 10} KiB as JSON")
    if contents.shown_to:
        require("insight.shown_to", group_type_fault(contents.shown_to))
