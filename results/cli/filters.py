"""Which rows of a table, in which order, and which columns: what a command line says, checked before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.run.columns import Field

if TYPE_CHECKING:
    import pandas as pd


def where(frame: pd.DataFrame, condition: str) -> pd.DataFrame:
    """The rows that a condition holds for; see `results.cli.condition`.

    Raises:
        ValueError: for what is no condition on the table's columns.
    """
    from results.cli.condition import Condition

    return frame[Condition(condition, frame).holds()]


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


def chosen(names: str, columns: Sequence[Field]) -> tuple[Field, ...]:
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
