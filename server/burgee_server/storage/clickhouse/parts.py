"""The files of the embedded warehouse: those of its parts are written once, and never changed."""

import os
import re
import shutil
from pathlib import Path

_PART = re.compile(r"[0-9A-Za-z-]+_[0-9]+_[0-9]+_[0-9]+(?:_[0-9]+)?")
_PASSING = re.compile(r"tmp|delete_tmp_|detached$|moving$")
"""Directories of what is being written, or done with."""


def link_parts(source: Path, target: Path) -> None:
    """Copy a directory of ClickHouse's in which nothing is inserted or altered, while merges may go on.

    Files of parts are linked, and take no room until the server lets go of them; all others are copied. A part that
    goes away meanwhile was replaced by another, which may have come after its directory was read: so that is read
    until nothing goes away. Raises OSError, also where the file system has no links.
    """
    target.mkdir(mode=0o700)
    linked: set[str] = set()
    for entry in _entries(source):
        beside = target / entry.name
        if entry.is_symlink():
            beside.symlink_to(os.readlink(entry.path))
        elif entry.is_file():
            shutil.copy2(entry.path, beside)
        elif not _PART.fullmatch(entry.name) and not _PASSING.match(entry.name):
            link_parts(Path(entry.path), beside)
    while _link_new(source, target, linked):
        pass


def _link_new(source: Path, target: Path, linked: set[str]) -> bool:
    """Link the parts that are not linked yet, and note them. Whether one went away meanwhile."""
    any_gone = False
    for entry in _entries(source):
        if not _PART.fullmatch(entry.name) or entry.name in linked:
            continue
        part, beside = Path(entry.path), target / entry.name
        try:
            shutil.copytree(part, beside, copy_function=os.link)
        except (FileNotFoundError, shutil.Error) as error:
            if part.exists():
                raise OSError(f"{part} cannot be linked: {error}") from error
            shutil.rmtree(beside, ignore_errors=True)
            any_gone = True
        else:
            linked.add(entry.name)
    return any_gone


def _entries(directory: Path) -> list["os.DirEntry[str]"]:
    with os.scandir(directory) as found:
        return sorted(found, key=lambda entry: entry.name)
