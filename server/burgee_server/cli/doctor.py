"""`burgee doctor`: what is wrong with a server, or with what it would need, and what to do."""

import logging
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import click
import grpc

from burgee.status import code_and_message
from burgee.target import read_target
from burgee.v1 import admin_pb2 as pb
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee_server.cli.output import as_json, print_json, print_table
from burgee_server.cli.settings import settings_in_force
from burgee_server.cli.target import checked, in_words
from burgee_server.errors import Unavailable
from burgee_server.findings import Finding, State, ok, warning

SECONDS = 60.0
_NAME_IT = "name it as its certificate does, with an OPERATOR key: --target https://NAME:PORT --api-key"

_STATES = {pb.FINDING_STATE_OK: State.OK, pb.FINDING_STATE_WARNING: State.WARNING, pb.FINDING_STATE_WRONG: State.WRONG}


@click.command()
@click.option("--data", metavar="DIR", help="The data directory. [burgee-data]")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings.")
@click.option("--target", metavar="HOST:PORT", callback=checked, help="Ask this server, and look at nothing here.")
@click.option(
    "--api-key", envvar="BURGEE_API_KEY", help="An OPERATOR key. Else BURGEE_API_KEY, else that of the directory."
)
@as_json
def doctor(data: str | None, config: Path | None, target: str | None, api_key: str | None, as_json: bool) -> None:
    """Look at everything that a server needs, whether it runs or not. Exits with 1 if something is wrong."""
    found = list(_ask(target, api_key) if target else _look(data, config, api_key))
    if as_json:
        print_json([{"subject": f.subject, "state": f.state, "found": f.found, "advice": f.advice} for f in found])
    else:
        print_table(["", "subject", "found", "what to do"], [[f.state, f.subject, f.found, f.advice] for f in found])
    if any(each.state is State.WRONG for each in found):
        raise SystemExit(1)


def _look(data: str | None, config: Path | None, api_key: str | None) -> Iterable[Finding]:
    """Look at the directory; if a server has it, have that server look."""
    from burgee_server.doctor import examine  # a second of imports that no other command should wait for
    from burgee_server.storage.directory import KEY_FILE, DataDirectory, DirectoryInUse

    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # what it says is among the findings
    settings = settings_in_force(config, data=data)
    if not settings.data.is_dir():
        return examine(settings)
    try:
        directory = DataDirectory(settings.data)
    except DirectoryInUse as held:
        key_file = settings.data / KEY_FILE
        try:
            key = api_key or (key_file.read_text().strip() if key_file.exists() else None)
            if held.address:
                return list(_ask(held.address, key))
            why = "it does not serve yet"
        except OSError as error:
            why = f"its key file cannot be read ({error.strerror})"
        except _AnswersHealthOnly:
            loader = ok("server", f"process {held.holder} has the directory: a loader, which answers its health only")
            return [loader, *examine(settings, alone=False)]
        except _CannotAsk as error:
            why = str(error)
        advice = _NAME_IT if held.address.startswith("https://") else "give it an OPERATOR key: --api-key"
        told = warning("server", f"process {held.holder} has the directory; {why}", advice)
        return [told, *examine(settings, alone=False)]
    except Unavailable:
        return examine(settings, alone=False)  # which says what is wrong with the directory
    try:
        return list(examine(settings))
    finally:
        directory.release()


class _CannotAsk(click.ClickException):
    """A server gave no answer."""


class _AnswersHealthOnly(_CannotAsk):
    """A loader."""

    def __init__(self) -> None:
        super().__init__("this is a loader, which answers its health only: ask a server that answers calls")


def _ask(target: str, api_key: str | None) -> Iterator[Finding]:
    """What a server finds. Raises _CannotAsk."""
    if not api_key:
        raise _CannotAsk(f"{target} cannot be asked without an API key: give --api-key or BURGEE_API_KEY")
    with read_target(target).open() as channel:
        try:
            answer = AdminServiceStub(channel).Diagnose(
                pb.DiagnoseRequest(), timeout=SECONDS, metadata=(("authorization", f"Bearer {api_key}"),)
            )
        except grpc.RpcError as error:
            code, message = code_and_message(error)
            if code is grpc.StatusCode.UNIMPLEMENTED:
                raise _AnswersHealthOnly from None
            why = in_words(target, code, message) or f"{target} gave no answer: {code.name}: {message}"
            raise _CannotAsk(why) from None
    ours = version("burgee")
    if answer.version == ours:
        yield ok("server", f"Burgee {answer.version} answers at {target}")
    else:
        yield warning(
            "server", f"Burgee {answer.version} answers at {target}; this command is {ours}", "use one version"
        )
    for each in answer.findings:
        yield Finding(each.subject, _STATES.get(each.state, State.WRONG), each.found, each.advice)
