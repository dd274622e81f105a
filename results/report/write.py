"""The files of a run directory: each is written whole or not at all, and old ones stay until new ones are there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from results.plots import DEFAULT_VIEW, FORMATS, KINDS, PLOTS, View, draw, drawable, plot_data
from results.plots.style import THEMES, image
from results.report.configurations import WRITTEN, configuration_files, remove_configurations
from results.run.run import Run
from space.shell.files import write_files
from space.shell.words import amount


def write_outputs(
    run: Run,
    plots: Sequence[str] = tuple(PLOTS),
    kinds: Sequence[str] = KINDS,
    view: View = DEFAULT_VIEW,
    theme: str = "light",
    report: bool = True,
    said: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write tables, configurations, pictures and the page of a run into its directory.

    Everything is made in memory and written to temporary files first; only when all of them are on the disk do they
    take the places of the old ones. Configurations that the run had written and that have left the frontier go last
    (`results.report.configurations`).

    Args:
        run: of which.
        plots: names of pictures.
        kinds: their formats, some of `results.plots.FORMATS`.
        view: what the pictures show.
        theme: light or dark; the files of a dark picture are called so.
        report: whether to write the page; it has all pictures in both themes, whatever the others are told.
        said: is given a sentence for each picture that is not written, for the run has nothing to show in it yet.

    Returns:
        What was written: trials.csv, frontier.csv, the pictures, report.html, configs/<id>.json.

    Raises:
        ValueError: if the run has no such cost or network as the view names.
        OSError: if something cannot be written; no half-written file is left.
    """
    directory = run.directory
    frontier = run.frontier()
    files: dict[Path, bytes] = {
        directory / "trials.csv": run.frame().to_csv(index=False).encode(),
        directory / "frontier.csv": frontier.to_csv(index=False).encode(),
    }
    found, pictures = _pictures(run, plots, kinds, view, theme, said)
    for name, content in pictures.items():
        files[directory / name] = content
    if report:
        from results.report import report_page

        same = found if view == DEFAULT_VIEW else {}
        drawn = {name: pictures[f"{name}.png"] for name in same if f"{name}.png" in pictures}  # of the light theme
        files[directory / "report.html"] = report_page(run, same, drawn)
    files |= configuration_files(run, frontier["trial"])
    write_files(files)
    remove_configurations(directory, files)
    return [path for path in files if path.name != WRITTEN]


def written_text(directory: Path, paths: Sequence[Path]) -> str:
    """What `write_outputs` wrote, in one line: the directory and a few names.

    As in: written to runs/NAME: trials.csv, frontier.csv, report.html, 12 pictures, 2 configurations in configs/
    """
    counts: dict[str, int] = {}
    for path in paths:
        noun = "picture" if path.suffix[1:] in FORMATS else "configuration" if path.parent != directory else path.name
        counts[noun] = counts.get(noun, 0) + 1
    names = [noun for noun in counts if noun not in ("picture", "configuration")]
    if pictures := counts.get("picture"):
        names.append(amount(pictures, "picture"))
    if configs := counts.get("configuration"):
        names.append(f"{amount(configs, 'configuration')} in configs{os.sep}")
    return f"written to {directory}: {', '.join(names)}"


def _pictures(
    run: Run,
    plots: Sequence[str],
    kinds: Sequence[str],
    view: View,
    theme: str,
    said: Callable[[str], None],
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the pictures show, by name, and the pictures, by file."""
    words = [view.x or "", "" if view.trial is None else f"trial{view.trial}", "" if theme == "light" else theme]
    ending = "".join(f"-{word}" for word in words if word)
    found: dict[str, Any] = {}
    pictures: dict[str, bytes] = {}
    for name in drawable(run, plots, view.x):
        data = plot_data(name, run, view)
        if empty := str(getattr(data, "empty", "")):
            said(f"no picture {name}: {empty}")
            continue
        found[name] = data
        drawn = draw(name, found[name], THEMES[theme])
        pictures |= {f"{name}{ending}.{kind}": image(drawn, kind) for kind in kinds}
    return found, pictures
