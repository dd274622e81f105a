"""A row of panels beside each other, with a title, one legend and a caption: `Row` -> figure.

What stands in them is chosen by `results.plots.lesion`, `results.plots.paths` and `results.plots.sweep`.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from results.plots import KINDS, style


@dataclass(frozen=True)
class Series:
    """Points of one kind; `low` and `high` are their intervals, empty where there are none."""

    label: str
    family: str  # whose colour and marker it has
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    shape: str = "line"  # line (with its intervals as a band), points (with bars), joined (both) or columns


@dataclass(frozen=True)
class Level:
    """A horizontal line: dashed in a family's colour, or dotted and quiet."""

    y: float
    family: str = ""


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    levels: tuple[Level, ...] = ()
    y_range: tuple[float, float] | None = None
    logarithmic: bool = False
    falling: bool = False  # the x axis runs from large to small
    whole: bool = False  # only whole numbers on the x axis
    span: tuple[float, float, str] | None = None  # a range of x that is marked, and what it is
    words: tuple[str, ...] = ()  # instead of numbers, at 0, 1, 2 ... of the x axis


@dataclass(frozen=True)
class Row:
    """All that the picture shows."""

    title: str
    panels: tuple[Panel, ...]
    caption: str


_SMALL = 7.8
_LEFT, _RIGHT, _TOP, _GAP = 0.75, 0.25, 0.82, 0.72  # inches, as all that follow
_WIDTH, _HEIGHT, _AXIS, _NOTE = 3.3, 2.9, 0.62, 0.165


def draw_row(row: Row, theme: style.Theme = style.LIGHT) -> Figure:
    """The picture."""
    with style.styled(theme):
        return _draw(row, theme)


def images(row: Row, name: str) -> dict[str, bytes]:
    """The picture in every format, for light and for dark pages: file name -> content."""
    files: dict[str, bytes] = {}
    for theme in style.THEMES.values():
        figure = draw_row(row, theme)
        ending = "" if theme is style.LIGHT else f"-{theme.name}"
        files |= {f"{name}{ending}.{kind}": style.image(figure, kind) for kind in KINDS}
    return files


def _draw(row: Row, theme: style.Theme) -> Figure:
    count = len(row.panels)
    inner = count * (_WIDTH + _GAP) - _GAP
    width = _LEFT + inner + _RIGHT
    caption = style.wrap_to(style.new_figure(4, 4), row.caption, _SMALL, inner + _LEFT - 0.2)
    bottom = _AXIS + 0.1 + _NOTE * len(caption)
    height = _TOP + _HEIGHT + bottom
    figure = style.new_figure(width, height)
    for place, panel in enumerate(row.panels):
        left = _LEFT + place * (_WIDTH + _GAP)
        axes = figure.add_axes((left / width, bottom / height, _WIDTH / width, _HEIGHT / height))
        _panel(axes, panel, theme)
    edge = 0.2 / width
    figure.text(edge, 1 - 0.16 / height, row.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    figure.text(edge, (0.04 + _NOTE * len(caption)) / height, "\n".join(caption), fontsize=_SMALL, color=theme.quiet,
                va="top", ha="left", linespacing=1.3)  # fmt: skip
    named = {each.label: each for panel in row.panels for each in panel.series if each.label}
    if named:
        handles = [_handle(each, theme) for each in named.values()]
        figure.legend(handles, list(named), loc="upper right", bbox_to_anchor=(1 - _RIGHT / width, 1 - 0.06 / height),
                      frameon=False, ncols=len(named), fontsize=8.5, handletextpad=0.4, columnspacing=1.5)  # fmt: skip
    return figure


def _handle(series: Series, theme: style.Theme) -> Line2D:
    colour, marker = theme.family(series.family)
    return Line2D([], [], color=colour, marker=marker, markersize=5.5, linewidth=1.5)


def _panel(axes: Axes, panel: Panel, theme: style.Theme) -> None:
    axes.grid(True, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(panel.title, loc="left", fontsize=9.5)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    if panel.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
        axes.yaxis.set_minor_locator(NullLocator())
    if panel.span is not None:
        axes.margins(y=0.1)  # room for the words
        low, high, words = panel.span
        axes.axvspan(low, high, color=theme.budget, alpha=0.12, linewidth=0)
        axes.text((low + high) / 2, 0.985, words, transform=axes.get_xaxis_transform(), fontsize=_SMALL, ha="center",
                  va="top", color=theme.readable(theme.budget))  # fmt: skip
    for level in panel.levels:
        colour = theme.family(level.family)[0] if level.family else theme.quiet
        dashes = (0, (4, 3)) if level.family else (0, (1, 2))
        axes.axhline(level.y, color=colour, linewidth=0.9, linestyle=dashes, zorder=1)
    for series in panel.series:
        _series(axes, series, theme)
    if panel.y_range is not None:
        axes.set_ylim(*panel.y_range)
    if panel.falling:
        axes.invert_xaxis()
    if panel.words:
        axes.set_xticks(range(len(panel.words)), panel.words)
        axes.set_xlim(-0.5, len(panel.words) - 0.5)
    if panel.whole:
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))


def _series(axes: Axes, series: Series, theme: style.Theme) -> None:
    colour, marker = theme.family(series.family)
    if series.shape == "columns":
        axes.bar(series.x, series.y, 0.8, color=colour)
        return
    if series.shape == "line":
        axes.plot(series.x, series.y, color=colour, marker=marker, markersize=4, linewidth=1.5, zorder=4)
        if series.low:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.16, linewidth=0, zorder=2)
        return
    line = "-" if series.shape == "joined" else ""
    axes.plot(series.x, series.y, linestyle=line, color=colour, marker=marker, markersize=5, linewidth=1.1, zorder=4)
    if series.low:
        axes.vlines(series.x, series.low, series.high, color=colour, linewidth=1.2, alpha=0.6, zorder=3)
