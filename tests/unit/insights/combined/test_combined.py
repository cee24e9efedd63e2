"""Whatever a request may have, all at once: questions and worlds made up by a seed, against plain Python."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Terms
from burgee_server.insights.features import plan_features
from burgee_server.insights.funnel import (
    plan_funnel,
    plan_funnel_actors,
    plan_funnel_comparison,
    plan_funnel_correlation,
    plan_funnel_over_time,
    plan_funnel_times,
)
from burgee_server.insights.lifecycle import plan_lifecycle
from burgee_server.insights.paths import plan_paths
from burgee_server.insights.retention import plan_retention
from burgee_server.insights.stickiness import plan_stickiness
from burgee_server.insights.trend import plan_trend
from burgee_server.insights.words import AsOf
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.unit.insights.combined import funnels, returns, trends, uses, worlds
from tests.unit.insights.combined.behind import behind
from tests.unit.insights.combined.questions import range_
from tests.unit.insights.combined.world import Seen

KINDS: list[tuple[Any, Any, Any]] = [
    (plan_trend, trends.made_up, trends.check),
    (plan_trend, trends.made_up, trends.check),
    (plan_funnel, funnels.made_up, funnels.check),
    (plan_funnel_times, funnels.times, funnels.check_times),
    (plan_funnel_over_time, funnels.over_time, funnels.check_over_time),
    (plan_funnel_actors, funnels.actors, funnels.check_actors),
    (plan_funnel_comparison, funnels.comparison, funnels.check_comparison),
    (plan_funnel_correlation, funnels.correlation, funnels.check_correlation),
    (plan_retention, returns.retention, returns.check_retention),
    (plan_lifecycle, returns.lifecycle, returns.check_lifecycle),
    (plan_stickiness, returns.stickiness, returns.check_stickiness),
    (plan_features, uses.features, uses.check_features),
    (plan_paths, uses.paths, uses.check_paths),
]
"""How each is asked, made up, and held against plain Python; trends twice, because there is most of them."""


@pytest.mark.parametrize(
    ("seed", "count"),
    [pytest.param(seed, 4, id=f"seed {seed}") for seed in (3, 42)]
    + [pytest.param(seed, 12, marks=pytest.mark.soak, id=f"{seed}") for seed in range(1_000, 1_060)],
)
async def test_every_feature_with_every_other_is_what_plain_python_makes_of_it(
    warehouse: ClickHouseWarehouse, seed: int, count: int
) -> None:
    """Persons merged, people left out, cohorts of cohorts, properties of then, clocks that change, spans compared.

    And the people behind a number are as many as it says.
    """
    random = Random(seed)
    zone = random.choice(sorted(worlds.CHANGES))
    world = worlds.made_up(random, zone)
    environment, insights = await worlds.filled(warehouse, world)
    middle = datetime.fromisoformat(worlds.CHANGES[zone]).replace(tzinfo=UTC)
    for _ in range(count):
        plan, made_up, check = random.choice(KINDS)
        base = {"range": range_(random, world, zone, middle), "time_zone": random.choice([zone, zone, ""])}
        query = made_up(random, base)
        seen = Seen(world, random.choice(list(AsOf)), random.random() < 0.3)

        async def ask(plan: Any, query: Any, seen: Seen = seen) -> Any:
            mine, types = environment.environment_id, ("company", "team")
            return await insights.ask(plan, query, Terms(mine, types, None, seen.as_of, seen.include_internal))

        refused = set[str]()
        try:
            answered = await ask(plan, query)
        except Invalid as error:
            refused = {violation.field for violation in error.violations}
        assert refused <= {"range", "range.compare", "periods"}, query  # nothing before now is left, or too much
        if refused:
            continue
        for answer in (answered.answer, answered.previous):
            if answer is not None:
                check(query, answer, seen)
                for plan_behind, asked, (look, expected) in behind(random, query, answer):
                    assert look((await ask(plan_behind, asked)).answer) == expected, asked
