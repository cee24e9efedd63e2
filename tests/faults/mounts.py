"""A small file system that only some processes see, in a mount namespace of its own: nothing else can run full."""

import os
import subprocess
from pathlib import Path

from tests.fixtures.serving import wait_for

_CHUNKS = (1 << 20, 1 << 12, 1)


class SmallDisk:
    """A tmpfs of some megabytes at `path`, for the commands that run `within` it. Fails if that is not permitted."""

    def __init__(self, path: Path, megabytes: int) -> None:
        path.mkdir()
        self.path = path
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        mount = f"mount -t tmpfs -o size={megabytes}m tmpfs {path} && echo mounted && exec sleep infinity"
        self._holder = subprocess.Popen(
            ["unshare", "--mount", *as_root, "sh", "-c", mount],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "mounted\n":
            raise PermissionError(self._holder.communicate()[1])
        enter = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.within = ("nsenter", "--target", str(self._holder.pid), *enter, "--mount", "--")

    def close(self) -> None:
        """Let go of it; what still runs there keeps it until it ends."""
        self._holder.kill()
        self._holder.communicate()

    def seen(self, path: Path) -> Path:
        """The same file as processes outside can name it."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def fill(self, leave: int = 0) -> None:
        """Take all the room but this many bytes, to the last one if that is 0."""
        with self.seen(self.path / "filler").open("ab", buffering=0) as filler:
            for chunk in _CHUNKS:
                try:
                    while leave == 0 or self._free() - chunk >= leave:
                        filler.write(bytes(chunk))
                except OSError:
                    continue

    def empty(self) -> None:
        """Give back the room that fill() took."""
        self.seen(self.path / "filler").unlink(missing_ok=True)

    def make_read_only(self, path: Path) -> None:
        """Nothing can be made, changed or deleted below `path` from now on, once nobody is writing there."""
        self._run("mount", "--bind", str(path), str(path))
        remount = [*self.within, "mount", "-o", "remount,bind,ro", str(path)]
        wait_for(lambda: subprocess.run(remount, stderr=subprocess.DEVNULL, check=False).returncode == 0)

    def make_writable(self, path: Path) -> None:
        """As before make_read_only()."""
        self._run("umount", "--lazy", str(path))

    def _run(self, *command: str) -> None:
        subprocess.run([*self.within, *command], check=True)

    def _free(self) -> int:
        state = os.statvfs(self.seen(self.path))
        return state.f_bavail * state.f_frsize
