"""Which rows of a table, in which order, and which columns: what a command line says, checked before it is done."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.run.columns import Column

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE = "'macs < 2e9 and family == \"resnext\"'"
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Div, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Name, ast.Load,
    ast.Constant, ast.List, ast.Tuple,
)  # fmt: skip
LONGEST = 1000  # letters


def where(frame: pd.DataFrame, condition: str) -> pd.DataFrame:
    """The rows that a condition holds for: columns, numbers and quoted text, compared and joined by and, or, not.

    It is read as Python, and refused unless it is made of these alone: no attribute, call, index or other name ever
    reaches pandas' ``eval``. A comparison with what is missing does not hold.

    Raises:
        ValueError: for anything else, naming the columns where one is not known.
    """
    import pandas as pd

    columns = [str(name) for name in frame.columns]
    _check(condition, columns)
    try:
        mask = frame.eval(condition.strip(), engine="python")
    except (TypeError, ValueError, NotImplementedError, ArithmeticError) as error:
        raise ValueError(f"--where {condition!r}: {error}; expected a condition such as {EXAMPLE}") from error
    if not isinstance(mask, pd.Series) or mask.dtype not in ("bool", "boolean"):
        raise ValueError(f"--where {condition!r} is no condition: expected one such as {EXAMPLE}")
    return frame[mask.fillna(False).astype(bool)]


def _check(condition: str, columns: Sequence[str]) -> None:
    """Raise ValueError unless the condition is made of what `where` allows."""
    if len(condition) > LONGEST:
        raise ValueError(f"--where has {len(condition)} letters: expected at most {LONGEST}")
    try:
        nodes = list(ast.walk(ast.parse(condition.strip(), mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"--where {condition!r} cannot be read: expected a condition such as {EXAMPLE}") from error
    for node in nodes:
        if isinstance(node, ast.Name) and node.id not in columns:
            raise ValueError(f"--where {condition!r}: there is no column {node.id!r}; there are {', '.join(columns)}")
        allowed = isinstance(node, _ALLOWED)
        if isinstance(node, ast.Constant):
            allowed = type(node.value) in (int, float, str, bool)
        if not isinstance(node, ast.Compare | ast.List | ast.Tuple):  # a text times a number may be without end
            allowed = allowed and not any(_is_text(child) for child in ast.iter_child_nodes(node))
        if not allowed:
            raise ValueError(
                f"--where {condition!r}: expected columns, numbers and quoted text, compared and joined by and, or, "
                f"not, such as {EXAMPLE}"
            )


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.List | ast.Tuple) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def ordered(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rows sorted by "COLUMN" or "COLUMN:desc"; equal ones stay in order, what is missing comes last.

    Raises:
        ValueError: for another column or direction.
    """
    name, _, direction = by.partition(":")
    if name not in frame.columns:
        raise ValueError(f"--sort {by!r}: there is no column {name!r}; there are {', '.join(frame.columns)}")
    if direction not in ("", "asc", "desc"):
        raise ValueError(f"--sort {by!r}: expected COLUMN, COLUMN:asc or COLUMN:desc")
    return frame.sort_values(name, ascending=direction != "desc", kind="stable", na_position="last")


def chosen(names: str, columns: Sequence[Column]) -> tuple[Column, ...]:
    """Columns by their names, separated by commas; "all" are all.

    Raises:
        ValueError: for one that there is none of.
    """
    known = {column.name: column for column in columns}
    if names == "all":
        return tuple(columns)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise ValueError(f"--columns {name!r}: expected all, or some of {', '.join(known)}, separated by commas")
    if not wanted:
        raise ValueError("--columns names none: expected some, separated by commas, such as trial,macs,proxy_top1")
    return tuple(known[name] for name in dict.fromkeys(wanted))
