"""Wrong settings are said in words for people."""

from pathlib import Path

import click
import pytest

from burgee_server.cli.settings import settings_in_force


@pytest.mark.parametrize(
    ("flags", "begins"),
    [
        ({"processes": 2}, "settings: role and processes are for several processes"),
        ({"group_columns": "company, a.b"}, "settings: group_columns"),
        ({"property_columns": "plan, " + 201 * "x"}, "settings: property_columns"),
        ({"listen": "nowhere"}, "settings: listen: must be HOST:PORT"),
        ({"tls_key": "hidden.pem"}, "settings: tls_certificate and tls_key belong together"),
        (
            {"tls_key": "hidden.pem", "tls_certificate": "c.pem", "transport": "native"},
            "settings: the native transport has no TLS",
        ),
        ({"connection_seconds": 600.0, "transport": "native"}, "settings: the native transport does not limit the age"),
        ({"warehouse": "http://ann:hidden@h/n"}, "settings: warehouse: must be clickhouse://"),
    ],
)
def test_what_is_wrong_is_said_without_the_words_of_a_library_and_without_the_value(
    tmp_path: Path, flags: dict[str, object], begins: str
) -> None:
    """The setting's name, if it is about one; never what was given, which may be a secret."""
    with pytest.raises(click.ClickException) as raised:
        settings_in_force(None, data=tmp_path, **flags)

    assert raised.value.message.startswith(begins)
    assert "hidden" not in raised.value.message


def test_an_unknown_setting_in_the_file_is_named(tmp_path: Path) -> None:
    """One that is misspelt would otherwise be the default."""
    (tmp_path / "burgee.toml").write_text("jurnal_max_mb = 3\n")

    with pytest.raises(click.ClickException, match="jurnal_max_mb"):
        settings_in_force(tmp_path / "burgee.toml")


@pytest.mark.parametrize("setting", ["group_columns", "property_columns"])
def test_what_has_columns_is_a_list_or_words_with_commas_between(tmp_path: Path, setting: str) -> None:
    """In the environment there are only texts; none is none."""
    file = tmp_path / "burgee.toml"
    for written, read in (('"company, team,"', ("company", "team")), ('["team"]', ("team",)), ('""', ())):
        file.write_text(f"{setting} = {written}\n")
        assert getattr(settings_in_force(file), setting) == read
