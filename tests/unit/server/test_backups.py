"""Backups of a data directory: what is copied, what is linked, and what cannot be."""

import asyncio
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest

from burgee_server.errors import AlreadyExists, Invalid, Unavailable, Unsupported
from burgee_server.ports.backups import Backup
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.backups import DirectoryBackups, NoBackups
from burgee_server.storage.clickhouse.parts import link_parts
from tests.fixtures.warehouse import Fact, batch


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


@pytest.mark.parametrize("at", ["the warehouse", "a database"])
async def test_what_cannot_be_written_is_said_and_leaves_nothing(data, monkeypatch, at):
    """A disk that is full, or a file system without links: what is left would keep old parts on the disk for ever."""
    if at == "the warehouse":
        monkeypatch.setattr("burgee_server.storage.clickhouse.parts.os.link", refuse)
    else:
        monkeypatch.setattr("burgee_server.storage.backups._copy_database", refuse)
    with pytest.raises(Unavailable, match=r"the backup first cannot be written: .*no room"):
        await DirectoryBackups(data, Still()).make("first")
    assert os.listdir(data / "backups") == []


def refuse(source, target):
    """As a full disk does."""
    raise OSError("no room")


async def test_two_that_are_asked_for_at_once_are_made_one_after_the_other(data):
    """Of two of one name, the second is refused, and the first is whole."""
    backups = DirectoryBackups(data, Still())
    made = await asyncio.gather(*(backups.make(name) for name in ("x", "x", "y")), return_exceptions=True)
    assert [type(each) for each in made] == [Backup, AlreadyExists, Backup]
    assert files(data / "backups/x") == files(data / "backups/y") >= {"control.db", "journal.db"}


async def test_one_that_was_begun_is_finished_though_nobody_waits_for_it(data):
    """And what a server was killed over is gone with the next start."""
    backups = DirectoryBackups(data, Still())
    asking = asyncio.ensure_future(backups.make("first"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking})
    with pytest.raises(AlreadyExists):  # which waits for its turn
        await backups.make("first")
    (data / "backups/killed.unfinished/events").mkdir(parents=True)
    DirectoryBackups(data, Still())
    assert os.listdir(data / "backups") == ["first"]


async def test_a_path_may_have_signs_that_mean_something_in_a_uri(data):
    """What follows them would be another file, empty, and the backup would be of that."""
    strange = data.rename(data.with_name("a#b?c%41"))
    await DirectoryBackups(strange, Still()).make("first")
    with closing(sqlite3.connect(strange / "backups/first/control.db")) as connection:
        assert connection.execute("SELECT name FROM t").fetchall() == [("control.db",)]


async def test_stores_elsewhere_have_backups_of_their_own():
    """It is said which."""
    with pytest.raises(Unsupported, match="PostgreSQL, ClickHouse and Redis"):
        await NoBackups().make("first")


@pytest.mark.parametrize("when", ["before its turn", "in its turn"])
def test_the_part_that_replaced_one_that_goes_away_meanwhile_is_there(data, tmp_path, monkeypatch, when):
    """Also if it came after the directory was read; the rows of both are the same."""
    table, link = data / "events/store/abc/abc-1", os.link
    old, new = table / "202601_5_5_0_7", table / "202601_5_6_1_7"

    def link_while_it_is_replaced(source, target):
        if old.exists() and ("202601_1_4_1" if when == "before its turn" else old.name) in source:
            shutil.copytree(old, new)
            shutil.rmtree(old)
        link(source, target)

    monkeypatch.setattr(os, "link", link_while_it_is_replaced)
    link_parts(data / "events", tmp_path / "copy")
    copied = {path.parent.name for path in (tmp_path / "copy/store/abc/abc-1").glob("*/data.bin")}
    assert copied == {"202601_1_4_1", new.name}
    assert not (tmp_path / "copy/store/abc/abc-1" / old.name).exists()


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
        noting("loaded patiently", warehouse.load(batch(environment_id, Fact("seen")), patient=True)),
        noting("profile", warehouse.load_profiles([ProfileRow(environment_id, "company", "acme", {}, 1)])),
        noting("removed", warehouse.expire({environment_id: datetime(2020, 1, 1, tzinfo=UTC)})),
    ]
    await asyncio.wait(changes, timeout=1, return_when=asyncio.FIRST_COMPLETED)  # each takes a tenth of it
    release.set()
    await asyncio.gather(held, *changes)
    assert order[0] == "held"
    assert sorted(order[1:]) == ["loaded", "loaded patiently", "profile", "removed"]
