"""Writes down what SQLite asks of the operating system, in order: a VFS of its own between the two, made with ctypes.

The sqlite3 module of Python and all code above it run as they are. A VFS is SQLite's own seam for this
(https://sqlite.org/vfs.html): its open() is replaced by one that also replaces write, truncate and sync of the opened
file; everything else is SQLite's `unix` VFS.
"""

import _sqlite3
import contextlib
import ctypes as c
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

_OPEN_CREATE, _OPEN_WAL, _OPEN_MAIN_JOURNAL = 0x4, 0x80000, 0x800


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that reached the operating system, or that somebody was told (`done` is "told")."""

    done: Literal["create", "write", "truncate", "sync", "delete", "sync directory", "told"]
    file: str = ""
    offset: int = 0
    data: bytes = b""
    what: Any = None


class Recorder:
    """The steps so far, of files in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        self._lock = threading.Lock()
        self._unsynced_names: set[str] = set()
        self.steps: list[Step] = []

    def tell(self, what: Any) -> None:
        """Somebody outside knows this from now on."""
        with self._lock:
            self.steps.append(Step("told", what=what))

    def _note(self, done: Any, path: str, offset: int = 0, data: bytes = b"") -> None:
        directory, _, name = path.rpartition("/")
        if directory == self._directory:
            with self._lock:
                self.steps.append(Step(done, name, offset, data))

    def opened(self, path: str, flags: int) -> None:
        """A file was opened that may be new."""
        if flags & _OPEN_CREATE:
            self._note("create", path)
            if flags & (_OPEN_WAL | _OPEN_MAIN_JOURNAL):
                self._unsynced_names.add(path)

    def wrote(self, path: str, data: bytes, offset: int) -> None:
        """Bytes were handed to the operating system."""
        self._note("write", path, offset, data)

    def truncated(self, path: str, size: int) -> None:
        """A file was cut off, or made longer."""
        self._note("truncate", path, size)

    def synced(self, path: str) -> None:
        """A file is on the disk; and so is its name, if it is a journal that was new: the unix VFS sees to that."""
        self._note("sync", path)
        if path in self._unsynced_names:
            self._unsynced_names.discard(path)
            self._note("sync directory", path)

    def deleted(self, path: str, with_directory: bool) -> None:
        """A file was deleted, and its directory synced or not."""
        self._note("delete", path)
        if with_directory:
            self._note("sync directory", path)


_FILE = c.c_void_p
_NAME = c.c_void_p  # and not c_char_p, which would hand on a copy, where SQLite goes on using the pointer
_XOPEN = c.CFUNCTYPE(c.c_int, c.c_void_p, _NAME, _FILE, c.c_int, c.POINTER(c.c_int))
_XDELETE = c.CFUNCTYPE(c.c_int, c.c_void_p, _NAME, c.c_int)
_XWRITE = c.CFUNCTYPE(c.c_int, _FILE, c.c_void_p, c.c_int, c.c_int64)
_XTRUNCATE = c.CFUNCTYPE(c.c_int, _FILE, c.c_int64)
_XSYNC = c.CFUNCTYPE(c.c_int, _FILE, c.c_int)


class _Vfs(c.Structure):
    _fields_ = (
        ("iVersion", c.c_int),
        ("szOsFile", c.c_int),
        ("mxPathname", c.c_int),
        ("pNext", c.c_void_p),
        ("zName", c.c_char_p),
        ("pAppData", c.c_void_p),
        ("xOpen", _XOPEN),
        ("xDelete", _XDELETE),
        ("rest", c.c_void_p * 13),
    )


class _Methods(c.Structure):
    _fields_ = (
        ("iVersion", c.c_int),
        ("xClose", c.c_void_p),
        ("xRead", c.c_void_p),
        ("xWrite", _XWRITE),
        ("xTruncate", _XTRUNCATE),
        ("xSync", _XSYNC),
        ("rest", c.c_void_p * 13),
    )


class _OpenFile(c.Structure):
    _fields_ = (("methods", c.POINTER(_Methods)),)


_kept: list[Any] = []
"""What SQLite may still hold a pointer to, for as long as the process lives."""


@contextlib.contextmanager
def recording(directory: Path) -> Iterator[Recorder]:
    """Record every connection that is opened in this block, for as long as it is open. Skips where that cannot be."""
    library = c.CDLL(_sqlite3.__file__)  # finds the functions of the library that the module is linked with
    try:
        find, register = library.sqlite3_vfs_find, library.sqlite3_vfs_register
    except AttributeError:
        pytest.skip("this Python has SQLite built in and hidden: what it writes cannot be watched")
    find.restype, find.argtypes = c.POINTER(_Vfs), [c.c_char_p]
    register.argtypes = [c.POINTER(_Vfs), c.c_int]
    real = find(None)
    recorder = Recorder(directory)
    ours = _Vfs.from_buffer_copy(real.contents)
    ours.zName = b"recorder"
    ours.xOpen, ours.xDelete = _open(recorder, real.contents), _delete(recorder, real.contents)
    _kept.extend((ours, recorder))
    register(c.byref(ours), 1)
    try:
        yield recorder
    finally:
        register(real, 1)
        library.sqlite3_vfs_unregister(c.byref(ours))


def _open(recorder: Recorder, real: _Vfs) -> Any:
    tables: dict[int, _Methods] = {}
    paths: dict[int, str] = {}
    _kept.append(tables)

    def xopen(_vfs: int, name: int | None, file: int, flags: int, out_flags: Any) -> int:
        path = "" if name is None else c.string_at(name).decode()
        is_new = not Path(path).exists()
        code = int(real.xOpen(c.addressof(real), name, file, flags, out_flags))
        opened = _OpenFile.from_address(file)
        if code == 0 and opened.methods:
            paths[file] = path
            recorder.opened(path, flags if is_new else 0)
            at = c.addressof(opened.methods.contents)
            if at not in tables:
                tables[at] = _recorded(recorder, paths, opened.methods.contents)
            opened.methods = c.pointer(tables[at])
        return code

    return _XOPEN(xopen)


def _recorded(recorder: Recorder, paths: dict[int, str], real: _Methods) -> _Methods:
    """The methods of a file, with those that change it written down once they have succeeded."""
    write, truncate, sync = real.xWrite, real.xTruncate, real.xSync

    def xwrite(file: int, data: int, size: int, offset: int) -> int:
        code = int(write(file, data, size, offset))
        if code == 0:
            recorder.wrote(paths[file], c.string_at(data, size), offset)
        return code

    def xtruncate(file: int, size: int) -> int:
        code = int(truncate(file, size))
        if code == 0:
            recorder.truncated(paths[file], size)
        return code

    def xsync(file: int, flags: int) -> int:
        code = int(sync(file, flags))
        if code == 0:
            recorder.synced(paths[file])
        return code

    methods = _Methods.from_buffer_copy(real)
    methods.xWrite, methods.xTruncate, methods.xSync = _XWRITE(xwrite), _XTRUNCATE(xtruncate), _XSYNC(xsync)
    _kept.extend((real, write, truncate, sync))
    return methods


def _delete(recorder: Recorder, real: _Vfs) -> Any:
    def xdelete(_vfs: int, name: int, with_directory: int) -> int:
        code = int(real.xDelete(c.addressof(real), name, with_directory))
        if code == 0:
            recorder.deleted(c.string_at(name).decode(), bool(with_directory))
        return code

    return _XDELETE(xdelete)
