"""The programs in examples/ run as they are."""

import asyncio
import contextlib
import io
from pathlib import Path

import pytest

import burgee
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from tests.fixtures.server import Caller, RunningServer
from tests.unit.docs.pages import ROOT

PROMISED = {
    "async_service": ["ann of acme: the new report", "cy of initech: the new report", "all acknowledged: True"],
    "notebook": ["report_created         1  100.0%", "INVALID_ARGUMENT"],
    "service": ['"new-reports" gives acme "on"', "all acknowledged: True", "dropped=0"],
}
"""What each prints, among other things."""


def test_every_example_is_run() -> None:
    """And none that is gone."""
    assert sorted(path.stem for path in (ROOT / "examples").glob("*.py")) == sorted(PROMISED)


@pytest.mark.parametrize("name", sorted(PROMISED))
async def test_an_example_runs_and_prints_what_it_should(
    name: str, server: RunningServer, admin: Caller, loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a server where everybody has the flag, and a company has gone some of the way."""
    monkeypatch.setenv("BURGEE_API_KEY", admin.secret)
    rule = flags_pb2.Rule(distribution=flags_pb2.Distribution(bucket_by="company"))
    flag = flags_pb2.Flag(key="new-reports", enabled=True, rules=[rule])

    def prepare() -> None:
        with burgee.Client(server.target, admin.secret) as client:
            client.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag))
            client.group("company", "acme", {"plan": "pro", "seats": 40})
            client.capture("signed_up", "ann", company="acme")
            client.capture("report_created", "ann", {"pages": 3}, company="acme")
            assert client.flush(30)

    def run() -> str:
        path = Path("examples") / f"{name}.py"
        code = (ROOT / path).read_text().replace("localhost:4750", server.target)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(path), "exec"), {"__name__": "__main__"})
        return printed.getvalue()

    async with asyncio.timeout(120):
        await asyncio.to_thread(prepare)
        await loaded()
        printed = await asyncio.to_thread(run)

    assert [words for words in PROMISED[name] if words not in printed] == [], printed
