"""What became of a run's networks that `python -m evaluate train` has trained further: RUN/trained/*/train.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from space import config_from_json
from space.shell.reading import read_text

DIRECTORY, REPORT = "trained", "train.json"


@dataclass(frozen=True)
class Training:
    """One training that has ended."""

    config_id: str
    recipe: str  # its name
    top1: float  # percent of the held-out images
    epochs: int


def add_trainings(frame: pd.DataFrame, run: Path) -> tuple[str, ...]:
    """Fill the columns ``trained_top1`` and ``trained_recipe`` of a run's table.

    Of several trainings of a network it is the one of most epochs, the first by name of equals: never the luckiest.

    Args:
        frame: the table, which is changed.
        run: the run's directory.

    Returns:
        A sentence for each report that is damaged and was left out.
    """
    best: dict[str, Training] = {}
    damaged: list[str] = []
    for path in sorted((run / DIRECTORY).glob(f"*/{REPORT}")):
        try:
            training = _read(path)
        except (OSError, ValueError, RecursionError) as error:
            damaged.append(f"{path} was left out: {error}")
            continue
        if training.config_id not in best or training.epochs > best[training.config_id].epochs:
            best[training.config_id] = training
    of_rows = [best.get(name) if isinstance(name, str) else None for name in frame["config_id"]]
    for column, name in (("trained_top1", "top1"), ("trained_recipe", "recipe")):
        values = [getattr(each, name, None) for each in of_rows]
        frame[column] = pd.Series(values, index=frame.index, dtype=frame[column].dtype)
    return tuple(damaged)


def _read(path: Path) -> Training:
    """One report.

    Raises:
        ValueError: if it is none.
        OSError: if it cannot be read.
    """
    report: Any = json.loads(read_text(path))
    if not isinstance(report, dict):
        raise ValueError(f"it holds a {type(report).__name__}, no report of a training")
    top1, epochs, recipe = report.get("top1"), report.get("epochs_done"), report.get("recipe")
    if isinstance(top1, bool) or not isinstance(top1, int | float) or not 0 <= top1 <= 100:
        raise ValueError(f"its top1 is {top1!r}, no percentage")
    if type(epochs) is not int:
        raise ValueError(f"its epochs_done are {epochs!r}, no number")
    if not isinstance(recipe, dict) or not isinstance(recipe.get("name"), str):
        raise ValueError("its recipe has no name")
    return Training(config_from_json(report.get("config")).id, recipe["name"], float(top1), epochs)
