"""The README's first flag and first funnel, run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.nursery import run_python
from tests.fixtures.serving import environment

README = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(language):
    """The code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands(block):
    """The burgee commands in a shell block, without comments."""
    words = (shlex.split(line, comments=True) for line in block.splitlines())
    return [line[1:] for line in words if line[:1] == ["burgee"]]


@pytest.mark.parametrize("part", [f"make {name}" for name in ("run", "test", "demo", "help")])
def test_the_commands_that_the_readme_names_are_there(part):
    """`make run` and the like are targets of the Makefile."""
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()

    assert part in README
    assert re.search(rf"^{part.removeprefix('make ')}:", makefile, re.MULTILINE)


def test_the_first_sixty_seconds_work_as_written(serve, tmp_path):
    """Create the flag, run the program, ask on the command line; every line succeeds and says what it should.

    The server, the commands before the program and the program import what they need; what is asked after it is forked.
    """
    server = serve(first=True, within=("env",))
    settings = environment(BURGEE_TARGET=server.target, BURGEE_API_KEY=server.key)

    def said(done):
        assert done.returncode == 0, f"{done.args}: {done.stderr}"
        return done.stdout

    def run(*arguments):
        words, where = [sys.executable, *arguments], {"env": settings, "cwd": tmp_path}
        return said(subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **where))

    create, ask = (commands(block) for block in blocks("sh"))
    for command in create:
        run("-m", "burgee_server", *command)
    [program] = blocks("python")
    (tmp_path / "first.py").write_text(program)
    printed = run("first.py").splitlines()
    assert printed[:3] == ["acme False DEFAULT", "bolt False DEFAULT", "fern True SPLIT"]
    assert printed[3:] == ["signed_up 2 100%", "report_created 1 50%"]

    (tmp_path / "history.ndjson.gz").write_text('{"event": "seen", "distinct_id": "ann", "timestamp": 1700000000}\n')
    answers = {
        command[0]: said(run_python("-m", "burgee_server", *command, text=True, env=settings, cwd=tmp_path))
        for command in ask
    }

    assert "acme" in answers["companies"]
    assert "1 events accepted" in answers["import"]
