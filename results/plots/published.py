"""What the papers report: landmarks -> `PublishedPlot` -> figure. Never on one axis with proxy scores."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from results.plots import DEFAULT_VIEW, View, style
from results.plots.labels import Anchor, Box, nearest, place, shorten
from results.run.run import Run
from space import family_of
from space.landmarks.networks import LANDMARKS, TARGETS, Landmark
from space.landmarks.own import OWN

SMALL_INPUT = 64  # a run with inputs up to this is set beside the CIFAR landmarks
MARKS = "†‡§¶#*"
_USUAL = {
    "imagenet": ("1-crop 224", "one crop of 224x224, a single network, the recipe of its time"),
    "cifar": ("CIFAR-10, ", "CIFAR-10, flips and translations, no dropout"),
}
_UNUSUAL = ("ZCA", ";")  # another preprocessing; another network, said after a semicolon
CHALLENGE = {  # landmark -> what it stands for; see ILSVRC_ENTRIES in `space.landmarks.figures`
    "alexnet": "ILSVRC 2012",
    "zfnet": "ILSVRC 2013",
    "googlenet": "ILSVRC 2014",
    "vgg16": "ILSVRC 2014, second",
    "resnet152_v1": "ILSVRC 2015",
}
_RINGS = (
    "Rings: networks that won the ImageNet challenge, and its second of 2014; all entered as ensembles. The winner of "
    "2013, Clarifai, is not published: ZFNet, of the same year, stands for it."
)


@dataclass(frozen=True)
class Point:
    """One published network."""

    name: str
    label: str  # with a mark if its setting is not the usual one, and what it won
    x: float  # GFLOPs, or millions of parameters
    y: float  # top-1 error in percent
    params: int
    ring: bool = False  # won the ImageNet challenge


@dataclass(frozen=True)
class Line:
    """The networks of one family, the cheapest first."""

    family: str
    points: tuple[Point, ...]
    form: str = ""  # what sets a second form of the family apart; drawn dashed
    joined: bool = True  # networks of the user's own are not


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
    """Step one: the landmarks of a run's target, each at the input size and classes that it was published for."""
    return published_plot("cifar" if run.input_size <= SMALL_INPUT else "imagenet", run.landmarks.values())


