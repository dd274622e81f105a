"""Tables as files and as text: aligned for a terminal, for a paper, and whole and typed for other programs.

Text, Markdown and LaTeX are for readers: rounded, large counts in M and G, units in the header. CSV, Parquet and JSON
keep every digit and the columns' own units; Parquet has the units and meanings with it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.run.columns import Field
from space.shell.tables import Column, Table, align

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


def render(frame: pd.DataFrame, columns: Sequence[Field], kind: str, width: int | None = None) -> bytes:
    """A table as the content of a file.

    Args:
        frame: what to show, in order; it has all of `columns`, and more does not matter.
        columns: what to show of it.
        kind: one of `FORMATS`.
        width: of text: the last column is cut to fit.
    """
    frame = frame[[column.name for column in columns]]
    if kind == "text":
        table = laid_out(frame, columns, unit="\n{}")
        return (align(table.heads, table.cells(), table.right, rule=False, width=width) + "\n").encode()
    return _WRITERS[kind](frame, columns)


def turned(frame: pd.DataFrame, columns: Sequence[Field]) -> str:
    """A table of few rows as text with a line a column; the first column becomes the heads."""
    table = laid_out(frame, columns)
    first, *rows = ([head, *cells] for head, *cells in zip(table.heads, *table.cells(), strict=True))
    return align(first, rows, range(1, len(frame) + 1), rule=False)


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


def laid_out(frame: pd.DataFrame, columns: Sequence[Field], unit: str = " ({})") -> Table:
    """The table as readers get it: rounded, counts scaled, units in the heads; `unit` says how they stand there."""
    shown = []
    for field in columns:
        divisor, symbol, form = _form(frame, field)
        head = field.name if "\n" in unit else field.name.replace("_", " ")
        shown.append(Column(field.name, head + (unit.format(symbol) if symbol else ""), form, divisor))
    values = frame[[field.name for field in columns]].astype(object)
    records = values.where(values.notna(), None).to_dict("records")
    rows = [{field.name: _plain(field, record[field.name]) for field in columns} for record in records]
    return Table("", tuple(shown), tuple(rows))


def _form(frame: pd.DataFrame, field: Field) -> tuple[float, str, str]:
    """(divisor, unit, format) of a column."""
    if (scaled := scale(frame, field.name)) is not None:
        return scaled[0], scaled[1], f".{scaled[2]}f"
    if field.dtype == "float64":
        return 1, field.unit, f".{_DECIMALS[field.unit]}f" if field.unit in _DECIMALS else ".4g"
    return 1, field.unit, ">" if field.dtype in ("int64", "Int64") else ""


def _plain(field: Field, value: Any) -> Any:
    """A number as it is, anything else as a line of text."""
    if value is None or field.dtype in ("int64", "Int64", "float64"):
        return value
    if field.dtype == "bool":
        return "yes" if value else "no"
    if field.dtype.startswith("datetime"):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return " ".join(str(value).split())  # a reason may have several lines


def _markdown(frame: pd.DataFrame, columns: Sequence[Field]) -> bytes:
    return (laid_out(frame, columns).markdown("") + "\n").encode()


def _latex(frame: pd.DataFrame, columns: Sequence[Field]) -> bytes:
    def line(words: Sequence[str]) -> str:
        return "    " + " & ".join("".join(_LATEX.get(letter, letter) for letter in word) for word in words) + r" \\"

    table = laid_out(frame, columns)
    lines = [
        r"% \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{''.join('r' if column.form else 'l' for column in table.columns)}}}",
        r"    \toprule",
        line(table.heads),
        r"    \midrule",
        *(line(row) for row in table.cells("--")),
        r"    \bottomrule",
        r"\end{tabular}",
    ]
    return ("\n".join(lines) + "\n").encode()


# ------------------------------------------------------------------------------------------ for programs


def _csv(frame: pd.DataFrame, columns: Sequence[Field]) -> bytes:
    return frame.to_csv(index=False).encode()


def _json(frame: pd.DataFrame, columns: Sequence[Field]) -> bytes:
    """A list of objects, null for what is missing, times as ISO 8601."""
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return (json.dumps(records, indent=2, default=lambda value: value.isoformat(), allow_nan=False) + "\n").encode()


def _parquet(frame: pd.DataFrame, columns: Sequence[Field]) -> bytes:
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


_WRITERS: dict[str, Callable[[pd.DataFrame, Sequence[Field]], bytes]] = {
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "latex": _latex,
    "markdown": _markdown,
}
FORMATS = {"text": ".txt", "csv": ".csv", "parquet": ".parquet", "json": ".json", "latex": ".tex", "markdown": ".md"}
FOR_PROGRAMS = ("csv", "parquet", "json")
