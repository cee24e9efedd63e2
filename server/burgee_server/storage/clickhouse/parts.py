"""The files of the embedded warehouse: those of its parts are written once, and never changed."""

import os
import re
import shutil
from pathlib import Path

_PART = re.compile(r"[0-9A-Za-z-]+_[0-9]+_[0-9]+_[0-9]+(?:_[0-9]+)?")
_PASSING = re.compile(r"tmp|delete_tmp_|detached$|moving$")
"""Directories of what is being written, or done with."""


def copy_parts(source: Path, target: Path) -> None:
    """Copy a directory of ClickHouse's in which nothing is inserted or altered, while merges may go on.

    A merge leaves the parts that it was made of for minutes, so all rows are in parts that were there when the copy
    began; a part that goes away meanwhile had been replaced long before. Files of parts are linked where the file
    system can, and take no room until the server lets go of them.
    """
    target.mkdir(mode=0o700)
    with os.scandir(source) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        beside = target / entry.name
        if entry.is_symlink():
            beside.symlink_to(os.readlink(entry.path))
        elif entry.is_file():
            shutil.copy2(entry.path, beside)
        elif _PART.fullmatch(entry.name):
            _link_part(Path(entry.path), beside)
        elif not _PASSING.match(entry.name):
            copy_parts(Path(entry.path), beside)


def _link_part(source: Path, target: Path) -> None:
    try:
        shutil.copytree(source, target, copy_function=_link)
    except (FileNotFoundError, shutil.Error):
        if source.exists():
            raise
        shutil.rmtree(target)  # it went away meanwhile


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # no such thing there, or too many
        shutil.copy2(source, target)
