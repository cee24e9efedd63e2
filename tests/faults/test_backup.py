"""A backup that is made while a server takes events in, and a server that is started on it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import burgee
from burgee.v1 import admin_pb2
from burgee.v1 import profiles_pb2 as pb
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.e2e.conftest import Command
from tests.faults.senders import SIZE, Senders
from tests.faults.storage import ROWS, ask
from tests.fixtures.serving import Serving, wait_for

REST_SECONDS = 0.02
LEFT = "SELECT count() FROM events WHERE event = 'left'"
PLAN = "SELECT properties.plan.:String FROM groups FINAL WHERE group_key = 'acme'"


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


def profiles(server: Serving, channel: grpc.Channel) -> tuple[ProfileServiceStub, tuple[tuple[str, str], ...]]:
    """Where profiles are asked for, and with which key."""
    return ProfileServiceStub(channel), (("authorization", f"Bearer {server.key}"),)


def leave(server: Serving, client: burgee.Client, person: str) -> str:
    """Have somebody do something, then ask for them to be erased; the erasure's id."""
    client.capture("left", person)
    client.group("company", "acme", {"plan": person})
    client.flush()
    with grpc.insecure_channel(server.target) as channel:
        stub, metadata = profiles(server, channel)
        asked = stub.DeletePerson(pb.DeletePersonRequest(distinct_id=person), metadata=metadata, timeout=60)
    return asked.erasure.erasure_id


def is_erased(server: Serving, erasure_id: str) -> bool:
    """Whether an erasure is done."""
    with grpc.insecure_channel(server.target) as channel:
        stub, metadata = profiles(server, channel)
        answer = stub.GetErasure(pb.GetErasureRequest(erasure_id=erasure_id), metadata=metadata, timeout=60)
    return answer.erasure.state == pb.ERASURE_STATE_DONE


def test_a_backup_under_load_has_what_was_acknowledged_before_it_and_each_event_once(
    server: Serving, tmp_path: Path
) -> None:
    """Five of them, while ranges are loaded, profiles change and persons are erased; the last is read.

    A server that is started on it loads what waits in it, copies the last profile, and finishes the last erasure.
    """
    Command(server).run("flags", "create", "reports", "--by", "company", "--where", "company.plan in person-4")
    senders = Senders(server.target, server.key, REST_SECONDS)
    senders.start()
    with burgee.Client(server.target, server.key) as client:
        for number in range(5):
            least = senders.batches + 30
            wait_for(lambda least=least: senders.batches >= least, 60)
            erasure = leave(server, client, f"person-{number}")
            before = dict(senders.acknowledged)
            backup = back_up(server, f"number-{number}")
    least = senders.batches + 30
    wait_for(lambda: senders.batches >= least, 60)
    senders.finish()
    assert server.stop()[0] == 0

    copied = tmp_path / "elsewhere"
    backup.rename(copied)
    (copied / "api-key").write_text(server.key)
    again = Serving(copied).ready()
    with burgee.Client(again.target, server.key) as client:
        assert client.resolve("reports", "ann", company="acme").variant == "on"
        assert client.resolve("reports", "ann", company="bolt").variant == "off"
        wait_for(lambda: is_erased(again, erasure), 60)
    assert again.stop()[0] == 0

    rows, [[left]], [[plan]] = ask(copied, ROWS, LEFT, PLAN)
    assert (left, plan) == (0, "person-4")
    stored: dict[str, set[int]] = {name: set() for name in before}
    for name, batch, indexes in rows:
        assert Counter(indexes) == Counter(range(SIZE)), f"{name} batch {batch}: {sorted(indexes)}"
        stored[name].add(batch)
    for name, batches in before.items():
        there = stored[name]
        assert there >= set(range(batches)), f"{name}: lost {sorted(set(range(batches)) - there)}"
        assert there <= set(range(senders.acknowledged[name])), f"{name}: more {sorted(there)[-3:]}"
    assert sum(map(len, stored.values())) < senders.batches  # made while there was more to come
