"""The files of a spool: who has them, what survives in them, and how much they take."""

import fcntl
import logging
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from burgee.events import encode_event
from burgee.parcel import Lane, Parcel, pack_change, pack_events
from burgee.profiles import group_change, person_change
from burgee.spool import Folder, Shelf, segment

ROOM = 64 << 20


def batch(number: int, size: int = 10) -> Parcel:
    """A batch of one event, by its number."""
    return pack_events([encode_event(str(number), "ann", {"text": "x" * size}, {}, None, None)])


def folder(path: Path, room: int = ROOM) -> Folder:
    """The folder of one key."""
    return Folder(path, "key", room)


def shelf(path: Path, lane: Lane = Lane.EVENTS, room: int = ROOM) -> Shelf:
    """A shelf of a process that has just started, with all that was left for it."""
    shelf = Shelf(folder(path, room), lane)
    shelf.look()
    while shelf.may_take_over:
        shelf.take_over()
    return shelf


def read_all(shelf: Shelf) -> list[bytes]:
    """The requests that wait, in order."""
    found = []
    while (next_one := shelf.read()) is not None:
        found.append(next_one[0].request)
    return found


def files(path: Path) -> list[Path]:
    """All files below."""
    return sorted(file for file in path.rglob("*") if file.is_file())


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """A disk on which no file can grow further."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_one_process_leaves_the_next_one_reads_to_the_byte_and_in_order(tmp_path: Path) -> None:
    """Batches with their batch_id; changes with whose they are."""
    events = [batch(number) for number in range(5)]
    changes = [
        pack_change(("user", "ann"), person_change("ann", {"plan": "pro"}, None, ())),
        pack_change(("company", "acme"), group_change("company", "acme", None, None, ("plan",))),
    ]
    for lane, parcels in ((Lane.EVENTS, events), (Lane.CHANGES, changes)):
        first = shelf(tmp_path, lane)
        assert first.store(parcels) == len(parcels)
        first.release()
        second = shelf(tmp_path, lane)
        found = [second.read() for _ in parcels]
        assert second.read() is None
        for was, (now, ours) in zip(parcels, found, strict=True):
            assert (now.kind, now.request, now.count, now.profiles) == (was.kind, was.request, was.count, was.profiles)
            assert now.kept
            assert not ours
        second.release()


def test_what_is_stored_was_synced_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the power fails right after, the disk has it: file and, for a new one, the directories that it is in."""
    synced: dict[int, bytes] = {}
    sync = os.fsync

    def look_and_sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced[status.st_ino] = b"" if stat.S_ISDIR(status.st_mode) else os.pread(descriptor, status.st_size, 0)
        sync(descriptor)

    monkeypatch.setattr(segment, "_sync", look_and_sync)
    monkeypatch.setattr(os, "fsync", look_and_sync)
    first = shelf(tmp_path)
    for number in range(3):
        first.store([batch(number)])
        (file,) = files(tmp_path)
        assert synced[file.stat().st_ino] == file.read_bytes()
    assert {file.parent.stat().st_ino, tmp_path.stat().st_ino} <= set(synced)


def test_what_was_settled_is_not_read_again(tmp_path: Path) -> None:
    """In any order; the rest is, and when nothing is left, neither is the file."""
    first = shelf(tmp_path)
    first.store([batch(number) for number in range(5)])
    parcels = [first.read()[0] for _ in range(5)]
    first.settle(parcels[3])
    first.settle(parcels[0])
    first.release()

    second = shelf(tmp_path)
    left = [second.read()[0] for _ in range(3)]
    assert [parcel.request for parcel in left] == [parcels[number].request for number in (1, 2, 4)]
    for parcel in left:
        second.settle(parcel)
    assert files(tmp_path) == []


def test_nobody_takes_what_belongs_to_a_process_that_lives(tmp_path: Path) -> None:
    """As long as it holds its files, read or not."""
    first = shelf(tmp_path)
    first.store([batch(1)])
    assert read_all(shelf(tmp_path)) == []
    first.read()
    assert read_all(shelf(tmp_path)) == []
    first.release()
    assert len(read_all(shelf(tmp_path))) == 1


def test_a_file_that_its_owner_deletes_while_we_open_it_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had been sent; and what we wrote into it, nobody would ever find."""
    first = shelf(tmp_path)
    first.store([batch(1)])
    first.release()
    lock = fcntl.flock

    def delete_then_lock(descriptor: int, operation: int) -> None:
        for file in files(tmp_path):
            file.unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", delete_then_lock)
    assert read_all(shelf(tmp_path)) == []


def test_what_others_left_comes_before_our_own(tmp_path: Path) -> None:
    """Even if it is found after our own was written: a later change of a profile must not be overtaken."""
    first = shelf(tmp_path)
    first.store([batch(1)])
    first.release()
    second = Shelf(folder(tmp_path), Lane.EVENTS)
    second.store([batch(2)])
    second.look()
    assert second.read() is None  # not before it is known what the files hold
    assert second.take_over() == 1
    assert [second.read()[1], second.read()[1]] == [False, True]


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    """Events may be personal data, whatever the umask says."""
    before = os.umask(0)
    try:
        path = tmp_path / "spool"
        shelf(path).store([batch(1)])
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files(path)} == {0o600}
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.iterdir()} == {0o700}


def test_a_file_that_ends_anywhere_loses_what_is_behind_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Cut at every byte: all records before the cut are read, and what is lost is told in bytes."""
    parcels = [batch(number) for number in range(4)]
    first = shelf(tmp_path)
    ends = []
    for parcel in parcels:
        first.store([parcel])
        ends.append(files(tmp_path)[0].stat().st_size)
    first.release()
    (file,) = files(tmp_path)
    whole = file.read_bytes()

    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        caplog.clear()
        second = shelf(tmp_path)
        complete = sum(end <= length for end in ends)
        assert read_all(second) == [parcel.request for parcel in parcels[:complete]]
        second.forget()
        begin = max((end for end in (15, *ends) if end <= length), default=length)
        assert [f"last {length - begin} bytes" in line for line in caplog.messages] == [True] * (begin < length)


