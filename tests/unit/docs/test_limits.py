"""The table of limits in docs/operations.md says what the code says."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.unit.docs.pages import ROOT, page, section

SIDES = {"server": ROOT / "server/burgee_server", "client": ROOT / "client/burgee"}
ROWS = [row for row in section(page("operations"), "Limits").splitlines() if row.startswith("| ")][1:]
PLACES = sorted({place for row in ROWS for place in re.findall(r"`((?:server|client)/[^`]+)`", row)})


def _limits() -> Iterator[tuple[str, str, int]]:
    """Each number of the code that a caller is held to, by its name: the file, the name, the number."""
    for side, root in SIDES.items():
        for path in sorted(root.rglob("*.py")):
            text = path.read_text()
            for statement in ast.parse(text).body if "MAX_" in text else ():
                for name, value in _assigned(statement):
                    if name.startswith("MAX_"):
                        number = eval(compile(ast.Expression(value), path, "eval"), {"__builtins__": {}})
                        yield f"{side}/{path.relative_to(root)}", name, number


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement gives values to, one by one."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            for each, value in zip(names, values, strict=True):
                if isinstance(each, ast.Name):
                    yield each.id, value


LIMITS = list(_limits())


def _ways(number: int) -> Iterator[str]:
    yield f"{number:,}"
    for shift, unit in ((10, "KB"), (20, "MB")):
        if number >> shift << shift == number:
            yield f"{number >> shift:,} {unit}"


@pytest.mark.parametrize("place", PLACES)
def test_every_place_that_the_table_of_limits_names_is_there(place: str) -> None:
    """A file that was moved takes its row along."""
    side, _, rest = place.partition("/")
    assert (SIDES[side] / rest).exists()


@pytest.mark.parametrize(("place", "name", "number"), LIMITS, ids=[f"{place}:{name}" for place, name, _ in LIMITS])
def test_every_limit_of_the_code_is_in_the_table_with_its_number(place: str, name: str, number: int) -> None:
    """A row that names its file, or the folder, has the number."""
    rows = [row for row in ROWS if re.search(rf"`{place}`|`{place.rpartition('/')[0]}/`", row)]
    assert rows, f"{name} is in no row"
    assert any(re.search(rf"(?<![\d,]){re.escape(way)}(?!,?\d)", row) for row in rows for way in _ways(number)), rows
