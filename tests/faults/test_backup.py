"""A backup that is made while a server takes events in, and a server that is started on it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import burgee
from burgee.v1 import admin_pb2
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from tests.e2e.conftest import Command
from tests.faults.senders import SIZE, Senders
from tests.faults.storage import ROWS, ask
from tests.fixtures.serving import Serving, wait_for


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server."""
    server = Serving(tmp_path / "data").ready()
    yield server
    server.close()


def back_up(server: Serving, name: str) -> Path:
    """Have a server make a backup."""
    with grpc.insecure_channel(server.target) as channel:
        made = AdminServiceStub(channel).CreateBackup(
            admin_pb2.CreateBackupRequest(name=name), metadata=(("authorization", f"Bearer {server.key}"),), timeout=60
        )
    assert made.bytes > 0
    return Path(made.path)


def test_a_backup_under_load_has_what_was_acknowledged_before_it_and_each_event_once(
    server: Serving, tmp_path: Path
) -> None:
    """Five of them, at moments when ranges are loaded; the last is read, after a server has loaded what waits in it."""
    Command(server).run("flags", "create", "reports", "--by", "company", "--where", "company.plan in pro")
    with burgee.Client(server.target, server.key) as client:
        client.group("company", "acme", {"plan": "pro"})
    senders = Senders(server.target, server.key)
    senders.start()
    for number in range(5):
        least = senders.batches + 30
        wait_for(lambda least=least: senders.batches >= least, 60)
        before = dict(senders.acknowledged)
        backup = back_up(server, f"number-{number}")
    least = senders.batches + 30
    wait_for(lambda: senders.batches >= least, 60)
    senders.finish()
    assert server.stop()[0] == 0

    copied = tmp_path / "elsewhere"
    backup.rename(copied)
    again = Serving(copied, BURGEE_API_KEY=server.key).ready()
    with burgee.Client(again.target, server.key) as client:
        assert client.resolve("reports", "ann", company="acme").variant == "on"
        assert client.resolve("reports", "ann", company="bolt").variant == "off"
    assert again.stop()[0] == 0

    [rows] = ask(copied, ROWS)
    stored: dict[str, set[int]] = {name: set() for name in before}
    for name, batch, indexes in rows:
        assert Counter(indexes) == Counter(range(SIZE)), f"{name} batch {batch}: {sorted(indexes)}"
        stored[name].add(batch)
    for name, batches in before.items():
        there = stored[name]
        assert there >= set(range(batches)), f"{name}: lost {sorted(set(range(batches)) - there)}"
        assert there <= set(range(senders.acknowledged[name])), f"{name}: more {sorted(there)[-3:]}"
    assert sum(map(len, stored.values())) < senders.batches  # made while there was more to come
