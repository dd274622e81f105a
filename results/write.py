"""The files of a run directory: each is written whole or not at all, and old ones stay until new ones are there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.run import Run

FORMATS = ("png", "svg")


def write_outputs(run: Run) -> list[Path]:
    """Write tables, configurations and pictures of a run into its directory.

    Everything is made in memory and written to temporary files first; only when all of them are on the disk do they
    take the places of the old ones. Configurations that have left the frontier go last.

    Returns:
        What was written: trials.csv, frontier.csv, the pictures, configs/<id>.json.

    Raises:
        OSError: if something cannot be written; no half-written file is left.
    """
    directory = run.directory
    frontier = run.frontier()
    files: dict[Path, bytes] = {
        directory / "trials.csv": run.frame().to_csv(index=False).encode(),
        directory / "frontier.csv": frontier.to_csv(index=False).encode(),
    }
    for name, content in _pictures(run).items():
        files[directory / name] = content
    configs = directory / "configs"
    for trial in frontier["trial"]:
        member = run.candidate(int(trial))
        files[configs / f"{member.config.id}.json"] = json_bytes(member.to_json())
    write_files(files)
    for old in configs.glob("*.json") if configs.is_dir() else ():
        if old not in files:
            old.unlink(missing_ok=True)
    return list(files)


def _pictures(run: Run) -> dict[str, bytes]:
    from results.frontier_data import frontier_data
    from results.plot_frontier import draw_frontier
    from results.plot_published import draw_published, published_data
    from results.style import image

    figures = {
        "frontier": draw_frontier(frontier_data(run)),
        "published": draw_published(published_data(run.input_size)),
    }
    return {f"{name}.{kind}": image(figure, kind) for name, figure in figures.items() for kind in FORMATS}


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Indented JSON with a final newline."""
    return (json.dumps(data, indent=2) + "\n").encode()


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write all files beside their places first, then move them there; directories are made as needed.

    Raises:
        OSError: if one cannot be written: then no temporary file is left, and every place holds a whole file.
    """
    temporary: dict[Path, Path] = {}
    made: list[Path] = []
    try:
        for path, content in files.items():
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True)
                made.append(path.parent)
            beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            temporary[path] = beside
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # a full disk may show only here
        for path, beside in temporary.items():
            os.replace(beside, path)
    except BaseException:
        for beside in temporary.values():
            beside.unlink(missing_ok=True)
        for directory in reversed(made):
            if not any(directory.iterdir()):
                directory.rmdir()
        raise
