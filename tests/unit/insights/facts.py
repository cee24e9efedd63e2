"""Events for the tests to make up: few names and few moments, so that duplicates, ties and edges are common."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from tests.fixtures.warehouse import Fact

# Around the night in which Berlin's clocks leave out an hour, and the end of a month.
_MOMENTS = [
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC) + timedelta(minutes=30 * half_hours, microseconds=extra)
    for half_hours in range(-3, 4)
    for extra in (-1, 0)
] + [
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 31, 22, tzinfo=UTC),
    datetime(2026, 3, 31, 23, 59, 59, 999_999, UTC),
]

AMOUNTS = st.sampled_from([None, 1, 2, 2.5, -3, 0, 10**6, "7", True, [1], "x"])
PLANS = st.sampled_from([None, "pro", "free", "", "5", 5, 5.0, True, ["a"]])


@st.composite
def _fact(draw: st.DrawFn) -> Fact:
    company = draw(st.sampled_from(["", "acme", "globex", "it's `x`"]))
    properties = {"amount": draw(AMOUNTS), "pl.an": draw(PLANS)}
    return Fact(
        event=draw(st.sampled_from(["a", "b", "c"])),
        distinct_id=draw(st.sampled_from(["ann", "bob", "eve"])),
        timestamp=draw(st.sampled_from(_MOMENTS)),
        groups={"company": company} if company else {},
        properties={name: value for name, value in properties.items() if value is not None},
        uuid=str(draw(st.uuids())),
    )


@st.composite
def facts(draw: st.DrawFn, most: int = 25) -> list[Fact]:
    """Events, some of them twice."""
    made = draw(st.lists(_fact(), max_size=most, unique_by=lambda fact: UUID(fact.uuid)))
    again = draw(st.lists(st.sampled_from(made), max_size=4)) if made else []
    return made + again
