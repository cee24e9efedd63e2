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
    print_csv(["part", "time", "value", "more"], rows)
    written = capsys.readouterr().out
    assert list(csv.DictReader(io.StringIO(written))) == [
        {"part": 'a, "b"\nc', "time": "2026-03-01T00:00:00+00:00", "value": "2", "more": ""},
        {"part": "", "time": "2026-03-01T00:00:00+00:00", "value": "", "more": "0.25"},
    ]


def test_no_rows_are_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    """What reads them finds its columns."""
    print_csv(["key", "value"], [])
    assert capsys.readouterr().out == "key,value\n"
