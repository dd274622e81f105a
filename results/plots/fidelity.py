"""How far a proxy's order agrees with the published one: content of fidelity.json -> `FidelityPlot` -> figure.

The two errors are of two data sets and two trainings, so each has an axis of its own: only the order can be compared.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from results.plots import KINDS, style
from results.plots.labels import Anchor, Box, nearest, place
from results.plots.saved import a_report_of
from results.run.notes import DIGITS
from space.shell.files import write_files
from space.shell.reading import read_text
from space.shell.words import amount, capital, proxy_words

SETS = {"imagenet": "ImageNet", "cifar": "CIFAR-10"}


@dataclass(frozen=True)
class FidelityPoint:
    """One landmark; both axes in percent."""

    label: str
    family: str
    x: float  # published top-1 error
    y: float  # proxy top-1, mean over seeds
    low: float  # the worst seed
    high: float  # the best seed
    gflops: float


@dataclass(frozen=True)
class FidelityPlot:
    """All that the picture shows."""

    title: str
    x_label: str
    y_label: str
    colour_label: str
    points: tuple[FidelityPoint, ...]  # the smallest published error first
    caption: str
    empty: str = ""  # said in place of points


def fidelity_plot_data(report: Mapping[str, Any]) -> FidelityPlot:
    """Step one: what to show of a report.

    Args:
        report: what fidelity.json holds.

    Raises:
        ValueError: if it is no such report.
    """
    with a_report_of("fidelity"):
        return _plot_data(report)


def _plot_data(report: Mapping[str, Any]) -> FidelityPlot:
    points = []
    for network in report["networks"]:
        scores = [float(score["top1"]) for score in network["scores"] if score["reason"] is None]
        if scores:
            points.append(
                FidelityPoint(
                    label=network["label"],
                    family=network["family"],
                    x=float(network["published_error"]),
                    y=statistics.fmean(scores),
                    low=min(scores),
                    high=max(scores),
                    gflops=network["macs"] / 1e9,
                )
            )
    recipe, where = report["recipe"]["name"], SETS[report["set"]]
    size = {"imagenet": 224, "cifar": 32}[report["set"]]
    return FidelityPlot(
        title="Proxy score against published error",
        x_label=f"published top-1 error on {where} (%)",
        y_label=f"proxy top-1 on {report['data']}, recipe {recipe} (%)",
        colour_label=f"GFLOPs (multiply-adds, {size}x{size})",
        points=tuple(sorted(points, key=lambda point: (point.x, point.label))),
        caption=_caption(report, points),
        empty="" if points else "no network scored yet",
    )


def _caption(report: Mapping[str, Any], points: list[FidelityPoint]) -> str:
    seeds = len(report["seeds"])
    recipe = report["recipe"]
    what = (
        f"{len(points)} published {SETS[report['set']]} networks trained by recipe {recipe['name']} (epochs "
        f"{recipe['epochs']}, resolution {recipe['resolution']}, {proxy_words(recipe)}) on "
        f"{report['data']}, {amount(seeds, 'seed')}, {report['device']}. "
        "A faithful proxy falls from left to right."
    )
    if any(point.high > point.low for point in points):
        what += " Bars reach from the worst to the best seed."
    if failed := sum(score["reason"] is not None for network in report["networks"] for score in network["scores"]):
        what += f" {amount(failed, 'training')} failed and {'is' if failed == 1 else 'are'} left out."
    lines = [what]
    rankings = report["rankings"]
    if "proxy_top1" in rankings:
        ours = rankings["proxy_top1"]
        lines.append(f"Over all pairs: Kendall's tau {_said(ours, 'tau')}.")
        if ours["pairs"]:
            lines.append(
                f"Within a budget ({ours['pairs']} pairs of like MACs, errors apart): {_said(ours, 'concordance')} in "
                "the right order; by guessing 0.5. Brackets: 95 %, bootstrap over networks."
            )
        lines.append(f"{capital(report['beside'])}.")
    if report["data"] == "digits":
        lines.append(DIGITS)
    return "\n".join(lines)


def _said(agreement: Mapping[str, float | None], figure: str) -> str:
    value, low, high = (agreement[f"{figure}{end}"] for end in ("", "_low", "_high"))
    if value is None:
        return "undefined"
    return f"{value:.2f}" + ("" if low is None or high is None else f" [{low:.2f}, {high:.2f}]")


def write_fidelity_plot(directory: Path) -> list[Path]:
    """Draw the fidelity.json of a directory beside it, in every format; returns what was written.

    Raises:
        ValueError: if there is none, or it is damaged.
        OSError: if a picture cannot be written.
    """
    path = directory / "fidelity.json"
    try:
        report = json.loads(read_text(path))
    except FileNotFoundError as error:
        raise ValueError(f"{directory} holds no fidelity.json: type python -m evaluate fidelity --help") from error
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    figure = draw_fidelity(fidelity_plot_data(report))
    files = {directory / f"fidelity.{kind}": style.image(figure, kind) for kind in KINDS}
    write_files(files)
    return list(files)


# ------------------------------------------------------------------------------------------ step two

_TEXT, _SMALL = 7.4, 7.8
_WIDTH, _HEIGHT = 10.4, 6.8  # inches of the axes
_LEFT, _RIGHT, _TOP = 0.75, 0.95, 0.62
_BAR_GAP, _BAR_WIDTH = 0.14, 0.16
_RADIUS, _CLEAR = 4.0, 2.0  # points; labels keep clear of the marks


def draw_fidelity(plot: FidelityPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture."""
    with style.styled(theme):
        return _draw(plot, theme)


