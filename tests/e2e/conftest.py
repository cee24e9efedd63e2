"""`burgee serve` and the other commands as processes of their own, as an operator runs them."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.serving import Serving, environment


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """Starts servers on a directory of this test; ends those that are left."""
    started: list[Serving] = []

    def start(*arguments: str, name: str = "data", **settings: Any) -> Serving:
        started.append(Serving(tmp_path / name, *arguments, **settings))
        return started[-1].ready()

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)
        server.process.communicate()


class Command:
    """Runs `burgee` against one server."""

    def __init__(self, server: Serving, key: str = "") -> None:
        self._environment = environment(BURGEE_TARGET=server.target, BURGEE_API_KEY=key or server.key, COLUMNS="120")

    def run(self, *arguments: str, stdin: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
        """The finished command."""
        return subprocess.run(
            [sys.executable, "-m", "burgee_server", *arguments],
            input=stdin,
            capture_output=True,
            env=self._environment,
            timeout=60,
            check=False,
        )

    def text(self, *arguments: str, stdin: bytes | None = None) -> str:
        """What a command that succeeds prints."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def json(self, *arguments: str) -> Any:
        """What a command that succeeds prints with --json."""
        return json.loads(self.text(*arguments, "--json"))
