"""The documentation holds: everything that a user can name is in it, its links lead somewhere, its snippets run."""

import asyncio
import contextlib
import inspect
import io
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import burgee
from burgee.evaluation import ErrorCode, Operator, Reason
from burgee.evaluation.explanation import RuleVerdict
from burgee.openfeature import BurgeeProvider
from burgee.testing.clients import _Fake
from burgee.v1 import (
    actions_pb2,
    admin_pb2,
    capture_pb2,
    cohorts_pb2,
    flag_admin_pb2,
    flags_pb2,
    insights_pb2,
    profiles_pb2,
)
from burgee_server.cli import main
from burgee_server.insights.trend import Measure
from burgee_server.insights.words import Interval
from burgee_server.metrics import METRICS
from burgee_server.ports.access import Role
from burgee_server.settings import Settings
from tests.fixtures.server import Caller, RunningServer
from tests.unit.docs.pages import PAGES, ROOT, Snippet, anchors, commands, headings, links, page, section, snippets

PAGE_OF = {
    "ActionService": "actions",
    "AdminService": "admin",
    "CaptureService": "capture",
    "CohortService": "cohorts",
    "FlagAdminService": "flags",
    "FlagService": "flags",
    "InsightService": "insights",
    "ProfileService": "profiles",
}
FILES = (actions_pb2, admin_pb2, capture_pb2, cohorts_pb2, flag_admin_pb2, flags_pb2, insights_pb2, profiles_pb2)
SERVICES = {name: service for file in FILES for name, service in file.DESCRIPTOR.services_by_name.items()}
METHODS = [name for name in dir(burgee.Client) if not name.startswith("_")]
SHARED_OPTIONS = (
    "Options of every command that asks a server",
    "Options of every question",
    "Options of every question about a funnel",
)


def _within(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    return {word: each for word in group.list_commands(context) if (each := group.get_command(context, word))}


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for word, each in _within(command).items():
            yield from _commands(each, f"{name} {word}")
    else:
        yield name, command


COMMANDS = dict(_commands(main, "burgee"))


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_rpc_has_a_section_on_the_page_of_its_service(service: str) -> None:
    """And the page lists errors."""
    found = headings(page(PAGE_OF[service]))
    assert [method.name for method in SERVICES[service].methods if method.name not in found] == []
    assert "Errors" in found


def test_every_setting_is_in_the_table_of_settings() -> None:
    """With its name in a file, its name in the environment, and its default."""
    table = section(page("operations"), "Settings")
    for name, field in Settings.model_fields.items():
        row = next((line for line in table.splitlines() if line.startswith(f"| `{name}` |")), "")
        assert f"`BURGEE_{name.upper()}`" in row, name
        default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        if default is not None:
            assert f"{default:g}" in row if isinstance(default, float) else str(default) in row, name


def test_every_metric_is_in_the_table_of_metrics_and_no_other() -> None:
    """With its kind, its labels and what it says."""
    rows = [line for line in section(page("operations"), "Metrics").splitlines() if line.startswith("| `burgee_")]
    assert rows == [
        f"| `{each.name}` | {each.kind.value} | {', '.join(f'`{label}`' for label in each.labels)} | {each.help} |"
        for each in METRICS
    ]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_section_with_every_option_and_an_example(name: str) -> None:
    """Options that many commands share are told once."""
    text = page("cli")
    told = section(text, name)
    told_once = "".join(section(text, shared) for shared in SHARED_OPTIONS)
    assert told, f"docs/cli.md has no section {name}"
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            spellings = [*option.opts, *option.secondary_opts]
            assert all(f"`{spelling}" in told + told_once for spelling in spellings), f"{name}: {option.opts}"
    assert any(command.startswith(name) for command in commands(text)), f"{name} has no example"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_command_lines_name_commands_and_options_that_exist(path: Path) -> None:
    """What is shown can be typed."""
    for line in commands(path.read_text()):
        words = shlex.split(line)[1:]
        command: click.Command = main
        while words and isinstance(command, click.Group) and not words[0].startswith("-"):
            assert words[0] in _within(command), line
            command = _within(command)[words.pop(0)]
        known = {spelling for each in command.params for spelling in (*each.opts, *each.secondary_opts)}
        known.add("--help")
        assert [word for word in words if word.startswith("--") and word not in known] == [], line


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flags", [*Operator, *Reason, *ErrorCode, *RuleVerdict]),
        ("insights", [word.name for word in (*Measure, *Interval)]),
        ("admin", [role.name for role in Role if role is not Role.UNKNOWN]),
    ],
    ids=["flags", "insights", "admin"],
)
def test_every_word_of_the_wire_is_explained(name: str, words: list[str]) -> None:
    """Operators, reasons, error codes, verdicts, measures, intervals; roles stand at the head of their table."""
    text = page(name)
    form = "{}" if name == "admin" else "`{}`"
    assert [word for word in words if form.format(word) not in text] == []


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_the_client_has_a_section_with_its_signature(name: str) -> None:
    """With every argument and default, in order."""
    member = inspect.getattr_static(burgee.Client, name)
    told = section(page("client"), name)
    assert told, f"docs/client.md has no section {name}"
    if inspect.isfunction(member):
        assert f"`{name}{_signature(member)}`" in told


def test_every_argument_of_the_client_is_told() -> None:
    """In the table of the page's first section."""
    table = section(page("client"), "Client")
    assert [name for name in inspect.signature(burgee.Client).parameters if f"| `{name}` |" not in table] == []


def test_everything_that_a_fake_has_beyond_a_client_is_told() -> None:
    """With every argument and default, in the table of its section."""
    table = section(page("client"), "Testing")
    for name, member in vars(_Fake).items():
        if inspect.isfunction(member) and not name.startswith("_") and name != "stub":
            assert f"| `{name}{_signature(member)}` |" in table
        elif isinstance(member, property):
            assert f"`{name}`" in table
    assert f"| `FakeClient{_signature(_Fake.__init__)}` |" in table


def test_the_provider_is_told_with_its_arguments() -> None:
    """As it is made."""
    assert f"`burgee.openfeature.BurgeeProvider{_signature(BurgeeProvider.__init__)}`" in page("client")


def _signature(function: Callable[..., Any]) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return str(inspect.Signature(bare)).replace("'", '"')


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    """Relative links only: the rest of the world is not ours to test."""
    for link in links(path.read_text()):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{path.name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{path.name}: {link}"


@pytest.mark.parametrize("snippet", list(snippets()), ids=lambda snippet: snippet.name)
async def test_snippets_run_and_print_what_they_say(
    snippet: Snippet, server: RunningServer, admin: Caller, operator: Caller
) -> None:
    """Each in an environment of its own, with a `client` and an `operator`."""

    def run() -> str:
        printed = io.StringIO()
        with (
            burgee.Client(server.target, admin.secret, flag_timeout=20) as client,
            burgee.Client(server.target, operator.secret) as of_operator,
            contextlib.redirect_stdout(printed),
        ):
            exec(compile(snippet.code, snippet.name, "exec"), {"client": client, "operator": of_operator})
        return printed.getvalue()

    async with asyncio.timeout(60):
        printed = await asyncio.to_thread(run)
    if snippet.output is not None:
        assert printed == snippet.output


def test_there_are_snippets_to_run() -> None:
    """A changed fence would otherwise turn every test of them off."""
    assert len(list(snippets())) >= 20
