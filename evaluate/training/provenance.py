"""Where a network's file comes from: the run that it lies in, and the score that a search gave the network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from space.shell.reading import read_text
from space.shell.scores import score_text

RUN_FILES = ("run.json", "study.db")


@dataclass(frozen=True, slots=True)
class Proxy:
    """What a search measured of a network: never to be compared with a training by another recipe."""

    top1: float  # percent
    trial: int | None
    recipe: str | None  # its name; None where nothing says it
    data: str | None  # a short name
    held_out: int | None = None  # images that `top1` is a percentage of

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        how = [] if self.trial is None else [f"trial {self.trial}"]
        how += [f"recipe {self.recipe}"] if self.recipe else []
        how += [f"data {self.data}"] if self.data else []
        return f"proxy top-1 in the search {score_text(self.top1, self.held_out, 2)} %" + (
            f" ({', '.join(how)})" if how else ""
        )


def run_of(path: str | Path) -> Path | None:
    """The directory of the run whose ``configs/`` holds the file, None if there is none."""
    run = Path(path).resolve().parent.parent
    if Path(path).resolve().parent.name != "configs" or not any((run / name).is_file() for name in RUN_FILES):
        return None
    near = Path(path).parent.parent  # as it was typed, unless that was too short
    return near if near.resolve() == run else run


def proxy_of(path: str | Path) -> Proxy | None:
    """The score that the file of a network tells, None if it tells none. Recipe and data are the run's.

    Args:
        path: of a JSON file that `space.load_config` reads.

    Raises:
        ValueError: if its ``proxy_top1`` is no percentage.
        OSError: if it cannot be read.
    """
    content = json.loads(read_text(path, errors="replace"))
    top1 = content.get("proxy_top1")
    if top1 is None:
        return None
    if isinstance(top1, bool) or not isinstance(top1, int | float) or not 0 <= top1 <= 100:
        raise ValueError(f"{path}: proxy_top1 is {top1!r}, expected percent, from 0 to 100")
    run, trial, held_out = run_of(path), content.get("trial"), content.get("held_out")
    settings = {} if run is None else _settings(run / "run.json")
    recipe = settings.get("recipe")
    return Proxy(
        top1=float(top1),
        trial=trial if isinstance(trial, int) else None,
        recipe=_text(recipe.get("name")) if isinstance(recipe, dict) else None,
        data=_text(settings.get("data_name")),
        held_out=held_out if type(held_out) is int and held_out > 0 else None,
    )


def _settings(path: Path) -> dict[str, Any]:
    """A run's settings and ``data_name``, nothing where run.json does not say them: of a run the study is enough."""
    try:
        about = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    settings = about.get("settings") if isinstance(about, dict) else None
    return settings | {"data_name": about.get("data_name")} if isinstance(settings, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
