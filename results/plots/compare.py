"""The frontiers of several runs in one picture: `Comparison` -> `ComparePlot` -> figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results.analysis.comparison import Comparison
from results.plots import style
from results.plots.labels import shorten
from space.shell.words import amount

# Okabe and Ito's, darkest first; the ink of the theme before them
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


@dataclass(frozen=True)
class ComparePlot:
    """All that the picture shows."""

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]  # in the unit of the axis, as all x
    y_range: tuple[float, float]
    runs: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]  # label, frontier: the cheapest first
    caption: str


def compare_data(found: Comparison) -> ComparePlot:
    """Step one: what to show of a comparison."""
    unit = found.cost.unit
    fronts = [tuple((cost / unit, top1) for cost, top1 in front) for front in found.frontiers]
    points = [point for front in fronts for point in front] or [(edge / unit, 50.0) for edge in found.axis]
    low, high = min(x for x, _ in points), max(max(x for x, _ in points), found.axis[1] / unit)
    room = max((high / low) ** 0.04, 1.02)
    facts = list(zip(found.runs["networks"], found.runs["hypervolume"], strict=True))
    labels = [
        f"{shorten(name)}: {amount(networks, 'network')}, hypervolume {volume:.2f}"
        for name, (networks, volume) in zip(found.names, facts, strict=True)
    ]
    first = found.runs.iloc[0]
    begin, end = map(found.cost.text, found.axis)
    about = f"Recipe {shorten(first['recipe'])} on {shorten(first['data'])}."
    if found.score.error:
        about = "Expected top-1: 100 less the error that a network's own stays below with probability 80 %."
    return ComparePlot(
        title="Frontiers of several runs",
        x_label=found.cost.axis,
        y_label="expected top-1, cautious (%)" if found.score.error else "proxy top-1 (%)",
        x_range=(low / room, high * room),
        y_range=style.limits([y for _, y in points]),
        runs=tuple(zip(labels, fronts, strict=True)),
        caption=(
            f"{about} Hypervolume: the best top-1 at or below a "
            f"cost, 0 where there is nothing, on average over the logarithmic axis from {begin} to {end}."
        ),
    )


# ------------------------------------------------------------------------------------------ step two

_SMALL = 7.8
_LEFT, _WIDTH, _RIGHT, _HEIGHT = 0.75, 6.4, 0.3, 4.1  # inches, as all that follow
_TITLE, _LEGEND, _NOTE = 0.45, 0.19, 0.165


def draw_compare(data: ComparePlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled(theme):
        return _draw(data, theme)


def _draw(data: ComparePlot, theme: style.Theme) -> Figure:
    caption = style.wrap_to(style.new_figure(4, 4), data.caption, _SMALL, _WIDTH)
    top, bottom = _TITLE + _LEGEND * len(data.runs) + 0.15, 0.62 + _NOTE * len(caption)
    figure, axes = style.panel(_LEFT, _WIDTH, _RIGHT, top, _HEIGHT, bottom)
    width, height = _LEFT + _WIDTH + _RIGHT, top + _HEIGHT + bottom
    style.cost_axis(axes, *data.x_range)
    axes.set_ylim(*data.y_range)
    axes.set_xlabel(data.x_label)
    axes.set_ylabel(data.y_label)
    colours = (theme.ink, *_COLOURS)
    handles = []
    for place, (label, front) in enumerate(data.runs):
        look: dict[str, Any] = {"color": colours[place % len(colours)], "linestyle": _DASHES[place % len(_DASHES)]}
        mark: dict[str, Any] = {"marker": _MARKS[place % len(_MARKS)], "markersize": 5.5, "mec": theme.paper}
        handles.append(Line2D([], [], linewidth=1.6, label=label, **look, **mark))
        if front:
            xs, ys = [x for x, _ in front], [y for _, y in front]
            axes.plot([*xs, data.x_range[1]], [*ys, ys[-1]], drawstyle="steps-post", linewidth=1.6, **look)
            axes.plot(xs, ys, color=look["color"], linestyle="", **mark)
    left = _LEFT / width
    figure.text(left, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(left, 1 - 0.42 / height), frameon=False, fontsize=8,
        borderaxespad=0, borderpad=0, labelspacing=0.4, handlelength=2.6,
    )  # fmt: skip
    figure.text(
        left, (bottom - 0.56) / height, "\n".join(caption), fontsize=_SMALL, color=theme.quiet, va="top", ha="left",
        linespacing=1.3,
    )  # fmt: skip
    return figure
