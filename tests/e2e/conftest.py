"""`burgee serve` as a process of its own, as an operator runs it, and the other commands."""

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner

from burgee.v1 import admin_pb2
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee_server.cli import main
from tests.fixtures.nursery import run_python
from tests.fixtures.serving import Serving, environment

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a server that was stopped before anything came, to be copied."""
    server = Serving(tmp_path_factory.mktemp("left-behind") / "data").ready()
    server.stop()
    return server.data


@pytest.fixture
def serve(tmp_path: Path, left_behind: Path) -> Iterator[Any]:
    """Starts servers on a directory of this test; ends those that are left.

    One that is not to be the `first` there, and has no store and no key of its own, starts in half the time, in a copy.
    """
    started: list[Serving] = []

    def start(*arguments: str, name: str = "data", first: bool = False, **settings: Any) -> Serving:
        data = tmp_path / name
        if not (first or data.exists() or settings.keys() & {"BURGEE_BOOTSTRAP_KEY", "BURGEE_DATABASE"}):
            shutil.copytree(left_behind, data, symlinks=True)
        started.append(Serving(data, *arguments, **settings))
        return started[-1].ready()

    yield start
    for server in started:
        server.close()


class Command:
    """Runs `burgee` against one server, in this process: one of its own would take most of its time to start.

    One that is to read from standard input has a process, and a standard input, of its own.
    """

    def __init__(self, server: Serving, key: str = "") -> None:
        self._environment = environment(BURGEE_TARGET=server.target, BURGEE_API_KEY=key or server.key, COLUMNS="120")

    def run(self, *arguments: str, stdin: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
        """The finished command."""
        if stdin is not None:
            return run_python("-m", "burgee_server", *arguments, stdin=stdin, env=self._environment)
        others = {name: None for name in os.environ if name not in self._environment}
        done = CliRunner().invoke(main, arguments, env={**others, **self._environment})
        if not isinstance(done.exception, SystemExit | None):
            raise done.exception
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout_bytes, done.stderr_bytes)

    def text(self, *arguments: str, stdin: bytes | None = None) -> str:
        """What a command that succeeds prints."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def json(self, *arguments: str) -> Any:
        """What a command that succeeds prints with --json."""
        return json.loads(self.text(*arguments, "--json"))


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One for all tests that leave it as it is."""
    server = Serving(tmp_path_factory.mktemp("shared") / "data").ready()
    yield server
    server.close()


@pytest.fixture
def command(shared_server: Serving) -> Command:
    """The command line in a new project of it."""
    project = f"project-{next(_numbers)}"
    metadata = (("authorization", f"Bearer {shared_server.key}"),)
    with grpc.insecure_channel(shared_server.target) as channel:
        admin = AdminServiceStub(channel)
        admin.CreateProject(admin_pb2.CreateProjectRequest(key=project), metadata=metadata)
        role = admin_pb2.KEY_ROLE_ADMIN
        asked = admin_pb2.CreateApiKeyRequest(
            project_key=project, environment_key="production", name="tests", role=role
        )
        return Command(shared_server, admin.CreateApiKey(asked, metadata=metadata).secret)
