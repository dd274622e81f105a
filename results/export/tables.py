"""Tables as files and as text: aligned for a terminal, for a paper, and whole and typed for other programs.

Text, Markdown and LaTeX are for readers: rounded, large counts in M and G, units in the header. CSV, Parquet and JSON
keep every digit and the columns' own units; Parquet has the units and meanings with it.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.run.columns import Column

if TYPE_CHECKING:
    import pandas as pd


_COUNTS = ("macs", "target_macs", "budget_macs", "params", "activations")  # readers get them in G, M or k
SCALES = ((1e9, "G", 3), (1e6, "M", 2), (1e3, "k", 1), (1.0, "", 0))  # divisor, symbol, decimals
_SCALED = {"latency_memory": (2.0**20, "MiB", 1), "p_frontier": (1.0, "", 2)}
_DECIMALS = {"%": 2, "ms": 3, "s": 1, "nats": 4, "1/s": 0}
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip
Rows = list[list[str]]


def render(frame: pd.DataFrame, columns: Sequence[Column], kind: str, width: int | None = None) -> bytes:
    """A table as the content of a file.

    Args:
        frame: what to show, in order; it has all of `columns`, and more does not matter.
        columns: what to show of it.
        kind: one of `FORMATS`.
        width: of text: the last column is cut to fit.
    """
    frame = frame[[column.name for column in columns]]
    return _WRITERS[kind](frame, columns) if kind != "text" else (text(frame, columns, width) + "\n").encode()


def text(frame: pd.DataFrame, columns: Sequence[Column], width: int | None = None) -> str:
    """Columns under their names and units; words at the left, numbers at the right."""
    names, units = [column.name for column in columns], [_unit(frame, column) for column in columns]
    heads = [names, units] if any(units) else [names]
    return align(heads + _cells(frame, columns, "-"), [_number(column) for column in columns], width)


def turned(frame: pd.DataFrame, columns: Sequence[Column]) -> str:
    """A table of few rows as text with a line a column; the first column becomes the heads."""
    cells = zip(*_cells(frame, columns, "-"), strict=True)
    rows = [[_head(frame, column), *values] for column, values in zip(columns, cells, strict=True)]
    return align(rows, [False, *[True] * len(frame)])


def align(rows: Rows, numbers: Sequence[bool], width: int | None = None) -> str:
    """Rows of words as lines; columns that are numbers stand at the right, and the last one is cut to the width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        words = [
            word.rjust(room) if number else word.ljust(room)
            for word, room, number in zip(row, widths, numbers, strict=True)
        ]
        line = "  ".join(words).rstrip()
        lines.append(line if width is None or len(line) <= width else line[: width - 3] + "...")
    return "\n".join(lines)


def kind_of(path: Path, kind: str | None) -> str:
    """The format of a file: what is said, else by the ending of its name.

    Raises:
        ValueError: if neither tells.
    """
    if kind is not None:
        return kind
    endings = {ending: name for name, ending in FORMATS.items()}
    if path.suffix.lower() not in endings:
        raise ValueError(f"{path}: expected a name that ends in one of {', '.join(endings)}, or --format")
    return endings[path.suffix.lower()]


# ------------------------------------------------------------------------------------------ for readers


def scale(frame: pd.DataFrame, name: str) -> tuple[float, str, int] | None:
    """Divisor, symbol and decimals that a reader gets a column in; None for as it is. The largest count decides."""
    if name not in _COUNTS:
        return _SCALED.get(name)
    largest = max(frame[name].dropna(), default=0)
    return next((each for each in SCALES if largest >= each[0]), SCALES[-1])


def _unit(frame: pd.DataFrame, column: Column) -> str:
    scaled = scale(frame, column.name)
    return column.unit if scaled is None else scaled[1]


def _number(column: Column) -> bool:
    return column.dtype in ("int64", "Int64", "float64")


def _head(frame: pd.DataFrame, column: Column) -> str:
    """A column's name and unit in a paper."""
    unit = _unit(frame, column)
    return column.name.replace("_", " ") + (f" ({unit})" if unit else "")


def _cells(frame: pd.DataFrame, columns: Sequence[Column], missing: str) -> Rows:
    of_columns = []
    for column in columns:
        values, scaled = frame[column.name], scale(frame, column.name)
        cells = zip(values, values.isna(), strict=True)
        of_columns.append([missing if gone else _cell(column, value, scaled) for value, gone in cells])
    return [list(row) for row in zip(*of_columns, strict=True)]


def _cell(column: Column, value: Any, scaled: tuple[float, str, int] | None) -> str:
    if scaled is not None:
        return f"{value / scaled[0]:.{scaled[2]}f}"
    if column.dtype == "float64":
        return f"{value:.{_DECIMALS[column.unit]}f}" if column.unit in _DECIMALS else f"{value:.4g}"
    if column.dtype == "bool":
        return "yes" if value else "no"
    if column.dtype.startswith("datetime"):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return " ".join(str(value).split())  # a reason may have several lines


def _markdown(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    def line(words: Sequence[str]) -> str:
        return f"| {' | '.join(words)} |"

    def escaped(word: str) -> str:
        return re.sub(r"([\\`*_\[\]<>|&~])", r"\\\1", word)

    lines = [line([escaped(_head(frame, column)) for column in columns])]
    lines.append(line(["---:" if _number(column) else "---" for column in columns]))
    lines += [line([escaped(word) for word in row]) for row in _cells(frame, columns, "")]
    return ("\n".join(lines) + "\n").encode()


def _latex(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    def line(words: Sequence[str]) -> str:
        return "    " + " & ".join("".join(_LATEX.get(letter, letter) for letter in word) for word in words) + r" \\"

    lines = [
        r"% \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{''.join('r' if _number(column) else 'l' for column in columns)}}}",
        r"    \toprule",
        line([_head(frame, column) for column in columns]),
        r"    \midrule",
        *(line(row) for row in _cells(frame, columns, "--")),
        r"    \bottomrule",
        r"\end{tabular}",
    ]
    return ("\n".join(lines) + "\n").encode()


# ------------------------------------------------------------------------------------------ for programs


def _csv(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    return frame.to_csv(index=False).encode()


def _json(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    """A list of objects, null for what is missing, times as ISO 8601."""
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return (json.dumps(records, indent=2, default=lambda value: value.isoformat(), allow_nan=False) + "\n").encode()


def _parquet(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        field.with_metadata({"unit": column.unit, "meaning": column.meaning})
        for field, column in zip(table.schema, columns, strict=True)
    ]
    buffer = io.BytesIO()
    pq.write_table(table.cast(pa.schema(fields, table.schema.metadata)), buffer)
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[pd.DataFrame, Sequence[Column]], bytes]] = {
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "latex": _latex,
    "markdown": _markdown,
}
FORMATS = {"text": ".txt", "csv": ".csv", "parquet": ".parquet", "json": ".json", "latex": ".tex", "markdown": ".md"}
FOR_PROGRAMS = ("csv", "parquet", "json")
