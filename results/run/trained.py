"""What became of a run's networks that `python -m evaluate train` has trained further: RUN/trained/*/train.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from space import config_from_json
from space.shell.reading import read_text
from space.shell.scores import score_text

DIRECTORY, REPORT, WEIGHTS = "trained", "train.json", "model.pt"


@dataclass(frozen=True)
class Training:
    """One training that has ended."""

    path: Path  # its directory
    config_id: str
    recipe: str  # its name
    top1: float  # percent of the held-out images
    epochs: int
    data: str  # a short name
    held_out: int | None = None  # images that `top1` is a percentage of; None where the report does not say it

    @property
    def weights(self) -> Path:
        """The file of its weights."""
        return self.path / WEIGHTS

    def __str__(self) -> str:
        return (
            f"recipe {self.recipe}, {self.epochs} epochs on {self.data}, "
            f"top-1 {score_text(self.top1, self.held_out, 2)} % of the held-out images"
        )


def trainings(run: Path) -> tuple[dict[str, Training], tuple[str, ...]]:
    """The trainings of a run's networks that have ended, by the configuration's id; what was damaged, a sentence each.

    Of several trainings of a network it is the one of most epochs, the first by name of equals, never the best score.
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
    return best, tuple(damaged)


def add_trainings(frame: pd.DataFrame, run: Path) -> tuple[str, ...]:
    """Fill the columns ``trained_...`` of a run's table, by `trainings`.

    Args:
        frame: the table, which is changed.
        run: the run's directory.

    Returns:
        A sentence for each report that is damaged and was left out.
    """
    import pandas as pd

    best, damaged = trainings(run)
    of_rows = [best.get(name) if isinstance(name, str) else None for name in frame["config_id"]]
    columns = {"trained_top1": "top1", "trained_held_out": "held_out", "trained_recipe": "recipe"}
    for column, name in columns.items():
        values = [getattr(each, name, None) for each in of_rows]
        frame[column] = pd.Series(values, index=frame.index, dtype=frame[column].dtype)
    return damaged


def _read(path: Path) -> Training:
    """One report.

    Raises:
        ValueError: if it is not one.
        OSError: if it cannot be read.
    """
    report: Any = json.loads(read_text(path))
    if not isinstance(report, dict):
        raise ValueError(f"it holds a {type(report).__name__}, no report of a training")
    top1, epochs, recipe = report.get("top1"), report.get("epochs_done"), report.get("recipe")
    held_out = report.get("held_out")
    if isinstance(top1, bool) or not isinstance(top1, int | float) or not 0 <= top1 <= 100:
        raise ValueError(f"its top1 is {top1!r}, no percentage")
    if type(epochs) is not int:
        raise ValueError(f"its epochs_done are {epochs!r}, no number")
    if held_out is not None and (type(held_out) is not int or held_out < 1):
        raise ValueError(f"its held_out is {held_out!r}, no number of images")
    if not isinstance(recipe, dict) or not isinstance(recipe.get("name"), str):
        raise ValueError("its recipe has no name")
    config = config_from_json(report.get("config"))
    return Training(path.parent, config.id, recipe["name"], float(top1), epochs, str(report.get("data")), held_out)
