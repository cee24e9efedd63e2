"""`burgee serve` and the other commands as processes of their own, as an operator runs them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

READY = "burgee ready grpc="


def environment(**settings: str) -> dict[str, str]:
    """The environment without any BURGEE_* but these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURGEE_")}
    return {**clean, **settings}


class Serving:
    """One run of `burgee serve`."""

    def __init__(self, data: Path, *arguments: str, **settings: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "burgee_server",
                "serve",
                "--data",
                str(data),
                "--listen",
                "127.0.0.1:0",
                *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**settings),
        )
        self.said: list[str] = []
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith(READY):
                return
        raise AssertionError(f"the server did not start: {self.process.communicate()[1]}")

    @property
    def target(self) -> str:
        """Where it listens."""
        return self.said[-1].removeprefix(READY)

    @property
    def key(self) -> str:
        """The key that it wrote."""
        return (self.data / "api-key").read_text().strip()

    def stop(self, with_signal: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and what it said on standard error."""
        self.process.send_signal(with_signal)
        rest, errors = self.process.communicate(timeout=60)
        self.said += rest.splitlines()
        return self.process.returncode, errors


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """Starts servers on a directory of this test; ends those that are left."""
    started: list[Serving] = []

    def start(*arguments: str, **settings: str) -> Serving:
        started.append(Serving(tmp_path / "data", *arguments, **settings))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)
        server.process.communicate()


class Command:
    """Runs `burgee` against one server."""

    def __init__(self, server: Serving) -> None:
        self._environment = environment(BURGEE_TARGET=server.target, BURGEE_API_KEY=server.key, COLUMNS="120")

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