def published_plot(target: str, landmarks: Iterable[Landmark], x: str = "macs") -> PublishedPlot:
    """Step one without a run: those of the landmarks that belong to the target, ``imagenet`` or ``cifar``.

    `x` says what lies along the x axis: ``macs`` or ``params``.
    """
    size = TARGETS[target][0]
    x_label, unit = {"macs": (f"GFLOPs (multiply-adds, {size}x{size})", 1e9), "params": ("parameters (M)", 1e6)}[x]
    marks: dict[str, str] = {}
    members: dict[tuple[str, str], list[Point]] = {}
    for each in landmarks:
        error, own = each.published.top1_error, each.name not in LANDMARKS
        if each.target != target or not error or each.macs is None or each.params is None:
            continue  # no errors at all have no place on a logarithmic axis
        label = shorten(each.label, 28)
        if own or not _usual(each):
            count = len(marks)
            mark = MARKS[count % len(MARKS)] * (1 + count // len(MARKS))
            label += marks.setdefault(each.published.setting, mark)
        if each.name in CHALLENGE:
            label += f" ({CHALLENGE[each.name]})"
        point = Point(each.name, label, getattr(each, x) / unit, error, each.params, each.name in CHALLENGE)
        members.setdefault((OWN, "") if own else (each.family, _form(each)), []).append(point)
    lines = tuple(
        Line(family, tuple(sorted(points, key=lambda point: (point.x, point.y))), form, family != OWN)
        for (family, form), points in members.items()
    )
    data = {"imagenet": "ImageNet validation", "cifar": "CIFAR-10"}[target]
    notes = [f"Setting: {_USUAL[target][1]}"]
    notes += [f"{mark} {shorten(setting.removeprefix('CIFAR-10, '), 80)}" for setting, mark in marks.items()]
    end = "" if x == "params" else "Cost: multiply-adds of convolution and linear weights. "
    end += "Sources: python -m space show NAME."
    forms = {f"{style.family_name(line.family)} {line.form}": None for line in lines if line.form}
    if forms:
        end += f" Dashed: {', '.join(forms)}."
    if any(point.ring for line in lines for point in line.points):
        end += f"\n{_RINGS}"
    sizes = (5_000_000, 25_000_000, 100_000_000) if target == "imagenet" else (1_000_000, 10_000_000, 40_000_000)
    largest = max((point.params for line in lines for point in line.points), default=0)
    return PublishedPlot(
        title="Published error against complexity",
        x_label=x_label,
        y_label=f"published top-1 error on {data} (%)",
        lines=lines,
        sizes=tuple(size for size in sizes if size < 1.5 * largest),
        footnote="; ".join(notes) + ".\n" + end,
    )


def _usual(each: Landmark) -> bool:
    start = _USUAL[each.target][0]
    setting = each.published.setting
    return setting.startswith(start) and not any(word in setting for word in _UNUSUAL)


def _form(each: Landmark) -> str:
    """What makes a network another curve than its family's: by cost alone, the line would jump between the two."""
    return "" if each.config is None else family_of(each.config).form(each.config)


# ------------------------------------------------------------------------------------------ step two

_TEXT, _SMALL = 7.4, 7.8
_WIDTH, _HEIGHT = 11.0, 7.6  # inches of the axes
_LEFT, _RIGHT, _TOP = 0.75, 0.2, 0.62
_SIZES = (1.0, 1.25, 1.6, 2.0, 2.5)  # of the axes, until every label finds a place
Corner = Literal["upper right", "lower left", "upper left", "lower right"]
_CORNERS: tuple[Corner, ...] = ("upper right", "lower left", "upper left", "lower right")
_DOT = 1.6  # points from the middle of a mark that no label may cover
_RING = 2.0  # points between a disc and its ring


def draw_published(data: PublishedPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture, as large as its labels need.

    Raises:
        ValueError: if there are more than the largest picture has room for.
    """
    with style.styled(theme):
        for larger in _SIZES[:-1]:
            try:
                return _draw(data, theme, larger)
            except ValueError:  # no place for a label
                continue
        return _draw(data, theme, _SIZES[-1])


def radius(params: int, largest: int) -> float:
    """Radius of a mark in points: its area is proportional to the parameters."""
    return 15.0 * math.sqrt(params / largest)


def _draw(data: PublishedPlot, theme: style.Theme, larger: float) -> Figure:
    width = _LEFT + _WIDTH * larger + _RIGHT
    note = style.wrap_to(style.new_figure(4, 4), data.footnote, _SMALL, _WIDTH * larger)
    bottom = 0.66 + 0.165 * len(note)
    height = _TOP + _HEIGHT * larger + bottom
    figure, axes = style.panel(_LEFT, _WIDTH * larger, _RIGHT, _TOP, _HEIGHT * larger, bottom)
    points = [point for line in data.lines for point in line.points]
    largest = max((point.params for point in points), default=1)
    if points:
        costs = [point.x for point in points]
        style.cost_axis(axes, min(costs) / 1.25, max(costs) * 1.35)
        errors = [point.y for point in points]
        style.error_axis(axes, min(errors) / 1.06, max(errors) * 1.06)
    axes.set_xlabel(data.x_label)
    axes.set_ylabel(data.y_label)
    for line in data.lines:
        colour = theme.family(line.family)[0]
        if line.joined:
            axes.plot([p.x for p in line.points], [p.y for p in line.points], color=colour, linewidth=1.3, alpha=0.75,
                      linestyle="--" if line.form else "-", zorder=2)  # fmt: skip
    for line in data.lines:
        colour, marker = theme.family(line.family)
        for point in sorted(line.points, key=lambda p: -p.params):
            axes.plot([point.x], [point.y], "o", markersize=2 * radius(point.params, largest), color=colour,
                      alpha=0.45, mec="none", zorder=3)  # fmt: skip
            shape, size = ("o", 3.0) if line.joined else (marker, 6.0)
            axes.plot([point.x], [point.y], shape, markersize=size, color=colour, mec=theme.ink, mew=0.4, zorder=6)
            if point.ring:
                axes.plot([point.x], [point.y], "o", markersize=2 * (radius(point.params, largest) + _RING), mfc="none",
                          mec=theme.ink, mew=1.1, zorder=3.5)  # fmt: skip
    obstacles = _legends(figure, axes, data, largest, theme)
    _labels(figure, axes, data, obstacles, largest, theme)
    left = _LEFT / width
    figure.text(left, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    figure.text(left, (bottom - 0.56) / height, "\n".join(note), fontsize=_SMALL, color=theme.quiet, va="top",
                ha="left", linespacing=1.3)  # fmt: skip
    return figure


def _legends(figure: Figure, axes: Axes, data: PublishedPlot, largest: int, theme: style.Theme) -> list[Box]:
    """Families above the axes, areas in the emptiest corner; returns what labels must keep off."""
    families = dict.fromkeys(line.family for line in data.lines if style.has_look(line.family))
    handles = [Line2D([], [], color=theme.family(f)[0], marker="o", linewidth=1.3, markersize=6) for f in families]
    names = [style.family_name(f) for f in families]
    if any(line.family == OWN for line in data.lines):
        colour, marker = theme.family(OWN)
        handles.append(Line2D([], [], linestyle="", color=colour, marker=marker, markersize=6, mec=theme.ink, mew=0.4))
        names.append("your own")
    if any(point.ring for line in data.lines for point in line.points):
        handles.append(Line2D([], [], linestyle="", marker="o", markersize=9, mfc="none", mec=theme.ink, mew=1.1))
        names.append("ILSVRC, year")
    axes.add_artist(axes.legend(
        handles, names, loc="lower right", bbox_to_anchor=(1, 1.0), frameon=False,
        ncols=max(1, len(names)), fontsize=8.5, handletextpad=0.5, columnspacing=1.5, borderaxespad=0.3,
    ))  # fmt: skip
    sizes = [
        Line2D([], [], linestyle="", marker="o", color=style.OTHER[0], alpha=0.45, mec="none",
               markersize=2 * radius(size, largest))
        for size in data.sizes
    ]  # fmt: skip
    marks = [(axes.transData.transform((point.x, point.y)), radius(point.params, largest) * figure.dpi / 72)
             for line in data.lines for point in line.points]  # fmt: skip
    covered: dict[Corner, int] = {}
    boxes: dict[Corner, Box] = {}
    for corner in _CORNERS:
        areas = axes.legend(
            sizes, [f"{size / 1e6:g} M" for size in data.sizes], loc=corner, title="parameters (area)",
            title_fontsize=8.5, fontsize=8.5, labelspacing=1.1, borderpad=1.0, handletextpad=1.2, framealpha=1,
            edgecolor=theme.grid,
        )  # fmt: skip
        figure.canvas.draw()
        boxes[corner] = box = Box(*(float(end) for end in areas.get_window_extent().extents))
        covered[corner] = sum(box.overlap(Box(x - r, y - r, x + r, y + r)) > 0 for (x, y), r in marks)
        if not covered[corner]:
            break
    best = min(covered, key=lambda corner: covered[corner])
    areas.set_loc(best)
    return [boxes[best]]


def _labels(
    figure: Figure, axes: Axes, data: PublishedPlot, obstacles: list[Box], largest: int, theme: style.Theme
) -> None:
    to_pixels, to_data = axes.transData, axes.transData.inverted()
    points = [point for line in data.lines for point in line.points]
    colours = [theme.family(line.family)[0] for line in data.lines for _ in line.points]
    segments = []
    for line in (line for line in data.lines if line.joined):
        corners = to_pixels.transform([(point.x, point.y) for point in line.points])
        segments += [(float(a[0]), float(a[1]), float(b[0]), float(b[1])) for a, b in itertools.pairwise(corners)]
    anchors = []
    for point, joined in zip(points, [line.joined for line in data.lines for _ in line.points], strict=True):
        x, y = to_pixels.transform((point.x, point.y))
        # Labels keep off the small dot and off rings; over the pale disc of a large network they can still be read.
        free = (radius(point.params, largest) + _RING + 1) * figure.dpi / 72 if point.ring else 4.0 if joined else 8.0
        anchors.append(Anchor(float(x), float(y), free, *style.text_size(figure, point.label, _TEXT)))
    frame = axes.get_window_extent()
    dot = _DOT * figure.dpi / 72
    dots = [Box(each.x - dot, each.y - dot, each.x + dot, each.y + dot) for each in anchors]
    inside = Box(frame.x0 + 2, frame.y0 + 2, frame.x1 - 2, frame.y1 - 2)
    boxes = place(anchors, inside, [*obstacles, *dots], segments)
    for point, anchor, box, colour in zip(points, anchors, boxes, colours, strict=True):
        end = nearest(box, anchor.x, anchor.y)
        if math.hypot(end[0] - anchor.x, end[1] - anchor.y) > anchor.radius + 2.5:
            tip = to_data.transform(end)
            axes.plot([point.x, tip[0]], [point.y, tip[1]], color=theme.quiet, linewidth=0.6, zorder=4)
        middle = to_data.transform(((box.left + box.right) / 2, (box.bottom + box.top) / 2))
        halo = withStroke(linewidth=1.6, foreground=theme.paper, alpha=0.75)
        axes.text(
            middle[0], middle[1], point.label, fontsize=_TEXT, color=theme.readable(colour), ha="center",
            va="center", zorder=5, path_effects=[halo],
        )  # fmt: skip