def _draw(plot: FidelityPlot, theme: style.Theme) -> Figure:
    width = _LEFT + _WIDTH + _RIGHT
    note = style.wrap_to(style.new_figure(4, 4), plot.caption, _SMALL, width - _LEFT - 0.15)
    bottom = 0.66 + 0.165 * len(note)
    height = _TOP + _HEIGHT + bottom
    figure, axes = style.panel(_LEFT, _WIDTH, _RIGHT, _TOP, _HEIGHT, bottom)
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    left = _LEFT / width
    figure.text(left, 1 - 0.16 / height, plot.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    figure.text(left, (bottom - 0.56) / height, "\n".join(note), fontsize=_SMALL, color=theme.quiet, va="top",
                ha="left", linespacing=1.3)  # fmt: skip
    if not plot.points:
        axes.text(0.5, 0.5, plot.empty, transform=axes.transAxes, ha="center", va="center", fontsize=12,
                  color=theme.quiet)  # fmt: skip
        return figure
    axes.set_xlim(*style.limits([point.x for point in plot.points]))
    axes.set_ylim(*style.limits([end for point in plot.points for end in (point.low, point.high)], 0.07))
    norm, colours = _norm(plot), _colours(theme)
    for point in plot.points:
        if point.high > point.low:
            axes.plot([point.x] * 2, [point.low, point.high], color=theme.leader, linewidth=1.4, zorder=2)
        marker = theme.family(point.family)[1]
        axes.plot([point.x], [point.y], marker=marker, markersize=2 * _RADIUS, color=colours(norm(point.gflops)),
                  mec=theme.ink, mew=0.7, zorder=5)  # fmt: skip
    bar = figure.add_axes(((_LEFT + _WIDTH + _BAR_GAP) / width, bottom / height, _BAR_WIDTH / width, _HEIGHT / height))
    figure.colorbar(ScalarMappable(norm, colours), cax=bar)
    bar.yaxis.set_major_locator(FixedLocator(style.log_ticks(norm.vmin or 1.0, norm.vmax or 10.0)))
    bar.yaxis.set_minor_locator(NullLocator())
    bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
    bar.set_ylabel(plot.colour_label)
    families = style.in_order(point.family for point in plot.points)
    handles = [
        Line2D([], [], linestyle="", marker=theme.family(family)[1], markersize=6.5, color=theme.paper,
               mec=theme.ink, mew=0.8)
        for family in families
    ]  # fmt: skip
    axes.legend(
        handles, [style.family_name(family) for family in families], loc="lower right", bbox_to_anchor=(1, 1.0),
        frameon=False, ncols=len(families), fontsize=8.5, handletextpad=0.3, columnspacing=1.5, borderaxespad=0.3,
    )  # fmt: skip
    _labels(figure, axes, plot, theme)
    return figure


def _norm(plot: FidelityPlot) -> LogNorm:
    costs = [point.gflops for point in plot.points]
    low, high = min(costs), max(costs)
    return LogNorm(low / 1.05, high * 1.05)


def _colours(theme: style.Theme) -> Colormap:
    """Cividis, made for colour-blind readers, without the end that is lost on the paper: that is of the cheapest."""
    name = "cividis_r" if theme == style.LIGHT else "cividis"
    return ListedColormap(matplotlib.colormaps[name].resampled(288)(range(24, 288)))


def _labels(figure: Figure, axes: Axes, plot: FidelityPlot, theme: style.Theme) -> None:
    to_pixels, to_data = axes.transData, axes.transData.inverted()
    radius = (_RADIUS + _CLEAR) * figure.dpi / 72
    anchors, bars = [], []
    for point in plot.points:
        x, y = to_pixels.transform((point.x, point.y))
        anchors.append(Anchor(float(x), float(y), radius, *style.text_size(figure, point.label, _TEXT)))
        ends = to_pixels.transform([(point.x, point.low), (point.x, point.high)])
        bars.append((float(x), float(ends[0][1]), float(x), float(ends[1][1])))
    frame = axes.get_window_extent()
    boxes = place(anchors, Box(frame.x0 + 2, frame.y0 + 2, frame.x1 - 2, frame.y1 - 2), (), bars)
    halo = withStroke(linewidth=1.6, foreground=theme.paper, alpha=0.75)
    for point, anchor, box in zip(plot.points, anchors, boxes, strict=True):
        end = nearest(box, anchor.x, anchor.y)
        if math.hypot(end[0] - anchor.x, end[1] - anchor.y) > radius + 2:
            tip = to_data.transform(end)
            axes.plot([point.x, tip[0]], [point.y, tip[1]], color=theme.leader, linewidth=0.6, zorder=3)
        middle = to_data.transform(((box.left + box.right) / 2, (box.bottom + box.top) / 2))
        axes.text(middle[0], middle[1], point.label, fontsize=_TEXT, ha="center", va="center", zorder=4,
                  path_effects=[halo])  # fmt: skip
