"""Landmarks of your own: networks that you know the figures of, read from a JSON or CSV file.

JSON holds one object or a list of them, CSV one a line below a header with the same names:

==============  =====================================================================================
`name`          what it is called; needed
`label`         for plots (the name)
`family`        decides its colour (the configuration's, else "own")
`target`        imagenet, counted at 224x224 and 1000 classes, or cifar, 32x32 and 10 (by the stem, else imagenet)
`year`          when it was published
`config`        in JSON alone: as `python -m space show NAME --json` prints it, or what a run's configs/ID.json holds
`macs`          multiply-adds, such as 4.1G; needed without `config`, with it they are counted
`params`        such as 25.6M; the same
`top1_error`    percent; without it the network is on no plot of published errors
`top5_error`    percent
`setting`       how the error was measured
`source`        where the figures are from (the file's name)
==============  =====================================================================================
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from space.budget import Budget, parse_count
from space.landmarks.figures import Figure
from space.landmarks.networks import LANDMARKS, TARGETS, Landmark
from space.networks.config import Config, check_choice, check_int
from space.networks.layers import total
from space.networks.read import config_from_json
from space.shell.reading import read_text

COUNTS = ("macs", "params")
TEXTS = ("label", "family", "setting", "source")
COLUMNS = ("name", *TEXTS, "target", "year", *COUNTS, "top1_error", "top5_error")
KEYS = (*COLUMNS, "config")
RESERVED = ("auto", "none")  # what `--landmarks` understands
MAX_TEXT = 200
OWN = "own"


def read_landmarks(*paths: str | Path) -> tuple[Landmark, ...]:
    """Read landmarks from files, in their order.

    Args:
        paths: files that end with .json or .csv.

    Raises:
        ValueError: with one sentence that names the file and the line or entry: for what is no landmark, and for names
            that occur twice or are published networks', and for a file that cannot be read.
    """
    found: dict[str, Landmark] = {}
    for path in map(Path, paths):
        entries = {".json": _json_entries, ".csv": _csv_entries}.get(path.suffix.lower())
        if entries is None:
            raise ValueError(f"{path}: expected landmarks in a file that ends with .json or .csv")
        there = entries(path)
        if not there:
            raise ValueError(f"{path} has no landmark: expected at least one, with a name, macs and params")
        for place, entry in there.items():
            try:
                known = _landmark(entry, path)
                if known.name in found:
                    raise ValueError(f"a landmark called {known.name!r} was there before: give each its own name")
            except ValueError as error:
                raise ValueError(f"{path}, {place}: {error}") from error
            found[known.name] = known
    return tuple(found.values())


def _json_entries(path: Path) -> dict[str, object]:
    """What the file holds, by words for its place."""
    try:
        data = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON ({error}): expected a landmark, or a list of them") from error
    entries: list[object] = data if isinstance(data, list) else [data]
    return {f"entry {number}": entry for number, entry in enumerate(entries, 1)}


def _csv_entries(path: Path) -> dict[str, object]:
    """The lines below the header, by words for their places; empty cells are left out."""
    lines = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    entries: dict[str, object] = {}
    try:
        header = [cell.strip() for cell in next(lines, [])]
        if wrong := [cell for cell in header if cell not in COLUMNS]:
            raise ValueError(f"{path}, line 1: unknown column {wrong[0]!r}, expected some of {', '.join(COLUMNS)}")
        if "name" not in header or len(set(header)) < len(header):
            raise ValueError(f"{path}, line 1: expected a header with a column name, and no column twice")
        for cells in lines:
            if len(cells) > len(header):
                raise ValueError(f"{path}, line {lines.line_num}: {len(cells)} cells, but the header has {len(header)}")
            if filled := {key: cell.strip() for key, cell in zip(header, cells, strict=False) if cell.strip()}:
                entries[f"line {lines.line_num}"] = filled
    except csv.Error as error:
        raise ValueError(f"{path}, line {lines.line_num}: no CSV ({error})") from error
    return entries


def _text(path: Path) -> str:
    try:
        return read_text(path, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: expected landmarks as JSON or CSV") from error
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}; expected a JSON or CSV file of landmarks") from error


def _landmark(entry: object, path: Path) -> Landmark:
    if not isinstance(entry, dict):
        raise ValueError(f"expected an object with a name, got {type(entry).__name__}")
    if unknown := [key for key in entry if key not in KEYS]:
        raise ValueError(f"unknown key {unknown[0]!r}, expected some of {', '.join(KEYS)}")
    given = {key: value for key, value in entry.items() if value is not None}
    name = _name(given)
    texts = {key: _line(key, given[key]) for key in TEXTS if key in given}
    config = _config(given["config"]) if "config" in given else None
    target = given.get("target", "imagenet" if config is None else config.kind)
    check_choice("target", target, tuple(TARGETS))
    year = _number("year", given["year"]) if "year" in given else None
    if year is not None:
        check_int("year", int(year) if year.is_integer() else year, 1900, 2100)
    top1, top5 = _percent("top1_error", given), _percent("top5_error", given)
    if top1 is not None and top5 is not None and top5 > top1:
        raise ValueError(f"top5_error {top5:g} is more than top1_error {top1:g}: expected percent of wrong answers")
    macs, params = _counts(given, config, target)
    figure = Figure(
        top1,
        top5,
        texts.get("setting", "not said"),
        texts.get("source", path.name),
        None if year is None else int(year),
    )
    family = texts.get("family", OWN if config is None else config.family)
    return Landmark(
        name, texts.get("label", name), family, target, figure.year, config, figure, (), macs, params,
        "" if config is not None else f"figures from {path.name}",
    )  # fmt: skip


def _name(given: Mapping[str, Any]) -> str:
    if "name" not in given:
        raise ValueError("a name is missing")
    name = _line("name", given["name"])
    if name in LANDMARKS:
        raise ValueError(f"{name!r} is a published network (python -m space show {name}): choose another name")
    if name in RESERVED or "," in name or name.startswith("-"):  # as `--landmarks` could not name it
        raise ValueError(f"name {name!r}: expected no comma, no dash in front, and not {' or '.join(RESERVED)}")
    return name


def _line(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > MAX_TEXT:
        raise ValueError(f"{key} is {str(value)[:50]!r}: expected one line of text of at most {MAX_TEXT} characters")
    return value.strip()


def _config(value: object) -> Config:
    """The configuration, bare or under the key ``config``."""
    return config_from_json(value["config"] if isinstance(value, dict) and "config" in value else value)


def _counts(given: Mapping[str, Any], config: Config | None, target: str) -> tuple[int, int]:
    """(multiply-adds, parameters)."""
    there = [key for key in COUNTS if key in given]
    if config is not None:
        if there:
            raise ValueError(f"{there[0]} is counted from the config: leave {there[0]} out, or the config")
        cost = total(config.blocks(*TARGETS[target]))
        return cost.macs, cost.params
    if missing := [key for key in COUNTS if key not in given]:
        raise ValueError(f"{missing[0]} is missing: expected macs and params, or a config to count them from")
    macs, params = (str(given[key]) for key in COUNTS)
    try:
        budget = Budget.parse(macs)
    except ValueError as error:
        raise ValueError(f"macs {macs!r}: expected multiply-adds from 1M to 10T, for example 4.1G") from error
    return budget.macs, parse_count(params, "params")


def _percent(key: str, given: Mapping[str, Any]) -> float | None:
    if key not in given:
        return None
    value = _number(key, given[key])
    if not 0 <= value <= 100:
        raise ValueError(f"{key} is {value:g}: expected percent, from 0 to 100")
    return value


def _number(key: str, value: object) -> float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{key} is {value!r}: expected a number")
