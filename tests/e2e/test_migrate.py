"""From a data directory to the stores that several nodes share, with kill -9 on the way."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import burgee
from burgee.v1 import admin_pb2, capture_pb2, cohorts_pb2, flag_admin_pb2, profiles_pb2
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee.v1.capture_pb2_grpc import CaptureServiceStub
from burgee.v1.cohorts_pb2_grpc import CohortServiceStub
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from burgee_server.ports.quarantine import RefusedEvent
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.faults.test_kill import all_is_loaded
from tests.fixtures.clickhouse import ClickHouse
from tests.fixtures.nursery import Python
from tests.fixtures.redis import RedisServer
from tests.fixtures.serving import Serving, environment, wait_for
from tests.fixtures.warehouse import Fact, batch
from tests.rpc.flag_calls import by_company

KEY = "the-operator-key-of-this-directory"
PRODUCTION = 1
EVENTS = 3_000


@pytest.fixture
def shared(postgres_database: str) -> Iterator[dict[str, str]]:
    """Settings of shared stores that are empty."""
    redis, clickhouse = RedisServer(), ClickHouse()
    yield {"BURGEE_DATABASE": postgres_database, "BURGEE_REDIS": redis.url, "BURGEE_WAREHOUSE": clickhouse.dsn}
    clickhouse.close()
    redis.close()


def fill(target: str) -> None:
    """Something of everything."""
    with burgee.Client(target, KEY) as client:
        for number in range(EVENTS):
            company, when = f"c{number % 9}", 1_772_323_200 + 3_600.0 * (number % 100)
            client.capture("seen", f"user-{number % 70}", {"n": number}, company=company, timestamp=when)
        for number in range(9):
            client.group("company", f"c{number}", {"plan": "pro" if number % 2 else "free"})
        assert client.flush(60)
        admin, cohorts = client.stub(FlagAdminServiceStub), client.stub(CohortServiceStub)
        admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=by_company(10_000, "pro")))
        admin.UpdateFlag(flag_admin_pb2.UpdateFlagRequest(flag=by_company(60_000, "pro"), change_note="wider"))
        gold = cohorts_pb2.Cohort(key="gold", group_type="company", listed=cohorts_pb2.ListedCohort())
        cohorts.CreateCohort(cohorts_pb2.CreateCohortRequest(cohort=gold))
        cohorts.ChangeCohortMembers(cohorts_pb2.ChangeCohortMembersRequest(cohort_key="gold", add=["c1", "c3"]))
        wait_for(lambda: all_is_loaded(client), 60)


async def leave_something_waiting(data: Path) -> None:
    """An event that waits for the warehouse, one that was set aside, one in quarantine, and a batch id."""
    journal = SqliteJournal(data / "journal.db", 1 << 30)
    await journal.append(PRODUCTION, "", batch(PRODUCTION, Fact("aside")), 1)
    await journal.set_aside(await _next(journal))
    await journal.append(PRODUCTION, "", batch(PRODUCTION, Fact("bad")), 1)
    await journal.set_aside(await _next(journal))
    aside = await journal.quarantine.next_part(0)
    assert aside is not None
    part = await journal.quarantine.next_part(aside.part_id)
    assert part is not None
    await journal.quarantine.divide(part, [], [RefusedEvent(PRODUCTION, part.payload, "it is bad")])
    await journal.append(PRODUCTION, "sent-before", batch(PRODUCTION, Fact("seen", uuid=str(_uuid(1)))), 1)
    await journal.close()


async def _next(journal: SqliteJournal) -> Any:
    waiting = await journal.next_range(10)
    assert waiting is not None
    return waiting


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def state(target: str) -> dict[str, Any]:
    """What can be asked of a server, as far as it does not change by asking."""
    with burgee.Client(target, KEY) as client:
        wait_for(lambda: all_is_loaded(client), 60)
        admin, profiles = client.stub(FlagAdminServiceStub), client.stub(ProfileServiceStub)
        versions = admin.ListFlagVersions(flag_admin_pb2.ListFlagVersionsRequest(flag_key="beta")).versions
        groups = profiles.ListGroups(profiles_pb2.ListGroupsRequest(group_type="company", page_size=100)).groups
        members = client.stub(CohortServiceStub).ListCohortMembers(
            cohorts_pb2.ListCohortMembersRequest(cohort_key="gold")
        )
        log = client.stub(AdminServiceStub).ListAuditEntries(admin_pb2.ListAuditEntriesRequest(page_size=100))
        days = client.trend("seen", start="2026-03-01", end="2026-03-10", interval="day").rows[0].values
        return {
            "versions": [each.SerializeToString(deterministic=True) for each in versions],
            "groups": [each.SerializeToString(deterministic=True) for each in groups],
            "members": [each.key for each in members.members],
            "audit": [entry.SerializeToString() for entry in log.entries],
            "events": list(days),
        }


def migrate(data: Path, shared: dict[str, str]) -> "subprocess.Popen[str]":
    """`burgee migrate` as a process."""
    command = ("-m", "burgee_server", "migrate", "--data", str(data))
    return Python(*command, env=environment(**shared), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


async def test_everything_is_there_afterwards_however_often_it_was_cut_short(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    """Counted by the command on both sides, and asked of a node on the new stores as of the server before."""
    data = tmp_path / "data"
    server = Serving(data, BURGEE_BOOTSTRAP_KEY=KEY).ready()
    fill(server.target)
    before = state(server.target)
    server.stop()
    await leave_something_waiting(data)

    for said in ("control store", "events", "journal"):  # killed in the middle of each step
        process = migrate(data, shared)
        assert process.stdout is not None
        assert any(line.startswith(said) for line in process.stdout)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = migrate(data, shared)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0, told
    rows = {line[:24].strip(): line[24:].split() for line in told.splitlines() if line[24:25] == " "}
    assert rows["events"] == [f"{EVENTS:,}"] * 2
    assert rows["flag_versions"] == ["2", "2"]
    assert rows["profiles"] == ["9", "9"]
    assert rows["events that wait"] == rows["events set aside"] == rows["events in quarantine"] == ["1", "1"]

    node = Serving(tmp_path / "node", **shared).ready()
    try:
        after = state(node.target)
        waited = after["events"][0] - before["events"][0]
        assert waited == 1
        assert {**after, "events": [after["events"][0] - waited, *after["events"][1:]]} == before
        with burgee.Client(node.target, KEY) as client:
            capture = client.stub(CaptureServiceStub)
            held = capture.ListQuarantinedEvents(capture_pb2.ListQuarantinedEventsRequest()).events
            assert [each.reason for each in held] == ["it is bad"]
            again = capture_pb2.CaptureRequest(batch_id="sent-before", events=[{"event": "seen", "distinct_id": "ann"}])
            assert capture.Capture(again).duplicate == 1
            wait_for(lambda: sum(client.trend("aside", start="2026-03-01", end="2026-03-10").rows[0].values) == 1, 60)
            client.stub(FlagAdminServiceStub).CreateFlag(
                flag_admin_pb2.CreateFlagRequest(flag=by_company(1, key="another"))
            )
    finally:
        node.stop()

    process = migrate(data, shared)
    told, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "was used since" in told


def test_without_somewhere_to_go_nothing_is_done(tmp_path: Path) -> None:
    """It says what is missing, in one line."""
    (tmp_path / "data").mkdir()
    process = migrate(tmp_path / "data", {})
    told, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "set all three" in told
