"""Backups of a data directory: what is copied, what is linked, and what cannot be."""

import asyncio
import os
import sqlite3
import threading
from datetime import UTC, datetime

import pytest

from burgee_server.errors import AlreadyExists, Invalid, Unavailable, Unsupported
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.backups import DirectoryBackups, NoBackups
from burgee_server.storage.clickhouse.parts import copy_parts
from tests.fixtures.warehouse import Fact


class Still:
    """A warehouse in which nothing is written."""

    async def held_still(self, work):
        return await asyncio.to_thread(work)


@pytest.fixture
def data(tmp_path):
    """A directory like that of a server: two databases, and a warehouse of one table with two parts."""
    data = tmp_path / "data"
    for path, text in {
        "events/metadata/default.sql": "ATTACH DATABASE",
        "events/store/abc/abc-1/format_version.txt": "1",
        "events/store/abc/abc-1/mutation_4.txt": "a mutation",
        "events/store/abc/abc-1/202601_1_4_1/data.bin": "rows",
        "events/store/abc/abc-1/202601_5_5_0_7/data.bin": "more rows",
        "events/store/abc/abc-1/202601_5_5_0_7/p.proj/data.bin": "of a projection",
        "events/store/abc/abc-1/tmp_merge_202601_1_5_2/data.bin": "half of",
        "events/store/abc/abc-1/delete_tmp_202512_1_1_0/data.bin": "gone",
        "events/store/abc/abc-1/detached/broken/data.bin": "broken",
        "api-key": "a secret",
    }.items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_text(text)
    (data / "events/data").mkdir()
    (data / "events/data/events").symlink_to("../store/abc/abc-1")
    for name in ("control.db", "journal.db"):
        with sqlite3.connect(data / name) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE t (name)")
            connection.execute("INSERT INTO t VALUES (?)", (name,))
        connection.close()
    return data


def files(directory):
    """The files and links below a directory."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_symlink() or path.is_file()}


async def test_a_backup_has_every_store_and_no_secret(data):
    """What is half written, done with or broken is left out; parts are linked, and the rest is copied."""
    (data / "backups/first.unfinished/events").mkdir(parents=True)  # of a server that was killed
    backup = await DirectoryBackups(data, Still()).make("first")
    made = data / "backups/first"
    assert backup.path == str(made)
    assert files(made) == {
        "control.db",
        "journal.db",
        "events/data/events",
        "events/metadata/default.sql",
        "events/store/abc/abc-1/format_version.txt",
        "events/store/abc/abc-1/mutation_4.txt",
        "events/store/abc/abc-1/202601_1_4_1/data.bin",
        "events/store/abc/abc-1/202601_5_5_0_7/data.bin",
        "events/store/abc/abc-1/202601_5_5_0_7/p.proj/data.bin",
    }
    assert backup.bytes == sum((made / name).stat().st_size for name in files(made) if (made / name).is_file())
    part, text = "events/store/abc/abc-1/202601_1_4_1/data.bin", "events/store/abc/abc-1/format_version.txt"
    assert (made / part).samefile(data / part)
    assert not (made / text).samefile(data / text)
    assert (made / "events/data/events").resolve() == made / "events/store/abc/abc-1"
    assert [path.name for path in (data / "backups").iterdir()] == ["first"]
    with sqlite3.connect(made / "journal.db") as connection:
        assert connection.execute("SELECT name FROM t").fetchall() == [("journal.db",)]
    connection.close()


async def test_a_name_is_used_once_and_leads_nowhere_else(data):
    """Nothing is written for a name that is refused."""
    backups = DirectoryBackups(data, Still())
    await backups.make("first")
    with pytest.raises(AlreadyExists, match="first"):
        await backups.make("first")
    for name in ("", "..", "../x", "a/b", ".hidden", "x" * 101, "x.unfinished", "a\n"):
        with pytest.raises(Invalid, match="name: must be"):
            await backups.make(name)
    assert os.listdir(data / "backups") == ["first"]


async def test_what_cannot_be_written_is_said_and_leaves_no_backup(data):
    """A disk that is full, say: here, a file where the directory would be."""
    (data / "backups").write_text("in the way")
    with pytest.raises(Unavailable, match="the backup first cannot be written"):
        await DirectoryBackups(data, Still()).make("first")


async def test_stores_elsewhere_have_backups_of_their_own():
    """It is said which."""
    with pytest.raises(Unsupported, match="PostgreSQL, ClickHouse and Redis"):
        await NoBackups().make("first")


def test_a_part_that_goes_away_meanwhile_is_left_out(data, tmp_path, monkeypatch):
    """It had been replaced: ClickHouse removes a part minutes after the one that has its rows was there."""
    link = os.link

    def link_while_it_is_removed(source, target):
        if "202601_5_5_0_7" in source:
            for path in sorted((data / "events/store/abc/abc-1/202601_5_5_0_7").rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            (data / "events/store/abc/abc-1/202601_5_5_0_7").rmdir()
        link(source, target)

    monkeypatch.setattr(os, "link", link_while_it_is_removed)
    copy_parts(data / "events", tmp_path / "copy")
    assert os.listdir(tmp_path / "copy/store/abc/abc-1") != []
    assert not any("202601_5_5_0_7" in name for name in files(tmp_path / "copy"))
    assert "store/abc/abc-1/202601_1_4_1/data.bin" in files(tmp_path / "copy")


def test_where_nothing_can_be_linked_parts_are_copied(data, tmp_path, monkeypatch):
    """As on a file system without hard links, or with as many as it allows."""

    def refuse(source, target):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    copy_parts(data / "events", tmp_path / "copy")
    part = "store/abc/abc-1/202601_1_4_1/data.bin"
    assert (tmp_path / "copy" / part).read_text() == "rows"
    assert not (tmp_path / "copy" / part).samefile(data / "events" / part)


async def test_nothing_is_loaded_or_removed_while_a_warehouse_is_held_still(environment):
    """It waits, and is done afterwards; what was begun before is finished first."""
    warehouse, environment_id = environment.warehouse, environment.environment_id
    holding, release, order = threading.Event(), threading.Event(), []

    def hold():
        holding.set()
        assert release.wait(20)
        order.append("held")

    def noting(name, awaitable):
        task = asyncio.ensure_future(awaitable)
        task.add_done_callback(lambda _: order.append(name))
        return task

    held = asyncio.ensure_future(warehouse.held_still(hold))
    assert await asyncio.to_thread(holding.wait, 20)
    changes = [
        noting("loaded", environment.load(Fact("seen"))),
        noting("profile", warehouse.load_profiles([ProfileRow(environment_id, "company", "acme", {}, 1)])),
        noting("removed", warehouse.expire({environment_id: datetime(2020, 1, 1, tzinfo=UTC)})),
    ]
    await asyncio.wait(changes, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
    release.set()
    await asyncio.gather(held, *changes)
    assert order[0] == "held"
    assert sorted(order[1:]) == ["loaded", "profile", "removed"]
