"""The files of a run directory: each is written whole or not at all, and old ones stay until new ones are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from space.files import json_bytes, write_files

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
