"""Whether a funnel can be asked."""

from collections.abc import Iterator
from datetime import timedelta

from burgee.evaluation import USER
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.model import Attribution, FunnelQuery, Order
from burgee_server.insights.sql.attributes import require_group_type
from burgee_server.insights.sql.limits import require_name

MIN_STEPS, MAX_STEPS = 2, 20
MAX_EXCLUSIONS = 10


def check_funnel(query: FunnelQuery, asked: Asked) -> None:
    """Raises Invalid with the field of funnel.proto; events, filters and breakdowns are checked where
    their SQL is written."""
    steps = len(query.steps)
    if not MIN_STEPS <= steps <= MAX_STEPS:
        raise Invalid.of("steps", f"must have {MIN_STEPS} to {MAX_STEPS} steps")
    for index, step in enumerate(query.steps):
        require_name(step.label, f"steps[{index}].label")
    if query.window <= timedelta(0):
        raise Invalid.of("window", "must be longer than nothing")
    if query.count_by != USER:
        require_group_type(query.count_by, asked.terms.group_types, "count_by")
    _check_exclusions(query)
    _check_attribution(query)


def bounds(query: FunnelQuery) -> Iterator[tuple[int, int]]:
    """Between which steps, from 1, each exclusion is."""
    for exclusion in query.exclusions:
        yield exclusion.from_step or 1, exclusion.to_step or len(query.steps)


def _check_exclusions(query: FunnelQuery) -> None:
    if not query.exclusions:
        return
    if query.order is Order.STRICT:
        raise Invalid.of("exclusions", "a strict funnel lets nothing happen between its steps anyway")
    if len(query.exclusions) > MAX_EXCLUSIONS:
        raise Invalid.of("exclusions", f"at most {MAX_EXCLUSIONS} exclusions")
    for index, (first, last) in enumerate(bounds(query)):
        path = f"exclusions[{index}]"
        if query.order is Order.UNORDERED and first != 1:
            raise Invalid.of(f"{path}.from_step", "must be the first step: those of an unordered funnel have no order")
        if last > len(query.steps):
            raise Invalid.of(f"{path}.to_step", f"there are {len(query.steps)} steps")
        if not 1 <= first < last:
            raise Invalid.of(f"{path}.from_step", f"must be 1 or more, and less than to_step, {last}")


def _check_attribution(query: FunnelQuery) -> None:
    if query.attribution is Attribution.STEP:
        if query.order is Order.UNORDERED:
            raise Invalid.of("attribution", "the steps of an unordered funnel have no order to choose one by")
        if not 1 <= query.attribution_step <= len(query.steps):
            raise Invalid.of("attribution_step", f"must be 1 to {len(query.steps)}")
    elif query.attribution_step:
        raise Invalid.of("attribution_step", "goes with the attribution to a step only")
    if query.breakdown is None and query.attribution is not Attribution.FIRST_TOUCH:
        raise Invalid.of("attribution", "says where the value of a breakdown is from: there is no breakdown")
