"""Commands against a server in the process."""

import asyncio
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from burgee_server.cli import main
from tests.fixtures.server import Caller, RunningServer


@pytest.fixture
def run(server: RunningServer, admin: Caller) -> Callable[..., asyncio.Future[Result]]:
    """Runs a command with an ADMIN key, unless it is given another, and fails if it does not exit as expected."""

    async def run(*arguments: str, stdin: str | bytes = "", code: int = 0, secret: str = admin.secret) -> Result:
        environment = {"BURGEE_TARGET": server.target, "BURGEE_API_KEY": secret, "COLUMNS": "200"}
        result = await asyncio.to_thread(
            CliRunner().invoke, main, list(arguments), input=stdin, env=environment, catch_exceptions=False
        )
        assert result.exit_code == code, result.output
        return result

    return run
