"""Which format a file's name says."""

from pathlib import Path

import pytest

from burgee_server.cli.imports.reading import format_of


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("e.ndjson", "ndjson"),
        ("e.JSONL", "ndjson"),
        ("e.json.gz", "ndjson"),
        ("2026.03.01.csv", "csv"),
        ("e.tsv.zst", "csv"),
        ("e.parquet", "parquet"),
        ("e.parquet.gz", ""),
        ("e.dat", ""),
        ("e", ""),
        ("e.gz", ""),
        ("-", ""),
        (".csv", ""),
    ],
)
def test_a_name_says_its_format_or_nothing(name, format_name):
    """What is packed is told by the name inside; Parquet packs itself."""
    assert format_of(Path(name)) == format_name
