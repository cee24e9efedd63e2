"""A data directory that cannot be used is told with what is wrong, where, and what to do."""

import os
from contextlib import contextmanager

import pytest

from burgee_server.errors import Unavailable
from burgee_server.storage.directory import DataDirectory

NOBODY = 65_534


@contextmanager
def somebody_else():
    """Not as root, who may write everywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_directory_of_somebody_else_is_told_with_who_cannot_write_it(tmp_path):
    """The user by number, the directory, and the two ways out."""
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o500)

    with somebody_else(), pytest.raises(Unavailable) as told:
        DataDirectory(theirs)

    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    assert str(told.value).startswith(f"the data directory {theirs} cannot be used: user {user} may not")
    assert "--data" in str(told.value)


@pytest.mark.parametrize("path", ["file", "file/data"])
def test_a_file_where_the_directory_should_be_is_told_as_one(tmp_path, path):
    """At its place, or above it."""
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="is a file: move it away"):
        DataDirectory(tmp_path / path)


def test_a_directory_that_can_be_used_is_made_and_can_be_had_again(tmp_path):
    """Whatever is missing above it, too; only its owner may look inside."""
    for _ in range(2):
        directory = DataDirectory(tmp_path / "a" / "data")
        directory.release()

    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700
