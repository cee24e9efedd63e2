"""Answers as CSV, from real rows to lines."""

import csv
import io
from datetime import UTC, datetime
from math import nan

import pytest

from burgee_server.cli.output import print_csv

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_rows_become_lines_that_a_reader_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Names first; times as ISO 8601, whole numbers without a point, nothing and NaN empty; commas and quotes hold."""
    rows = [
        {"part": 'a, "b"\nc', "time": AT, "value": 2.0},
        {"part": None, "time": AT, "value": nan, "more": 0.25},
    ]
    print_csv(rows)
    written = capsys.readouterr().out
    assert list(csv.DictReader(io.StringIO(written))) == [
        {"part": 'a, "b"\nc', "time": "2026-03-01T00:00:00+00:00", "value": "2", "more": ""},
        {"part": "", "time": "2026-03-01T00:00:00+00:00", "value": "", "more": "0.25"},
    ]


def test_no_rows_are_their_names_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """And never an empty line, which a reader takes for a name."""
    print_csv([], "key")
    print_csv([])
    assert capsys.readouterr().out == "key\n"
