"""Conditions on a table's rows: read as Python, made of a few kinds of parts alone, and worked out here.

Columns and literals are numbers, texts, truths or times. Each part's kind is known before anything is worked out, so
that nothing but the operators below ever meets a column, and they meet only what they are made for.

Missing values follow one rule, SQL's: what is compared with a missing value is unknown, ``not`` of it is unknown, and
rows of which the whole condition is unknown are left out.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import pandas as pd

from results.run.columns import EXAMPLE

LONGEST = 1000  # letters
DEEPEST = 50  # parts within parts
EXPECTED = f"expected columns, numbers and quoted text, compared and joined by and, or, not, such as {EXAMPLE}"
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_ORDER: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_EQUALITY: dict[type, Callable[[Any, Any], Any]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
NUMBER, TEXT, TRUTH, TIME = "a number", "a text", "true or false", "a time"


class Condition:
    """A condition that was read; `holds` says of which rows it is true."""

    def __init__(self, text: str, frame: pd.DataFrame) -> None:
        """Read it.

        Args:
            text: such as ``macs < 2e9 and family == "resnext"``.
            frame: has the columns.

        Raises:
            ValueError: for anything but a condition on these columns.
        """
        self.text, self._frame = text, frame
        if len(text) > LONGEST:
            raise ValueError(f"--where has {len(text)} letters: expected at most {LONGEST}")
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(f"--where {text!r} cannot be read: expected a condition such as {EXAMPLE}") from error
        if self._kind(self._tree, 0) != TRUTH or isinstance(self._tree, ast.Constant):
            raise ValueError(f"--where {text!r} is no condition: expected one such as {EXAMPLE}")

    def holds(self) -> pd.Series[bool]:
        """Of each row whether the condition is true; what is unknown is not.

        Raises:
            ValueError: for a text that is no time where it is compared with one.
        """
        return self._truth(self._tree).fillna(False).astype(bool)

    # ------------------------------------------------------------------------------------------ what it is made of

    def _kind(self, node: ast.AST, depth: int) -> str:
        """What a part is: a number, a text, true or false, a time. Refuses all that is not made of the allowed."""
        if depth > DEEPEST:
            raise ValueError(f"--where has more than {DEEPEST} parts within parts: expected a simpler condition")
        match node:
            case ast.Name(id=name):
                return self._kind_of_column(name)
            case ast.Constant(value=bool()):
                return TRUTH
            case ast.Constant(value=int() | float()):
                return NUMBER
            case ast.Constant(value=str()):
                return TEXT
            case ast.BoolOp(values=parts):
                self._need(TRUTH, parts, depth)
                return TRUTH
            case ast.UnaryOp(op=ast.Not(), operand=part):
                self._need(TRUTH, [part], depth)
                return TRUTH
            case ast.UnaryOp(op=ast.USub(), operand=part):
                self._need(NUMBER, [part], depth)
                return NUMBER
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                self._need(NUMBER, [left, right], depth)
                return NUMBER
            case ast.Compare(left=left, ops=ops, comparators=others):
                for sign, one, other in zip(ops, [left, *others], others, strict=False):
                    self._check_comparison(sign, one, other, depth)
                return TRUTH
        raise ValueError(f"--where {self.text!r}: {EXPECTED}")

    def _kind_of_column(self, name: str) -> str:
        columns = [str(each) for each in self._frame.columns]
        if name not in columns:
            raise ValueError(f"--where {self.text!r}: there is no column {name!r}; there are {', '.join(columns)}")
        column = self._frame[name]
        if pd.api.types.is_bool_dtype(column):
            return TRUTH
        if pd.api.types.is_numeric_dtype(column):
            return NUMBER
        return TIME if pd.api.types.is_datetime64_any_dtype(column) else TEXT

    def _need(self, kind: str, parts: list[ast.expr], depth: int) -> None:
        for part in parts:
            if (got := self._kind(part, depth + 1)) != kind:
                raise self._unlike(part, got, kind)

    def _check_comparison(self, op: ast.cmpop, one: ast.expr, other: ast.expr, depth: int) -> None:
        kind = self._kind(one, depth + 1)
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(other, ast.List | ast.Tuple) or not other.elts:
                raise ValueError(f"--where {self.text!r}: expected a list behind in, such as 'trial in [1, 3]'")
            others = other.elts
        elif type(op) in _ORDER or type(op) in _EQUALITY:
            others = [other]
        else:
            raise ValueError(f"--where {self.text!r}: {EXPECTED}")
        if kind == TRUTH and type(op) in _ORDER:
            raise self._unlike(one, kind, NUMBER)
        for each in others:
            got = self._kind(each, depth + 1)
            if {kind, got} == {TIME, TEXT} and isinstance(one if kind == TEXT else each, ast.Constant):
                continue  # times are written as texts
            if got != kind:
                raise self._unlike(each, got, kind)

    def _unlike(self, part: ast.expr, got: str, expected: str) -> ValueError:
        return ValueError(
            f"--where {self.text!r}: {ast.unparse(part)} is {got}, expected {expected} there; expected a condition "
            f"such as {EXAMPLE}"
        )

    # ------------------------------------------------------------------------------------------ what it comes to

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                column = self._frame[name]
                if pd.api.types.is_datetime64_any_dtype(column):
                    return column
                if pd.api.types.is_bool_dtype(column):
                    return column.astype("boolean")
                return column.astype("Float64" if pd.api.types.is_numeric_dtype(column) else "string")
            case ast.Constant(value=value):
                return _number(value) if isinstance(value, int) and not isinstance(value, bool) else value
            case ast.BoolOp(op=op, values=parts):
                return reduce(operator.and_ if isinstance(op, ast.And) else operator.or_, map(self._truth, parts))
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return ~self._truth(part)
            case ast.UnaryOp(operand=part):
                return -self._value(part)
            case ast.BinOp(left=left, op=op, right=right):
                return _arithmetic(_ARITHMETIC[type(op)], self._value(left), self._value(right))
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip(ops, [left, *others], others, strict=False)
                return reduce(operator.and_, (self._compared(*each) for each in pairs))
        raise AssertionError(f"{ast.dump(node)} was not refused")

    def _truth(self, node: ast.expr) -> pd.Series[bool]:
        value = self._value(node)
        return value if isinstance(value, pd.Series) else self._all(value)

    def _compared(self, op: ast.cmpop, one: ast.expr, other: ast.expr) -> pd.Series[bool]:
        if isinstance(op, ast.In | ast.NotIn):
            assert isinstance(other, ast.List | ast.Tuple)  # as `_check_comparison` saw
            found = reduce(operator.or_, (self._pair(operator.eq, one, each) for each in other.elts))
            return found if isinstance(op, ast.In) else ~found
        return self._pair((_ORDER | _EQUALITY)[type(op)], one, other)

    def _pair(self, compare: Callable[[Any, Any], Any], one: ast.expr, other: ast.expr) -> pd.Series[bool]:
        left, right = self._value(one), self._value(other)
        if not isinstance(left, pd.Series) and not isinstance(right, pd.Series):
            return self._all(compare(left, right))
        times = [each for each in (left, right) if isinstance(each, pd.Series) and each.dtype.kind == "M"]
        if times:
            left, right = (self._time(each) if isinstance(each, str) else each for each in (left, right))
        found: pd.Series[bool] = compare(left, right).astype("boolean")
        for each in times:
            found = found.mask(each.isna())
        return found

    def _all(self, value: bool) -> pd.Series[bool]:
        return pd.Series([value] * len(self._frame), index=self._frame.index, dtype="boolean")

    def _time(self, text: str) -> pd.Timestamp:
        try:
            return pd.Timestamp(text).tz_localize(None)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"--where {self.text!r}: {text!r} is no time, expected such as '2026-01-31 12:00'"
            ) from error


def _number(value: int) -> float:
    """As a column has it: what is larger than any float is infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _arithmetic(work: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """As columns work: what is divided by zero is infinite, or not a number."""
    if isinstance(left, pd.Series) or isinstance(right, pd.Series):
        return work(left, right)
    return float(work(pd.Series([left], dtype="Float64"), right).astype("float64")[0])
