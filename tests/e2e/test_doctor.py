"""`burgee doctor` beside a server, and where one ran."""

import json

from tests.fixtures.nursery import run_python
from tests.fixtures.serving import environment


def doctor(*arguments, **settings):
    """What it finds, and its exit code."""
    done = run_python("-m", "burgee_server", "doctor", *arguments, "--json", text=True, env=environment(**settings))
    return done, json.loads(done.stdout) if done.stdout else []


def test_it_asks_the_server_that_has_the_directory_and_looks_itself_when_none_has(serve):
    """The embedded warehouse is looked at either way: by the one process that can."""
    server = serve()
    running, found = doctor("--data", str(server.data))
    locked_out, partly = doctor("--data", str(server.data), BURGEE_API_KEY="of-nobody-at-all")
    from_afar, as_found = doctor("--target", server.target, "--api-key", server.key)
    refused, _ = doctor("--target", server.target, "--api-key", "of-nobody-at-all")
    server.stop()
    stopped, later = doctor("--data", str(server.data))

    for done, findings in ((running, found), (from_afar, as_found), (stopped, later)):
        assert done.returncode == 0, done.stdout + done.stderr
        assert any(each["subject"] == "warehouse" and "ClickHouse" in each["found"] for each in findings)
        assert any(each["subject"] == "control store" and "newest migration" in each["found"] for each in findings)
    assert found[0]["subject"] == "server"
    assert server.target in found[0]["found"]
    assert locked_out.returncode == 0
    assert {each["subject"]: each["state"] for each in partly}["server"] == "warning"
    assert any("not looked at" in each["found"] for each in partly)
    assert refused.returncode == 1
    assert "UNAUTHENTICATED" in refused.stderr
    assert server.key not in running.stdout + stopped.stdout
    assert serve().target  # nothing that it did keeps a server from starting


def test_health_says_whether_a_server_serves_and_exits_with_one_if_it_does_not(serve):
    """For scripts and containers that wait: no key, one word."""

    def health(*arguments):
        command = ("-m", "burgee_server", "health", "--target", server.target, *arguments)
        return run_python(*command, text=True, env=environment())

    server = serve()
    well, unknown = health("--service", "burgee.v1.FlagService"), health("--service", "burgee.v1.Nothing")
    server.stop()
    gone = health()

    assert (well.returncode, well.stdout) == (0, "SERVING\n")
    assert (unknown.returncode, gone.returncode) == (1, 1)
    assert "NOT_FOUND" in unknown.stderr
    assert "nothing listens there" in gone.stderr
