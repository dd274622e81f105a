"""What networks can do without: content of lesion.json -> `Row` -> pictures.

Beside Figures 3 and 5 of arXiv:1605.06431: one block dropped, several dropped, blocks in another order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from results.plots.panels import Level, Panel, Row, Series, images
from results.plots.saved import a_report_of
from results.run.notes import DIGITS
from space.shell.words import amount, proxy_words

_FAMILIES = {"residual": "resnet", "plain": "vgg", "dense": "densenet"}
_LABELS = {"residual": "residual", "plain": "without shortcuts", "dense": "DenseNet"}


def lesion_plot_data(report: Mapping[str, Any]) -> Row:
    """Step one: what to show of a report.

    Args:
        report: what lesion.json holds.

    Raises:
        ValueError: if it is no such report.
    """
    with a_report_of("lesion"):
        return _plot_data(report)


def _plot_data(report: Mapping[str, Any]) -> Row:
    singles, several, orders, wholes = [], [], [], []
    shifts = dict(zip(_FAMILIES, (-0.22, 0.0, 0.22), strict=True))  # beside each other, not over each other
    for network in report["networks"]:
        kind, summary = network["kind"], network["summary"]
        own = Level(summary["error"][0], _FAMILIES[kind])
        wholes.append(own)
        points = [(n + shifts[kind], each["error"]) for n, each in enumerate(summary["units"], 1) if each["error"]]
        singles.append(_series(kind, points, "points"))
        whole = (0.0, summary["error"])
        several.append(_series(kind, [whole, *((each["dropped"], each["error"]) for each in summary["several"])]))
        if summary["orders"]:
            by_tau = sorted(((each["tau"], each["error"]) for each in summary["orders"]), key=lambda each: -each[0])
            orders.append(_series(kind, [(1.0, summary["error"]), *by_tau], "points"))
    guessing = Level(report["chance"])
    limits = (0.0, 100.0)
    return Row(
        title="Blocks dropped and reordered after training",
        panels=(
            Panel(
                "One block dropped", "which block (dashed: none is)", "top-1 error (%)", tuple(singles),
                (guessing, *wholes), limits, whole=True,
            ),
            Panel(
                "Several dropped at random", "blocks dropped", "top-1 error (%)", tuple(several), (guessing,), limits,
                whole=True,
            ),
            Panel(
                "Blocks of a stage swapped at random", "Kendall's tau of their order", "top-1 error (%)",
                tuple(orders), (guessing,), limits, falling=True,
            ),
        ),
        caption=_caption(report),
    )  # fmt: skip


def _series(kind: str, points: Sequence[tuple[float, Sequence[float | None]]], shape: str = "line") -> Series:
    x, y = tuple(float(place) for place, _ in points), tuple(float(error[0] or 0.0) for _, error in points)
    known = [(low, high) for _, (_, low, high) in points if low is not None and high is not None]
    if len(known) < len(points):
        known = []
    lows, highs = tuple(low for low, _ in known), tuple(high for _, high in known)
    return Series(_LABELS[kind], _FAMILIES[kind], x, y, lows, highs, shape)


def _caption(report: Mapping[str, Any]) -> str:
    recipe, seeds = report["recipe"], len(report["seeds"])
    lines = [
        f"{report['network']}, the same without shortcuts, and a DenseNet: recipe {recipe['name']} (epochs "
        f"{recipe['epochs']}, {recipe['train_images'] or 'all'} images of {recipe['resolution']}x"
        f"{recipe['resolution']}, {proxy_words(recipe)}) on {report['data']}; error of {report['images']} "
        f"held-out images; {amount(seeds, 'seed')}; {report['environment']['device']}. Shown are means "
        + ("and 95 % intervals over seeds." if seeds > 1 else "of one training, with 95 % intervals over draws.")
        + f" Dotted: guessing, {report['chance']:.0f} %. A block without a shortcut that changes the shape cannot be "
        "dropped.",
        report["verdicts"][0],
    ]
    if report["data"] == "digits":
        lines.append(DIGITS)
    return "\n".join(lines)


def lesion_pictures(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Both steps, in every format and theme: file name -> content."""
    return images(lesion_plot_data(report), "lesion")
