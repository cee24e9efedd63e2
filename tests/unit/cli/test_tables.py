"""Tables for a terminal: charts have the room that the rest leaves, and no more."""

import math

import pytest

from burgee_server.cli.charts import MOST, Bar, Sparkline
from burgee_server.cli.output import print_table

NAMES = ["january", "february", "march"]


@pytest.fixture
def printed(monkeypatch, capsys):
    """Prints on a terminal of so many columns; the lines between the rules."""

    def printed(width, columns, rows):
        monkeypatch.setenv("COLUMNS", str(width))
        print_table(columns, rows)
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]

    return printed


@pytest.mark.parametrize(("width", "longest"), [(200, MOST), (50, 27), (20, 4)])
def test_bars_share_the_room_that_there_is(printed, width, longest):
    """A line a row, however narrow; the greatest fills the room, the others are in proportion, and none is none."""
    values = [8_000, 4_000, 0]
    rows = [[name, value, Bar(value, max(values))] for name, value in zip(NAMES, values, strict=True)]
    lines = printed(width, ["month", "", ""], rows)
    bars = [line[2] for line in lines if line[2]]
    assert bars == ["█" * longest, "█" * (longest // 2) + ("▌" if longest % 2 else "")]
    assert width < 50 or [line[:2] for line in lines] == [["january", "8,000"], ["february", "4,000"], ["march", "0"]]


def test_a_sparkline_puts_values_together_where_it_has_no_room_for_each(printed):
    """Means of neighbours, so that a rise stays a rise; what is no number is a gap."""
    rising = list(range(32))
    [[_, wide]] = printed(80, ["", ""], [["x", Sparkline(rising)]])
    [[_, narrow]] = printed(24, ["", ""], [["x", Sparkline(rising)]])
    assert (len(wide), len(narrow)) == (32, 16)
    assert sorted(narrow) == list(narrow)
    assert {wide[0], narrow[0], wide[-1], narrow[-1]} == {"▁", "█"}
    [[_, gap]] = printed(80, ["", ""], [["x", Sparkline([1, math.nan, 1])]])
    assert gap == "█ █"


def test_a_table_without_rows_has_its_columns(printed):
    """And a text in brackets is no markup."""
    assert printed(80, ["a", "b"], []) == []
    assert printed(80, ["a"], [["[red]"]]) == [["[red]"]]
