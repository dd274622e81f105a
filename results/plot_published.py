"""What the papers report: landmarks -> `PublishedPlot` -> figure. Never on one axis with proxy scores."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from results import style
from results.labels import Anchor, Box, nearest, place
from results.plots import DEFAULT_VIEW, View
from space import DenseConfig, ResidualConfig
from space.landmarks import LANDMARKS, TARGETS, Landmark

if TYPE_CHECKING:
    from results.run import Run

SMALL_INPUT = 64  # a run with inputs up to this is set beside the CIFAR landmarks
MARKS = "†‡§¶#*"
_USUAL = {
    "imagenet": ("1-crop 224", "one crop of 224x224, a single network, the recipe of its time"),
    "cifar": ("CIFAR-10, ", "CIFAR-10, flips and translations, no dropout"),
}
_UNUSUAL = ("ZCA", ";")  # another preprocessing; another network, said after a semicolon


@dataclass(frozen=True)
class Point:
    """One published network."""

    name: str
    label: str  # with a mark if its setting is not the usual one
    x: float  # GFLOPs
    y: float  # percent
    params: int


@dataclass(frozen=True)
class Line:
    """The networks of one family, the cheapest first."""

    family: str
    points: tuple[Point, ...]
    form: str = ""  # what sets a second form of the family apart; drawn dashed


@dataclass(frozen=True)
class PublishedPlot:
    """All that the picture shows."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    sizes: tuple[int, ...]  # parameters, for the legend of areas
    footnote: str


def published_data(run: Run, view: View = DEFAULT_VIEW) -> PublishedPlot:
    """Step one: the landmarks of the target, each at the input size and classes that it was published for."""
    target = "cifar" if run.input_size <= SMALL_INPUT else "imagenet"
    marks: dict[str, str] = {}
    members: dict[tuple[str, str], list[Point]] = {}
    for each in LANDMARKS.values():
        error = each.published.top1_error
        if each.target != target or error is None or each.macs is None or each.params is None:
            continue
        label = each.label
        if not _usual(each):
            label += marks.setdefault(each.published.setting, MARKS[len(marks) % len(MARKS)])
        point = Point(each.name, label, each.macs / 1e9, 100 - error, each.params)
        members.setdefault((each.family, _form(each)), []).append(point)
    lines = tuple(
        Line(family, tuple(sorted(points, key=lambda point: (point.x, point.y))), form)
        for (family, form), points in members.items()
    )
    size = TARGETS[target][0]
    data = {"imagenet": "ImageNet validation", "cifar": "CIFAR-10"}[target]
    notes = [f"Setting: {_USUAL[target][1]}"]
    notes += [f"{mark} {setting.removeprefix('CIFAR-10, ')}" for setting, mark in marks.items()]
    end = "Cost: multiply-adds of convolution and linear weights. Sources: python -m space show NAME."
    forms = {f"{style.family_name(line.family)} {line.form}": None for line in lines if line.form}
    if forms:
        end += f" Dashed: {', '.join(forms)}."
    return PublishedPlot(
        title="Published accuracy against complexity",
        x_label=f"GFLOPs (multiply-adds, {size}x{size})",
        y_label=f"published top-1 on {data} (%)",
        lines=lines,
        sizes=(5_000_000, 25_000_000, 100_000_000) if target == "imagenet" else (1_000_000, 10_000_000, 40_000_000),
        footnote="; ".join(notes) + ".\n" + end,
    )


def _usual(each: Landmark) -> bool:
    start = _USUAL[each.target][0]
    setting = each.published.setting
    return setting.startswith(start) and not any(word in setting for word in _UNUSUAL)


def _form(each: Landmark) -> str:
    """What makes a network another curve than its family's: by cost alone, the line would jump between the two."""
    config = each.config
    if isinstance(config, DenseConfig):
        return "without bottleneck" if not config.bottleneck else ""
    if not isinstance(config, ResidualConfig) or config.block != "bottleneck":
        return ""
    if config.family in ("wide_resnet", "preresnet"):
        return "with bottleneck"
    return "v1 (stride in the first 1x1)" if config.stride_in == "1x1" else ""


# ------------------------------------------------------------------------------------------ step two

_TEXT, _SMALL = 7.4, 7.8
_WIDTH, _HEIGHT = 11.0, 7.6  # inches of the axes
_LEFT, _RIGHT, _TOP = 0.75, 0.2, 0.62