def test_a_damaged_byte_loses_its_record_and_what_is_behind_at_most(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every byte in turn: what is read is what was written, up to the damage; nothing is made up."""
    parcels = [batch(number) for number in range(3)]
    first = shelf(tmp_path)
    ends = []
    for parcel in parcels:
        first.store([parcel])
        ends.append(files(tmp_path)[0].stat().st_size)
    first.release()
    (file,) = files(tmp_path)
    whole = file.read_bytes()

    for at in range(15, len(whole)):
        file.write_bytes(whole[:at] + bytes((whole[at] ^ 0xFF,)) + whole[at + 1 :])
        caplog.clear()
        second = shelf(tmp_path)
        intact = sum(end <= at for end in ends)
        assert read_all(second) == [parcel.request for parcel in parcels[:intact]]
        second.forget()
        assert "is damaged" in caplog.text


def test_what_is_no_spool_file_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It may be of a later version. Told once, not at every look."""
    place = folder(tmp_path).path
    place.mkdir()
    strange = place / "00-1-a.events"
    strange.write_bytes(b"BURGEE-SPOOL-2\nwhatever")
    one = shelf(tmp_path)
    one.look()
    assert one.take_over() == 0
    assert strange.read_bytes() == b"BURGEE-SPOOL-2\nwhatever"
    assert caplog.text.count("left alone") == 1


def test_what_belongs_to_another_key_is_not_found(tmp_path: Path) -> None:
    """It belongs to another environment. The key is nowhere on the disk."""
    first = Shelf(Folder(tmp_path, "secret-of-staging", ROOM), Lane.EVENTS)
    first.store([batch(1)])
    first.release()
    second = Shelf(Folder(tmp_path, "secret-of-production", ROOM), Lane.EVENTS)
    second.look()
    assert not second.may_take_over
    assert b"secret" not in b"".join([bytes(file) + file.read_bytes() for file in files(tmp_path)])


def test_files_take_no_more_than_they_may_and_are_deleted_as_they_are_settled(tmp_path: Path) -> None:
    """The bound holds for all processes with the key together, in every file that they have."""
    room = 3 << 20
    first, second = shelf(tmp_path, room=room), shelf(tmp_path, room=room)
    stored = sum(each.store([batch(0, 50_000) for _ in range(40)]) for each in (first, second, first, second))
    assert stored < 160
    assert room - 60_000 < sum(file.stat().st_size for file in files(tmp_path)) <= room
    assert len(files(tmp_path)) > 2

    for each in (first, second):
        while (found := each.read()) is not None:
            each.settle(found[0])
    assert sum(file.stat().st_size for file in files(tmp_path)) < 100
    assert first.store([batch(0)]) == 1


def test_a_disk_that_is_full_keeps_what_it_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What could not be written is not half there; when there is room again, writing goes on."""
    before, refused, after = batch(1), [batch(2, 4_000), batch(3, 4_000)], batch(4)
    first = shelf(tmp_path)
    first.store([before])
    with files_end_at(6_000):
        assert first.store(refused) == 0
    assert "cannot be written" in caplog.text
    assert first.store([after]) == 1
    first.release()
    assert read_all(shelf(tmp_path)) == [before.request, after.request]


def test_a_folder_that_cannot_be_made_is_told_and_nothing_is_raised(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file lies where the folder should be."""
    (tmp_path / "spool").write_text("")
    caplog.set_level(logging.WARNING)
    one = shelf(tmp_path / "spool")
    assert one.store([batch(1)]) == 0
    assert one.read() is None
    one.release()
    assert "spool" in caplog.text


def test_files_that_somebody_deleted_are_not_written_further(tmp_path: Path) -> None:
    """What they held is still sent by us; what comes after is in a file that another process can find."""
    first = shelf(tmp_path)
    first.store([batch(1)])
    for file in files(tmp_path):
        file.unlink()
    after = batch(2)
    assert first.store([after]) == 1
    assert len(read_all(first)) == 2
    first.release()
    assert read_all(shelf(tmp_path)) == [after.request]


def test_many_files_are_taken_over_a_few_at_a_time(tmp_path: Path) -> None:
    """A thousand crashes leave a thousand files: 64 are open at once, and all are sent, in order."""
    expected = []
    for number in range(70):
        one = Shelf(folder(tmp_path), Lane.EVENTS)
        parcel = batch(number)
        one.store([parcel])
        one.release()
        expected.append(parcel.request)
    open_before = len(os.listdir("/dev/fd"))
    last = shelf(tmp_path)
    last.store([batch(70)])
    assert len(os.listdir("/dev/fd")) - open_before < 67
    found = []
    while True:
        while (next_one := last.read()) is not None:
            found.append(next_one[0].request)
            last.settle(next_one[0])
        if not last.may_take_over:
            break
        last.take_over()
    assert found[:70] == expected
    assert len(found) == 71
