"""Arithmetic over the series of a trend: "A / B * 100", where A is the first series, B the second, …"""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from burgee_server.errors import Invalid
from burgee_server.insights.sql.limits import require_name

MAX_FORMULAS = 10
MAX_LENGTH = 500
MAX_DEPTH = 50

_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b if b else math.nan,
}
_SIGNS: dict[type[ast.unaryop], float] = {ast.UAdd: 1.0, ast.USub: -1.0}


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked formula. Numbers, letters of series, + - * / and parentheses; what is divided by 0 is NaN."""

    text: str
    series: frozenset[int]
    """Those that it is made of."""
    _tree: ast.expr

    def value(self, of_series: Mapping[int, float]) -> float:
        """With these numbers for its series."""
        return _value(self._tree, of_series)


def read_formula(text: str, series: int, field: str) -> Formula:
    """A formula over so many series. Raises Invalid."""
    require_name(text, field, MAX_LENGTH)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Invalid.of(field, f"{text!r} cannot be read: write it like A / B * 100") from error
    letters = ascii_uppercase[:series]
    used = set[int]()
    _check(tree, letters, used, field, 1)
    if not used:
        raise Invalid.of(field, f"{text!r} has none of the series {', '.join(letters)}")
    return Formula(text, frozenset(used), tree)


def _check(tree: ast.expr, letters: str, used: set[int], field: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Invalid.of(field, f"may be {MAX_DEPTH} deep")
    match tree:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and abs(number) <= 1e300:
            return
        case ast.Name(id=name) if name in letters and len(name) == 1:
            used.add(letters.index(name))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _SIGNS:
            _check(operand, letters, used, field, depth + 1)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATIONS:
            _check(left, letters, used, field, depth + 1)
            _check(right, letters, used, field, depth + 1)
        case _:
            words = f"numbers, + - * /, parentheses, and {', '.join(letters)} for the series"
            raise Invalid.of(field, f"{ast.unparse(tree)!r} is not part of a formula, which is made of {words}")


def _value(tree: ast.expr, of_series: Mapping[int, float]) -> float:
    match tree:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return of_series[ascii_uppercase.index(name)]
        case ast.UnaryOp(op=sign, operand=operand):
            return _SIGNS[type(sign)] * _value(operand, of_series)
        case ast.BinOp(left=left, op=operation, right=right):
            return _OPERATIONS[type(operation)](_value(left, of_series), _value(right, of_series))
    raise AssertionError("a checked formula has nothing else")
