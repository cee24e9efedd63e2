"""Creates and changes actions."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeAlias

from burgee_server.errors import Invalid, require_unused
from burgee_server.names import key_fault, note_fault, require
from burgee_server.ports.access import Authorship
from burgee_server.ports.actions import Action, ActionStore, Matcher
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.criteria import actions_in
from burgee_server.ports.saved import SavedInsightStore
from burgee_server.ports.turns import Turns

MAX_MATCHERS = 50

CheckMatchers: TypeAlias = Callable[[Sequence[Matcher], Collection[str], str], Awaitable[None]]
"""Raises Invalid, with a path that begins with the text, for what no question of an environment that has seen these
group types could ask."""


class Actions:
    """Actions of environments. `check` is that of those who answer questions."""

    def __init__(
        self,
        store: ActionStore,
        cohorts: CohortStore,
        insights: SavedInsightStore,
        check: CheckMatchers,
        turns: Turns,
        clock: Clock,
    ) -> None:
        self._store = store
        self._cohorts = cohorts
        self._insights = insights
        self._check = check
        self._turns = turns
        self._clock = clock

    async def create(
        self,
        environment_id: int,
        key: str,
        description: str,
        matchers: Sequence[Matcher],
        group_types: Collection[str],
        actor: str,
        note: str,
    ) -> Action:
        """Keep a new action. `group_types` are those that the environment has seen. Raises Invalid, AlreadyExists."""
        require("action.key", key_fault(key))
        await self._require(description, matchers, group_types)
        return await self._store.create(environment_id, key, description, matchers, self._by(actor, note))

    async def update(
        self,
        environment_id: int,
        key: str,
        description: str,
        matchers: Sequence[Matcher],
        expected_version: int,
        group_types: Collection[str],
        actor: str,
        note: str,
    ) -> Action:
        """Change an action; `expected_version` 0 means whatever is current. Raises Invalid, NotFound, Stale."""
        await self._require(description, matchers, group_types)
        by = self._by(actor, note)
        return await self._store.update(environment_id, key, description, matchers, expected_version, by)

    async def delete(self, environment_id: int, key: str, actor: str, note: str) -> None:
        """Take an action away. Raises NotFound, and InUse while cohorts are computed by it or insights ask for it."""
        async with self._turns[environment_id]:
            await self._store.get(environment_id, key)
            what = f"action {key!r}"
            computed = [each for environment, each in await self._cohorts.computed() if environment == environment_id]
            asking = [each.key for each in computed if each.computed and key in actions_in(each.computed.criterion)]
            require_unused(what, "cohorts ask", asking)
            insights = await self._insights.all(environment_id)
            require_unused(what, "insights ask", [each.key for each in insights if key in each.contents.actions])
            await self._store.delete(environment_id, key, self._by(actor, note))

    async def get(self, environment_id: int, key: str) -> Action:
        """One action. Raises NotFound."""
        return await self._store.get(environment_id, key)

    async def page(self, environment_id: int, *, after: str, limit: int) -> Sequence[Action]:
        """Actions by key."""
        return await self._store.page(environment_id, after=after, limit=limit)

    async def _require(self, description: str, matchers: Sequence[Matcher], group_types: Collection[str]) -> None:
        require("action.description", note_fault(description))
        if not 1 <= len(matchers) <= MAX_MATCHERS:
            raise Invalid.of("action.matchers", f"must have 1 to {MAX_MATCHERS} matchers")
        await self._check(matchers, group_types, "action.matchers")

    def _by(self, actor: str, note: str) -> Authorship:
        require("change_note", note_fault(note))
        return Authorship(actor, self._clock.now(), note)
