"""A server as a container runs it: without privileges, on a file system that cannot be written."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Command
from tests.fixtures.serving import Serving

USER = 10001


def _can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0


@pytest.fixture
def volume() -> Iterator[Path]:
    """A directory of another user. Not in pytest's own, which each run of pytest that begins closes to others."""
    with tempfile.TemporaryDirectory(prefix="burgee-container-") as path:
        Path(path).chmod(0o755)
        volume = Path(path, "volume")
        volume.mkdir()
        os.chown(volume, USER, USER)
        yield volume


@pytest.mark.skipif(not _can_mount(), reason="needs root and a mount namespace")
def test_a_server_needs_no_privilege_and_writes_nowhere_but_in_its_directory(volume):
    """Everything else is mounted read-only; the directory's parent belongs to the server, as a volume does."""
    confined = (
        f"mount --bind {volume} {volume} && mount --bind / / && mount -o remount,bind,ro / && cd /"
        f' && ! touch /here 2>/dev/null && exec setpriv --reuid {USER} --regid {USER} --clear-groups "$@"'
    )
    within = ("unshare", "--mount", "sh", "-c", confined, "sh")
    server = Serving(volume / "data", within=within, HOME="/nowhere").ready()

    assert Command(server).json("flags", "list") == []
    code, errors = server.stop()

    assert code == 0, errors
    assert (volume / "data" / "control.db").stat().st_uid == USER
    assert {path.name for path in volume.iterdir()} == {"data", server.log.name}
