"""How long the preview of a flag takes over 100,000 companies, and what others notice: `python -m benchmarks.preview`.

Every company has a stored profile and was seen in an event; half of them are in a cohort. Meanwhile somebody else
checks a flag, again and again.
"""

import asyncio
import statistics
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

import burgee
from benchmarks.server import KEY, serving
from burgee.v1 import cohorts_pb2, flags_pb2, trend_pb2
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1.cohorts_pb2_grpc import CohortServiceStub
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.insights_pb2_grpc import InsightServiceStub
from burgee_server.ports.access import Authorship
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import profiles

COMPANIES = 100_000
ROUNDS = 5
PLANS = ("free", "team", "business", "enterprise")


def put_companies(data: Path) -> None:
    """Write the profiles of the companies, as the server keeps them."""

    async def put() -> None:
        database = Database(f"sqlite+aiosqlite:///{data / 'control.db'}")
        await database.migrate()
        await SqlAccess(database).create_project("default", "Default", Authorship("bench", datetime.now(UTC)))
        rows = [
            {
                "environment_id": 1,
                "group_type": "company",
                "key": f"company-{number}",
                "properties": {"plan": PLANS[number % 4], "seats": number % 500, "name": f"Company {number}"},
                "revision": number + 1,
            }
            for number in range(COMPANIES)
        ]
        async with database.writing() as connection:
            await connection.execute(insert(profiles), rows)
        await database.close()

    asyncio.run(put())


def list_companies(client: burgee.Client) -> None:
    """Put half of them into a cohort."""
    stub = client.stub(CohortServiceStub)
    cohort = cohorts_pb2.Cohort(key="half", group_type="company", listed=cohorts_pb2.ListedCohort())
    stub.CreateCohort(cohorts_pb2.CreateCohortRequest(cohort=cohort))
    for first in range(0, COMPANIES // 2, 10_000):
        keys = [f"company-{2 * number}" for number in range(first, first + 10_000)]
        stub.ChangeCohortMembers(cohorts_pb2.ChangeCohortMembersRequest(cohort_key="half", add=keys))


def see_companies(client: burgee.Client) -> None:
    """Capture an event of each, and wait until it can be queried."""
    for number in range(COMPANIES):
        client.capture("opened", f"user-{number}", company=f"company-{number}")
    assert client.flush(60)
    query = trend_pb2.QueryTrendRequest(series=[trend_pb2.TrendSeries(event="opened")])
    while client.stub(InsightServiceStub).QueryTrend(query).rows[0].total < COMPANIES:
        time.sleep(0.2)


def flag(rollout: int, *, plans: tuple[str, ...] = (), cohort: str = "") -> flags_pb2.Flag:
    """On for a share of the companies, of these plans, in this cohort."""
    rule = flags_pb2.Rule(distribution=flags_pb2.Distribution(bucket_by="company", rollout=rollout))
    if plans:
        condition = rule.conditions.add(attribute="company.plan", operator="OPERATOR_IN")
        for plan in plans:
            condition.values.add(string_value=plan)
    if cohort:
        rule.conditions.add(attribute="company.key", operator="OPERATOR_IN_COHORT").values.add(string_value=cohort)
    return flags_pb2.Flag(key="beta", enabled=True, rules=[rule])


class Checking(threading.Thread):
    """Checks a flag until it is stopped; `waits` are the seconds that each check took."""

    def __init__(self, client: burgee.Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._stopped = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        """Check."""
        while not self._stopped.wait(0.002):
            started = time.perf_counter()
            self._client.is_enabled("beta", company="company-1")
            self.waits.append(time.perf_counter() - started)

    def stop(self) -> None:
        """End the checks."""
        self._stopped.set()
        self.join()


def main() -> None:
    """Print the table."""
    with (
        serving(put_companies) as server,
        burgee.Client(server.target, KEY, flag_timeout=10, local_evaluation=False) as client,
    ):
        see_companies(client)
        list_companies(client)
        stub = client.stub(FlagAdminServiceStub)
        stub.CreateFlag(pb.CreateFlagRequest(flag=flag(10_000)))
        cases: dict[str, pb.PreviewFlagRequest] = {
            "10 % to 30 %": pb.PreviewFlagRequest(flag=flag(30_000)),
            "10 % to 100 %": pb.PreviewFlagRequest(flag=flag(100_000)),
            "10 % to 30 % of two plans": pb.PreviewFlagRequest(flag=flag(30_000, plans=PLANS[2:])),
            "  and by plan": pb.PreviewFlagRequest(flag=flag(30_000, plans=PLANS[2:]), breakdown_property="plan"),
            "10 % to all of a cohort": pb.PreviewFlagRequest(flag=flag(100_000, cohort="half")),
        }
        print(f"{COMPANIES:,} companies; medians of {ROUNDS}; checks by somebody else meanwhile, in ms\n")
        print(f"{'':28}{'seconds':>9}{'most':>7}{'change':>9}{'check p50':>11}{'p99':>7}{'most':>7}")
        for name, request in cases.items():
            checking = Checking(client)
            checking.start()
            seconds = []
            for _ in range(ROUNDS):
                started = time.perf_counter()
                *_, last = stub.PreviewFlag(request)
                seconds.append(time.perf_counter() - started)
                assert last.totals.groups == COMPANIES
            checking.stop()
            waits = sorted(1_000 * wait for wait in checking.waits)
            print(
                f"{name:28}{statistics.median(seconds):>9.2f}{max(seconds):>7.2f}{last.totals.changed:>9,}"
                f"{statistics.median(waits):>11.1f}{waits[int(len(waits) * 0.99)]:>7.1f}{waits[-1]:>7.1f}"
            )


if __name__ == "__main__":
    main()