def draw_published(data: PublishedPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture."""
    with style.styled(theme):
        return _draw(data, theme)


def radius(params: int, largest: int) -> float:
    """Radius of a mark in points: its area is proportional to the parameters."""
    return 15.0 * math.sqrt(params / largest)


def _draw(data: PublishedPlot, theme: style.Theme) -> Figure:
    width = _LEFT + _WIDTH + _RIGHT
    note = style.wrap_to(style.new_figure(4, 4), data.footnote, _SMALL, _WIDTH)
    bottom = 0.66 + 0.165 * len(note)
    height = _TOP + _HEIGHT + bottom
    figure, axes = style.panel(_LEFT, _WIDTH, _RIGHT, _TOP, _HEIGHT, bottom)
    points = [point for line in data.lines for point in line.points]
    largest = max((point.params for point in points), default=1)
    if points:
        costs = [point.x for point in points]
        style.cost_axis(axes, min(costs) / 1.25, max(costs) * 1.35)
        axes.set_ylim(*style.limits([point.y for point in points], 0.07))
    axes.set_xlabel(data.x_label)
    axes.set_ylabel(data.y_label)
    for line in data.lines:
        colour = theme.family(line.family)[0]
        axes.plot([p.x for p in line.points], [p.y for p in line.points], color=colour, linewidth=1.3, alpha=0.75,
                  linestyle="--" if line.form else "-", zorder=2)  # fmt: skip
    for line in data.lines:
        colour = theme.family(line.family)[0]
        for point in sorted(line.points, key=lambda p: -p.params):
            axes.plot([point.x], [point.y], "o", markersize=2 * radius(point.params, largest), color=colour,
                      alpha=0.45, mec="none", zorder=3)  # fmt: skip
            axes.plot([point.x], [point.y], "o", markersize=3, color=colour, mec=theme.ink, mew=0.4, zorder=6)
    obstacles = _legends(figure, axes, data, largest, theme)
    _labels(figure, axes, data, obstacles, theme)
    left = _LEFT / width
    figure.text(left, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    figure.text(left, (bottom - 0.56) / height, "\n".join(note), fontsize=_SMALL, color=theme.quiet, va="top",
                ha="left", linespacing=1.3)  # fmt: skip
    return figure


def _legends(figure: Figure, axes: Axes, data: PublishedPlot, largest: int, theme: style.Theme) -> list[Box]:
    """Families above the axes, areas in the empty corner below the curve; returns what labels must keep off."""
    families = dict.fromkeys(line.family for line in data.lines if line.family in style.FAMILIES)
    handles = [Line2D([], [], color=theme.family(f)[0], marker="o", linewidth=1.3, markersize=6) for f in families]
    axes.add_artist(axes.legend(
        handles, [style.family_name(f) for f in families], loc="lower right", bbox_to_anchor=(1, 1.0), frameon=False,
        ncols=len(families), fontsize=8.5, handletextpad=0.5, columnspacing=1.5, borderaxespad=0.3,
    ))  # fmt: skip
    sizes = [
        Line2D([], [], linestyle="", marker="o", color=style.OTHER[0], alpha=0.45, mec="none",
               markersize=2 * radius(size, largest))
        for size in data.sizes
    ]  # fmt: skip
    areas = axes.legend(
        sizes, [f"{size / 1e6:g} M" for size in data.sizes], loc="lower right", title="parameters (area)",
        title_fontsize=8.5, fontsize=8.5, labelspacing=1.1, borderpad=1.0, handletextpad=1.2, framealpha=1,
        edgecolor=theme.grid,
    )  # fmt: skip
    figure.canvas.draw()
    box = areas.get_window_extent()
    return [Box(box.x0, box.y0, box.x1, box.y1)]


def _labels(figure: Figure, axes: Axes, data: PublishedPlot, obstacles: list[Box], theme: style.Theme) -> None:
    to_pixels, to_data = axes.transData, axes.transData.inverted()
    points = [point for line in data.lines for point in line.points]
    colours = [theme.family(line.family)[0] for line in data.lines for _ in line.points]
    segments = []
    for line in data.lines:
        corners = to_pixels.transform([(point.x, point.y) for point in line.points])
        segments += [(float(a[0]), float(a[1]), float(b[0]), float(b[1])) for a, b in itertools.pairwise(corners)]
    anchors = []
    for point in points:
        x, y = to_pixels.transform((point.x, point.y))
        # Labels keep off the small dot; over the pale disc of a large network they can still be read.
        anchors.append(Anchor(float(x), float(y), 4.0, *style.text_size(figure, point.label, _TEXT)))
    frame = axes.get_window_extent()
    boxes = place(anchors, Box(frame.x0 + 2, frame.y0 + 2, frame.x1 - 2, frame.y1 - 2), obstacles, segments)
    for point, anchor, box, colour in zip(points, anchors, boxes, colours, strict=True):
        end = nearest(box, anchor.x, anchor.y)
        if math.hypot(end[0] - anchor.x, end[1] - anchor.y) > 6.5:
            tip = to_data.transform(end)
            axes.plot([point.x, tip[0]], [point.y, tip[1]], color=theme.quiet, linewidth=0.6, zorder=4)
        middle = to_data.transform(((box.left + box.right) / 2, (box.bottom + box.top) / 2))
        halo = withStroke(linewidth=1.6, foreground=theme.paper, alpha=0.75)
        axes.text(
            middle[0], middle[1], point.label, fontsize=_TEXT, color=theme.readable(colour), ha="center",
            va="center", zorder=5, path_effects=[halo],
        )  # fmt: skip
