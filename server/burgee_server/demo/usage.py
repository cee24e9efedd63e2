"""What the demo asks about usage, and how it shows the answers."""

from collections.abc import Mapping

from rich.table import Table

import burgee
from burgee.v1.profiles_pb2 import GetGroupRequest
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from burgee.wire import properties_from_struct
from burgee_server.demo.world import World

FUNNEL = ("signed_up", "invited_teammate", "report_created", "report_shared")
_TOP = 10
_EVERY_COMPANY = burgee.Breakdown("company.key", 1_000)
_LATELY_WEEKS = 4


def busiest_companies(client: burgee.Client, world: World) -> Table:
    """The ten companies with the most events, with how the last four weeks compare to the four before."""
    answer = client.trend(
        [burgee.Series(measure="total"), burgee.Series(measure="unique_users")],
        interval="week",
        breakdown=_EVERY_COMPANY,
        start=world.start,
        end=world.end,
    )
    people = {str(row.part): row.total for row in answer.rows if row.series == 1}
    table = Table("company", "plan", title=f"Usage by company: the busiest {_TOP}", title_justify="left")
    for heading in ("events", "people", "4 weeks"):
        table.add_column(heading, justify="right")
    for row in [row for row in answer.rows if row.series == 0][:_TOP]:
        company = _properties(client, str(row.part))
        table.add_row(
            str(company["name"]),
            str(company["plan"]),
            f"{row.total:,.0f}",
            f"{people[str(row.part)]:,.0f}",
            _arrow(row.values),
        )
    return table


def onboarding_funnel(client: burgee.Client, world: World) -> Table:
    """How far the companies that signed up got, and where the others were lost; by the plan they have now."""
    whole, by_plan = (
        client.funnel(FUNNEL, count_by="company", start=world.start, end=world.end, breakdown=breakdown)
        for breakdown in (None, "company.plan")
    )
    table = Table("plan", title="Onboarding: companies that got there within 14 days", title_justify="left")
    for step in FUNNEL:
        table.add_column(step, justify="right")
    for row in (*whole.rows, *by_plan.rows):
        cells = [f"{step.count}  {step.conversion_from_first:4.0%}" for step in row.steps]
        table.add_row("all" if row.part is None else str(row.part), *cells, end_section=row.part is None)
    return table


def _arrow(weeks: tuple[float, ...]) -> str:
    """The last whole weeks against those before them; the world ends within a week."""
    lately, before = sum(weeks[-_LATELY_WEEKS - 1 : -1]), sum(weeks[-2 * _LATELY_WEEKS - 1 : -_LATELY_WEEKS - 1])
    change = lately / before - 1 if before else 1.0
    color, arrow = ("green", "↑") if change > 0.05 else ("red", "↓") if change < -0.05 else ("default", "→")
    return f"[{color}]{arrow} {change:+.0%}[/]"


def _properties(client: burgee.Client, company_key: str) -> Mapping[str, object]:
    group = client.stub(ProfileServiceStub).GetGroup(GetGroupRequest(group_type="company", group_key=company_key)).group
    return properties_from_struct(group.properties, "properties")
