"""`python -m results show RUN`: the table of a run, or some of it, as text or as a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from results.cli.filters import chosen, ordered, where
from results.export.tables import FOR_PROGRAMS, FORMATS, kind_of, render
from results.run.columns import COLUMNS, EXAMPLE, Field
from space.own_families import add_families
from space.shell.command import Parser, start_command
from space.shell.files import write_files
from space.shell.words import amount

if TYPE_CHECKING:
    import pandas as pd

PROG = "python -m results show"
WIDTH = 120  # of text in the columns that are shown unless others are asked for
_USUAL = (
    "trial", "state", "family", "expected_error", "familiarity", "proxy_top1", "macs", "proxy_macs", "params",
    "latency_ms", "mean_top1", "p_frontier", "trained_top1", "trained_recipe", "on_frontier", "landmark", "network",
)  # fmt: skip
_DULL = {"state": "complete", "on_frontier": True, "p_frontier": 0.0}  # what needs no column if all rows have it


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m results show`."""
    parser = Parser(
        prog=PROG,
        description="Prints the table of a run, one trial a row, or writes it to a file. docs/columns.md says what the "
        "columns are.",
    )
    parser.add_argument("run", metavar="RUN", help="the run's directory, such as runs/NAME")
    add_families(parser)
    parser.add_argument("--storage", metavar="URL", help="where the study is, if not in the run's directory")
    parser.add_argument("--sort", metavar="COLUMN[:desc]", help="the order of the rows (trial; a frontier's: its cost)")
    parser.add_argument("--where", metavar="CONDITION", help=f"which rows, such as {EXAMPLE}")
    parser.add_argument("--columns", metavar="NAMES", help="separated by commas, or all (of files for programs all)")
    parser.add_argument("--frontier", action="store_true", help="the frontier alone")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N rows alone")
    add_format(parser)
    return parser


def add_format(parser: argparse.ArgumentParser) -> None:
    """The two options that say how a table is written."""
    parser.add_argument("--format", choices=tuple(FORMATS), metavar="KIND", help=f"{', '.join(FORMATS)} (text)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"where to; its ending tells the format: {', '.join(FORMATS.values())}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, read, print or write. Returns the exit status."""
    return start_command(make_parser(), show, arguments)


def show(options: argparse.Namespace) -> str:
    """What is printed.

    Raises:
        ValueError: for a condition, an order, a column or a run that there is none of.
        OSError: if the file cannot be written.
    """
    if options.limit is not None and options.limit < 1:
        raise ValueError(f"--limit {options.limit}: expected how many rows, from 1")
    kind = format_of(options)
    columns = None if options.columns is None else chosen(options.columns, COLUMNS)

    from results import load_run

    run = load_run(options.run, options.storage)
    for note in run.notes:
        print(f"{PROG}: {note}", file=sys.stderr)
    frame = run.frontier() if options.frontier else run.frame()
    if options.where is not None:
        frame = where(frame, options.where)
    if options.sort is not None:
        frame = ordered(frame, options.sort)
    if options.limit is not None:
        frame = frame.head(options.limit)
    if columns is None:
        columns = COLUMNS if kind in FOR_PROGRAMS else usual(frame)
        return deliver(frame, columns, options, WIDTH)
    return deliver(frame, columns, options)


def usual(frame: pd.DataFrame) -> tuple[Field, ...]:
    """The columns that are shown unless others are asked for, without those that tell nothing of these rows."""
    telling = [
        name for name in _USUAL if frame[name].notna().any() and not (frame[name].dropna() == _DULL.get(name)).all()
    ]
    return tuple(column for name in telling for column in COLUMNS if column.name == name)


def deliver(
    frame: pd.DataFrame, columns: Sequence[Field], options: argparse.Namespace, width: int | None = None
) -> str:
    """Write a table to ``--out`` and say so, or give it as text.

    Raises:
        ValueError: as `format_of`.
        OSError: if the file cannot be written.
    """
    kind = format_of(options)
    if options.out is not None:
        write_files({options.out: render(frame, columns, kind, width)})
        return f"{amount(len(frame), 'row')}, {amount(len(columns), 'column')}: {options.out}"
    if frame.empty and kind == "text":
        return "no row"
    return render(frame, columns, kind, width).decode().rstrip("\n")


def format_of(options: argparse.Namespace) -> str:
    """The format that ``--format`` and ``--out`` ask for; to be asked before anything is read.

    Raises:
        ValueError: if the ending does not say it, or the kind is not for a terminal.
    """
    if options.out is None:
        if options.format == "parquet":
            raise ValueError("--format parquet is no text: expected --out FILE.parquet with it")
        return options.format or "text"
    if options.out.is_dir():
        raise ValueError(f"--out {options.out} is a directory: expected the name of a file")
    return kind_of(options.out, options.format)
