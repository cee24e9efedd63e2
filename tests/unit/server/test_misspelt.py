"""What the environment has that looks like a setting."""

import logging
import os

import pytest
from click.testing import CliRunner

from burgee_server.cli import main
from burgee_server.misspelt import misspelt

KUBERNETES = (
    *("BURGEE_SERVICE_HOST", "BURGEE_SERVICE_PORT", "BURGEE_SERVICE_PORT_GRPC", "BURGEE_PORT", "BURGEE_PORT_4750_TCP"),
    *("BURGEE_PORT_4750_TCP_PROTO", "BURGEE_PORT_4750_TCP_ADDR", "BURGEE_API_SERVICE_HOST", "BURGEE_METRICS_PORT"),
)


def test_a_name_that_is_no_setting_is_told_with_the_one_that_it_is_like():
    """In any case of letters, as settings are; and never with what it is set to."""
    told = list(misspelt(["PATH", "BURGEE_LISTN", "burgee_querry_seconds", "BURGEE_COLOUR", "BURGEE_LISTEN"]))

    assert told == [
        "BURGEE_COLOUR in the environment is no setting and changes nothing",
        "BURGEE_LISTN in the environment is no setting and changes nothing: BURGEE_LISTEN?",
        "burgee_querry_seconds in the environment is no setting and changes nothing: BURGEE_QUERY_SECONDS?",
    ]


@pytest.mark.parametrize("name", [*KUBERNETES, "BURGEE_API_KEY", "BURGEE_TARGET", "BURGEE_WEBHOOK", "burgee_data"])
def test_what_a_cluster_and_clients_set_is_passed_over(name):
    """A service named burgee must not fill the log of every container beside it."""
    assert list(misspelt([name])) == []


def test_the_doctor_tells_of_it(tmp_path, monkeypatch):
    """As a warning: it is not what stops a server."""
    for name in [name for name in os.environ if name.startswith("BURGEE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BURGEE_LISTN", "hidden")

    done = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path / "data"), "--json"])

    assert "BURGEE_LISTEN?" in done.output
    assert "hidden" not in done.output


def test_a_start_warns_of_it_and_goes_on(tmp_path, monkeypatch):
    """In the log, before anything else."""
    monkeypatch.setenv("BURGEE_LISTN", "hidden")
    said, written = [], []
    monkeypatch.setattr("burgee_server.app.run", lambda settings, say: said.append(settings.data))
    monkeypatch.setattr("burgee_server.logs.start_logging", lambda *_: None)
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: written.append(record.getMessage()))
    logger = logging.getLogger("burgee_server.cli.serve")
    logger.addHandler(handler)

    done = CliRunner().invoke(main, ["serve", "--data", str(tmp_path / "data")])
    logger.removeHandler(handler)

    assert (done.exit_code, said) == (0, [tmp_path / "data"])
    assert any("BURGEE_LISTEN?" in each and "hidden" not in each for each in written)
