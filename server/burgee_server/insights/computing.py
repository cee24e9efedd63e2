"""Computes the members of cohorts from events and profiles."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from burgee.evaluation import USER
from burgee_server.errors import Invalid, NotFound
from burgee_server.insights.asked import Asked, Terms
from burgee_server.insights.insights import all_of
from burgee_server.insights.lists import Lists
from burgee_server.insights.patterns import require_compiling
from burgee_server.insights.sql.cohorts import check_cohort, members
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.timerange import Span
from burgee_server.ports.clock import Clock
from burgee_server.ports.criteria import Computed
from burgee_server.ports.vocabulary import NamedCohort, Vocabularies, Vocabulary
from burgee_server.ports.warehouse import Warehouse


class WarehouseComputing:
    """The Computing port on a warehouse. `group_types` gives those that an environment has seen."""

    def __init__(
        self,
        warehouse: Warehouse,
        vocabularies: Vocabularies,
        lists: Lists,
        group_types: Callable[[int], Awaitable[Collection[str]]],
        clock: Clock,
        longest_seconds: float,
    ) -> None:
        self._warehouse = warehouse
        self._vocabularies = vocabularies
        self._lists = lists
        self._group_types = group_types
        self._clock = clock
        self._longest_seconds = longest_seconds

    async def check(self, environment_id: int, key: str, group_type: str, computed: Computed, path: str) -> None:
        """See the port."""
        vocabulary = await self._vocabularies.of(environment_id)
        candidate = NamedCohort(0, key, group_type, 0, computed)
        vocabulary = replace(vocabulary, cohorts={**vocabulary.cohorts, key: candidate})
        asked = await self._asked(environment_id, vocabulary)
        scope = Scope(asked)
        check_cohort(scope, candidate, path)
        await require_compiling(self._warehouse, scope.patterns, self._longest_seconds)
        for other in vocabulary.cohorts.values():
            if other.key != key and other.computed is not None:
                try:
                    members(Scope(asked), other.group_type, other.key, path)
                except Invalid as error:
                    raise Invalid.of(path, f"cohort {other.key!r} asks for this one: {error}") from error

    async def members(self, environment_id: int, key: str) -> Sequence[str]:
        """See the port."""
        vocabulary = await self._vocabularies.of(environment_id)
        cohort = vocabulary.cohorts.get(key)
        if cohort is None:
            raise NotFound(f"no cohort {key!r}")
        scope = Scope(await self._asked(environment_id, vocabulary))
        found = members(scope, cohort.group_type, key, key)
        keys = found.sql
        if found.complement:
            keys = f"SELECT key FROM ({scope.known(cohort.group_type)}) WHERE key NOT IN ({found.sql})"
        if cohort.group_type == USER:
            keys = scope.with_aliases(keys)
        statement = scope.statement(f"SELECT DISTINCT key FROM ({keys})")
        await all_of(self._lists.provide(environment_id, vocabulary.cohorts[each]) for each in statement.lists)
        statement = replace(statement, asker=scope.asked.terms.asker)
        answer = await self._warehouse.query(statement, self._longest_seconds)
        return [row[0] for row in answer.rows]

    async def _asked(self, environment_id: int, vocabulary: Vocabulary) -> Asked:
        now = self._clock.now()
        span = Span(now, now + timedelta(days=1), ZoneInfo("UTC"))  # each criterion has one of its own
        terms = Terms(environment_id, await self._group_types(environment_id), asker=f"cohorts of {environment_id}")
        return Asked(terms, span, now, vocabulary, self._warehouse.group_columns)
