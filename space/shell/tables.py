"""Tables for readers and for programs: rows of plain values as aligned text, as Markdown and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

Row = dict[str, Any]  # a column's key -> its value; text may have several lines


@dataclass(frozen=True)
class Column:
    """One column, and how its values are written; a list of whole numbers is written as their sum."""

    key: str
    head: str
    form: str = ""  # of a number, as `format` takes it (">": as it is); empty for text
    unit: float = 1  # what a number is divided by


@dataclass(frozen=True)
class Table:
    """Rows under their columns."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def heads(self) -> list[str]:
        """The first line."""
        return [column.head for column in self.columns]

    def cells(self, missing: str = "-") -> list[list[str]]:
        """What is written of the rows, and for a value that is missing."""
        return [[_cell(row.get(column.key), column, missing) for column in self.columns] for row in self.rows]

    @property
    def right(self) -> tuple[int, ...]:
        """Numbers of the columns that are flushed right."""
        return tuple(number for number, column in enumerate(self.columns) if column.form)

    def markdown(self, missing: str = "-") -> str:
        """For a page; what Markdown would read as markup stands as it is."""
        rows = [[_literal(cell) for cell in row] for row in self.cells(missing)]
        return markdown_table([_literal(head) for head in self.heads], rows, self.right)


@dataclass(frozen=True)
class Sheet:
    """Tables that belong together, what is to be said of them, and where their published figures come from."""

    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def text(self) -> str:
        """For a terminal."""
        parts = [self.title]
        for table in self.tables:
            parts += ["", table.title, "", align(table.heads, table.cells(), table.right)]
        return "\n".join([*parts, *(line for note in self.notes for line in ("", note)), *self._footer()])

    def markdown(self) -> str:
        """For a page; headings are left to the page."""
        parts = []
        for table in self.tables:
            parts += [f"**{table.title}**", "", table.markdown(), ""]
        for note in self.notes:
            parts += [note, ""]
        return "\n".join([*parts, *self._footer()[1:]]).rstrip()

    def to_json(self) -> dict[str, Any]:
        """Every value in full; counts are not scaled."""
        return {
            "title": self.title,
            "tables": [
                {"title": table.title, "rows": [{c.key: row.get(c.key) for c in table.columns} for row in table.rows]}
                for table in self.tables
            ],
            "notes": list(self.notes),
            "sources": list(self.sources),
        }

    def render(self, kind: str) -> str:
        """As ``text``, ``markdown`` or ``json``."""
        if kind == "json":
            return json.dumps(self.to_json(), indent=1)
        return self.markdown() if kind == "markdown" else self.text()

    def _footer(self) -> list[str]:
        return ["", f"Sources: {'; '.join(self.sources)}."] if self.sources else []


def align(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int] = (),
    *,
    rule: bool = True,
    width: int | None = None,
) -> str:
    """Aligned plain text; a cell, and a head, may have several lines.

    Args:
        header: the heads.
        rows: of as many cells each.
        right: numbers of the columns that are flushed right.
        rule: whether dashes stand below the heads.
        width: longer lines are cut to it.
    """
    heads, lines = _lines([header]), _lines(rows)
    widths = [max(map(len, column)) for column in zip(*heads, *lines, strict=True)]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(room) if column in right else cell.ljust(room)
            for column, (cell, room) in enumerate(zip(row, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        return text if width is None or len(text) <= width else text[: width - 3] + "..."

    return "\n".join(map(line, [*heads, *([["-" * room for room in widths]] if rule else []), *lines]))


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table in Markdown, of cells that are Markdown themselves.

    Args:
        header: the heads.
        rows: of as many cells each.
        right: numbers of the columns that are flushed right.
    """
    rule = ["--:" if number in right else "---" for number in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def _literal(text: str) -> str:
    lines = (re.sub(r"([\\`*_\[\]<>|&~])", r"\\\1", line.strip()) for line in text.split("\n"))
    return "<br>".join(lines)


def _lines(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [list(line) for row in rows for line in zip_longest(*(cell.split("\n") for cell in row), fillvalue="")]


def _cell(value: Any, column: Column, missing: str) -> str:
    if value is None:
        return missing
    if isinstance(value, list):
        return " + ".join(f"{each:,}" for each in value)
    return format(value / column.unit if column.unit != 1 else value, column.form) if column.form else str(value)
