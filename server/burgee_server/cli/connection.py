"""How a command finds its server: --target and --api-key, the environment, or the key file of `make run`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click
import grpc
from click.core import ParameterSource

import burgee
from burgee.status import code_and_message, violations
from burgee_server.cli.target import checked, in_words

P = ParamSpec("P")
R = TypeVar("R")

KEY_FILE = Path("burgee-data/api-key")

_KEY_FROM: dict[ParameterSource | None, str] = {
    ParameterSource.COMMANDLINE: "--api-key",
    ParameterSource.ENVIRONMENT: "BURGEE_API_KEY",
}


def with_client(command: "Callable[Concatenate[burgee.Client, P], R]") -> Callable[P, R]:
    """Give a command a client as its first argument, and options to say where the server is."""

    @click.option(
        "--target",
        envvar="BURGEE_TARGET",
        default="localhost:4750",
        show_default=True,
        callback=checked,
        help="The server.",
    )
    @click.option("--api-key", envvar="BURGEE_API_KEY", help=f"Else BURGEE_API_KEY, else what {KEY_FILE} holds.")
    @wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> R:
        target, key = str(options.pop("target")), options.pop("api_key")
        from_ = _KEY_FROM.get(click.get_current_context().get_parameter_source("api_key")) if key else str(KEY_FILE)
        with _client(target, str(key) if key else _key_from_file()) as client, _told(target, from_):
            return command(client, *args, **options)

    return run


def _key_from_file() -> str:
    if not KEY_FILE.is_file():
        raise click.ClickException(f"no API key: give --api-key or BURGEE_API_KEY ({KEY_FILE} is not here)")
    return KEY_FILE.read_text().strip()


def _client(target: str, key: str) -> burgee.Client:
    try:
        return burgee.Client(target, key, flag_timeout=10.0)
    except ValueError as error:  # the key has characters that cannot be sent
        raise click.ClickException(str(error)) from None


@contextmanager
def _told(target: str, key_from: str | None) -> Iterator[None]:
    """Turn what the server answers, or that none does, into a message, a line for each field at fault."""
    try:
        yield
    except burgee.QueryError as error:
        raise _failure(target, key_from, error.code, error.message, error.violations) from None
    except grpc.RpcError as error:
        code, message = code_and_message(error)
        raise _failure(target, key_from, code.name, message, tuple(violations(error))) from None


def _failure(
    target: str, key_from: str | None, code: str, message: str, faults: tuple[tuple[str, str], ...]
) -> click.ClickException:
    if faults:
        return click.ClickException("\n".join([code, *(f"  {field}: {reason}" for field, reason in faults)]))
    if code == grpc.StatusCode.UNAUTHENTICATED.name and key_from:
        message = f"{message}; it was taken from {key_from}"
    return click.ClickException(in_words(target, grpc.StatusCode[code], message) or f"{code}: {message}")
