"""`burgee demo`: a throw-away server and 90 days of a B2B product."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

import burgee

_READY = "burgee ready grpc="
_STOP_SECONDS = 20


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed is another product.")
def demo(seed: int) -> None:
    """Play 90 days of a B2B product on a throw-away server, and show what Burgee says about it."""
    from burgee_server.demo import play  # only this command needs it

    console = Console(highlight=False)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with (
        tempfile.TemporaryDirectory(prefix="burgee-demo-") as scratch,
        _server(Path(scratch)) as (target, key),
        burgee.Client(target, key, flag_timeout=10.0) as client,
    ):
        play(client, console, end=today, seed=seed)


@contextmanager
def _server(data: Path) -> Iterator[tuple[str, str]]:
    """A server of its own process; yields where it listens and its API key."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BURGEE_")}
    server = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "burgee_server", "serve", "--data", str(data), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "BURGEE_LOG_LEVEL": "ERROR"},
    )
    try:
        yield _wait_until_ready(server), (data / "api-key").read_text().strip()
    finally:
        server.terminate()
        try:
            server.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


def _wait_until_ready(server: "subprocess.Popen[str]") -> str:
    for line in server.stdout or ():
        if line.startswith(_READY):
            return line.removeprefix(_READY).strip()
    raise click.ClickException(f"the server did not start: {server.communicate()[1]}")
