"""The demo's world: the same for the same seed, and believable."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest

from burgee_server.demo.companies import Fate
from burgee_server.demo.world import Happening, World

END = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    """A world."""
    return World(1, END)


@pytest.fixture(scope="module")
def events(world: World) -> list[Happening]:
    """Its events."""
    return list(world.events())


@pytest.mark.parametrize(
    "count", [pytest.param(20_000, id="ten days"), pytest.param(None, id="all", marks=pytest.mark.soak)]
)
def test_the_same_seed_gives_the_same_world_to_the_byte(
    world: World, events: list[Happening], count: int | None
) -> None:
    """Companies, people, events, properties, times and uuids; another seed gives other companies and other events."""
    again, other = World(1, END), World(2, END)
    assert again.companies == world.companies
    assert list(islice(again.events(), count)) == events[:count]
    assert other.companies != world.companies
    assert next(iter(other.events())) != events[0]


def test_it_has_the_size_of_a_small_product(world: World, events: list[Happening]) -> None:
    """200 companies, a few thousand people, 120,000 to 200,000 events."""
    assert len({company.key for company in world.companies}) == 200
    assert 2_000 < len({person.distinct_id for person in world.people}) < 5_000
    assert 120_000 < len(events) < 200_000
    assert len({event.uuid for event in events}) == len(events)


def test_everything_happens_in_its_time(world: World, events: list[Happening]) -> None:
    """Inside the 90 days, by people who have joined, at companies that exist."""
    joined = {person.distinct_id: person for person in world.people}
    for event in events:
        assert world.start <= event.timestamp < world.end
        assert joined[event.distinct_id].company_key == event.company_key
        assert joined[event.distinct_id].joined_at <= event.timestamp


def test_work_is_done_on_workdays_and_in_working_hours(world: World, events: list[Happening]) -> None:
    """A weekend day has less than a tenth of a workday; nobody looks at a dashboard at night where they live."""
    days = Counter(event.timestamp.weekday() for event in events)
    assert max(days[5], days[6]) * 10 < min(days[day] for day in range(5))
    offsets = {company.key: company.utc_offset for company in world.companies}
    hours = Counter(
        (event.timestamp.hour + offsets[event.company_key]) % 24
        for event in events
        if event.event == "dashboard_viewed"
    )
    assert set(hours) == set(range(7, 20))
    assert hours[12] > 5 * hours[19]


def test_companies_go_where_their_fate_takes_them(world: World, events: list[Happening]) -> None:
    """Those that leave are quiet at the end, those that grow are busier than before."""
    turned = {company.key: company for company in world.companies}
    before: Counter[Fate] = Counter()
    after: Counter[Fate] = Counter()
    for event in events:
        company = turned[event.company_key]
        if company.fate is not Fate.TRIAL:
            side = before if (world.end - event.timestamp).days >= 45 else after
            side[company.fate] += 1
    assert after[Fate.GROWING] > 1.2 * before[Fate.GROWING]
    assert after[Fate.CHURNING] < 0.6 * before[Fate.CHURNING]
    assert 0.9 < after[Fate.STEADY] / before[Fate.STEADY] < 1.1


def test_trials_get_lost_on_the_way_and_some_pay(world: World, events: list[Happening]) -> None:
    """Each step of the onboarding has fewer companies than the one before; who upgrades has shared a report."""
    trials = {company.key for company in world.companies if company.fate is Fate.TRIAL}
    reached = [
        {event.company_key for event in events if event.event == step} & trials
        for step in ("signed_up", "invited_teammate", "report_created", "report_shared", "upgraded")
    ]
    assert reached[0] == trials
    assert all(later < earlier for earlier, later in pairwise(reached))


def test_numeric_properties_are_plausible(events: list[Happening]) -> None:
    """Reports have pages, exports have megabytes, upgrades have a price."""
    pages = [event.properties["pages"] for event in events if event.event == "report_created"]
    assert min(pages) == 1
    assert 3 < sum(pages) / len(pages) < 6
    assert all(event.properties["amount"] > 0 for event in events if event.event == "upgraded")
    assert all(event.properties["megabytes"] >= 0 for event in events if event.event == "export_started")
