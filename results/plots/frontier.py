"""The frontier of a run: `FrontierPlot` -> figure. What it shows is chosen in `results.plots.frontier_data`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.patches import Patch

from results.plots import DEFAULT_VIEW, View, style
from results.plots.frontier_data import FrontierPlot, Series
from results.plots.frontier_data import frontier_data as scores_data
from results.plots.frontier_expected import expected_data
from results.plots.labels import spread, untangle
from results.run.run import Run
from space.shell.scores import score_text

__all__ = ["draw_frontier", "frontier_data"]

BAND = 0.13  # opacity
MOST_VECTORS = 2000  # more marks of one kind are drawn as pixels in SVG and PDF, too: their files stay small


def frontier_data(run: Run, view: View = DEFAULT_VIEW) -> FrontierPlot:
    """Step one: by what the run goes by, expected errors or its proxies' scores.

    Raises:
        ValueError: if no network has the cost that is wanted on the axis.
    """
    return expected_data(run, view) if run.score.error else scores_data(run, view)


_TEXT, _SMALL = 8.0, 7.8
_AXES_WIDTH, _LEFT = 6.4, 0.75  # inches


def draw_frontier(data: FrontierPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled(theme):
        return _draw(data, theme)


def _draw(data: FrontierPlot, theme: style.Theme) -> Figure:
    labels = [f"{star.label}  {score_text(star.y, star.images)}" for star in data.stars]
    above = [f"{tick.label}  cost only" for tick in data.ticks]
    probe = style.new_figure(4, 4)
    column = max((style.text_size(probe, label, _TEXT)[0] for label in labels + above), default=0.0) / probe.dpi
    row = style.text_size(probe, "Ag", _TEXT)[1] / probe.dpi + 0.03
    margin = column + 0.5 if column else 0.55
    width = _LEFT + _AXES_WIDTH + margin
    caption = style.wrap_to(probe, data.caption, _SMALL, width - _LEFT - 0.2)
    handles, names = _legend_entries(data, theme)
    columns = _columns(probe, names, width - _LEFT - 0.2)
    legend_height = 0.185 * -(-len(names) // columns) if names else 0.0
    top = 0.45 + legend_height + 0.3 + row * len(above)
    bottom = 0.62 + 0.165 * len(caption)
    axes_height = max(4.1, row * len(labels) * 1.15)
    height = top + axes_height + bottom

    figure, axes = style.panel(_LEFT, _AXES_WIDTH, margin, top, axes_height, bottom)
    low, high = data.x_range
    style.cost_axis(axes, low, high)
    axes.set_ylim(*data.y_range)
    axes.set_xlabel(data.x_label)
    axes.set_ylabel(data.y_label)

    if data.budget is not None:
        axes.axvline(data.budget, color=theme.budget, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)
        axes.annotate(
            data.budget_label, (data.budget, 1), (0, 4), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="right" if data.budget > (low * high) ** 0.5 else "left", va="bottom", fontsize=_TEXT,
            color=theme.budget, zorder=7, bbox={"facecolor": theme.paper, "linewidth": 0, "pad": 1},
        )  # fmt: skip
    if data.band:
        places, least, most = np.array(data.band).T
        axes.fill_between(places, least, most, step="post", color=theme.ink, alpha=BAND, linewidth=0, zorder=1.2)
    for x, expected, least, most in data.bars:
        axes.plot([x, x], [least, most], color=theme.ink, linewidth=1.1, zorder=4.5)
        axes.plot([x], [expected], marker="_", markersize=9, color=theme.ink, mew=1.6, zorder=4.6)
    if data.step:
        xs, ys = [x for x, _ in data.step], [y for _, y in data.step]
        end = high if data.budget is None else max(data.budget, xs[-1])
        axes.plot([*xs, end], [*ys, ys[-1]], drawstyle="steps-post", color=theme.ink, linewidth=1.5, zorder=3)
    for series in data.series:
        _draw_series(axes, series, data, theme)
    edge = axes.get_xaxis_transform()
    axes.plot(data.failed, [0.025] * len(data.failed), "x", markersize=5, color=theme.quiet, mew=1.0, transform=edge,
              zorder=4)  # fmt: skip
    axes.plot(data.slow, [0.055] * len(data.slow), ">", markersize=4.5, color="none", mec=theme.quiet, mew=1.0,
              transform=edge, zorder=4)  # fmt: skip
    for star in data.stars:
        colour = theme.family(star.family)[0]
        axes.plot([star.x], [star.y], "*", markersize=13, color=colour, mec=theme.ink, mew=0.9, zorder=6)
    if data.empty:
        axes.text(0.5, 0.5, data.empty, transform=axes.transAxes, ha="center", va="center", fontsize=12,
                  color=theme.quiet)  # fmt: skip

    _label_column(figure, axes, data, labels, row * figure.dpi, theme)
    _ticks_above(figure, axes, data, above, row, theme)
    left = _LEFT / width
    figure.text(left, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    if names:
        figure.legend(
            handles, names, loc="upper left", bbox_to_anchor=(left, 1 - 0.4 / height), ncols=columns, frameon=False,
            fontsize=_TEXT, borderaxespad=0, borderpad=0, handletextpad=0.4, columnspacing=1.4, labelspacing=0.35,
        )  # fmt: skip
    figure.text(
        left, (bottom - 0.56) / height, "\n".join(caption), fontsize=_SMALL, color=theme.quiet, va="top", ha="left",
        linespacing=1.3,
    )  # fmt: skip
    return figure


def _draw_series(axes: Axes, series: Series, data: FrontierPlot, theme: style.Theme) -> None:
    colour, marker = theme.family(series.family)
    floor, ceiling = data.y_range

    def beyond(y: float) -> bool:
        """Whether it is too bad to be shown."""
        return y > ceiling if data.errors else y < floor

    worse = [x for x, y in zip(series.x, series.y, strict=True) if beyond(y)]
    edge_at, arrow = (0.996, CARETUP) if data.errors else (0.004, CARETDOWN)
    axes.plot(worse, [edge_at] * len(worse), linestyle="", marker=arrow, markersize=6, color=colour,
              transform=axes.get_xaxis_transform(), zorder=4)  # fmt: skip
    unlike = series.far or (False,) * len(series.x)
    points = list(zip(series.x, series.y, series.on_frontier, unlike, strict=True))
    for on, size, edge, alpha, order in ((False, 22, theme.paper, 0.85, 4), (True, 46, theme.ink, 1.0, 5)):
        for far in (False, True):
            xy = [(x, y) for x, y, member, hollow in points if (member, hollow) == (on, far) and not beyond(y)]
            if xy:
                axes.scatter(
                    [x for x, _ in xy], [y for _, y in xy], s=size, marker=marker, color=theme.paper if far else colour,
                    edgecolors=colour if far else edge, linewidths=0.9 if on or far else 0.4, alpha=alpha, zorder=order,
                    rasterized=len(xy) > MOST_VECTORS,
                )  # fmt: skip
    early = [(x, y) for x, y in series.stopped if y >= floor]
    if early:
        axes.scatter(
            [x for x, _ in early], [y for _, y in early], s=13, marker=marker, facecolors="none", edgecolors=colour,
            linewidths=0.7, alpha=0.6, zorder=3.5, rasterized=len(early) > MOST_VECTORS,
        )  # fmt: skip


def _legend_entries(data: FrontierPlot, theme: style.Theme) -> tuple[list[Artist], list[str]]:
    def mark(colour: str, marker: Any, size: float, edge: str, text: str) -> tuple[Artist, str]:
        return Line2D([], [], linestyle="", marker=marker, color=colour, markersize=size, mec=edge, mew=0.8), text

    entries: list[tuple[Artist, str]] = []
    for series in data.series:
        colour, marker = theme.family(series.family)
        entries.append(mark(colour, marker, 6, theme.paper, style.family_name(series.family)))
    if data.step:
        line = Line2D([], [], color=theme.ink, linewidth=1.5, marker="o", markersize=6, mfc=theme.paper, mec=theme.ink)
        if data.adjusted:
            line = Line2D([], [], color=theme.ink, linewidth=1.5)
        name = "frontier without seed variance" if data.adjusted else "frontier of single trainings"
        entries.append((line, "frontier of expected errors" if data.errors else name))
    if data.band:
        name = "95 % of one training by an unknown recipe" if data.errors else "95 % of it"
        entries.append((Patch(color=theme.ink, alpha=BAND, linewidth=0), name))
    if any(any(series.far) for series in data.series):
        entries.append(mark(theme.paper, "o", 6, theme.quiet, "hollow: unlike all known networks"))
    if data.bars:
        bar = Line2D([], [], linestyle="", color=theme.ink, marker="_", markersize=9, mew=1.6)
        entries.append((bar, "expected top-1, 95 %"))
    if data.stars:
        name = "landmark, its published error" if data.errors else "landmark, same recipe"
        entries.append(mark(theme.paper, "*", 11, theme.ink, name))
    if data.ticks:
        entries.append(mark(theme.quiet, CARETUP, 7, theme.quiet, "landmark of your own: cost only, not scored here"))
    if any(series.stopped for series in data.series):
        entries.append(mark("none", "o", 4.5, theme.quiet, "stopped early, score so far"))
    if data.slow:
        entries.append(mark("none", ">", 4.5, theme.quiet, data.slow_label))
    if data.failed:
        entries.append(mark(theme.quiet, "x", 5, theme.quiet, "failed"))
    return [handle for handle, _ in entries], [name for _, name in entries]


def _columns(figure: Figure, names: list[str], inches: float) -> int:
    """As many columns as fit; a legend is filled column by column."""
    widths = [style.text_size(figure, name, _TEXT)[0] / figure.dpi + 0.5 for name in names]
    for columns in range(len(names), 1, -1):
        rows, longer = divmod(len(names), columns)  # as matplotlib shares them out
        starts = [column * rows + min(column, longer) for column in range(columns + 1)]
        if sum(max(widths[start:end]) for start, end in itertools.pairwise(starts)) <= inches:
            return columns
    return 1


def _label_column(
    figure: Figure, axes: Axes, data: FrontierPlot, labels: list[str], gap: float, theme: style.Theme
) -> None:
    """The stars' labels in the right margin, each joined to its star by a thin line, the best on top.

    Where such lines would cross, labels change places and are no longer in the order of their scores.
    """
    if not labels:
        return
    to_pixels, to_data = axes.transData, axes.transData.inverted()
    frame = axes.get_window_extent()
    stars = [to_pixels.transform((star.x, star.y)) for star in data.stars]
    rising = list(reversed(range(len(stars))))
    starts = [(float(stars[n][0]), float(stars[n][1])) for n in rising]
    heights = spread([y for _, y in starts], gap, frame.y0 + gap / 2, frame.y1 - gap / 2)
    ends = [(frame.x1 + 0.06 * figure.dpi, y) for y in heights]
    ends_of = untangle(starts, ends)
    for y, end_of in zip(heights, ends_of, strict=True):
        number = rising[end_of]
        knee = to_data.transform((frame.x1 + 0.06 * figure.dpi, y))
        end = to_data.transform((frame.x1 + 0.2 * figure.dpi, y))
        text = to_data.transform((frame.x1 + 0.25 * figure.dpi, y))
        star = data.stars[number]
        axes.plot([star.x, knee[0], end[0]], [star.y, knee[1], end[1]], color=theme.leader, linewidth=0.6,
                  clip_on=False, zorder=1.5, solid_joinstyle="round")  # fmt: skip
        axes.text(text[0], text[1], labels[number], fontsize=_TEXT, va="center", ha="left", clip_on=False)


def _ticks_above(
    figure: Figure, axes: Axes, data: FrontierPlot, labels: list[str], row: float, theme: style.Theme
) -> None:
    """Marks at the upper edge for what only has a cost; lines go up and right to a label each, the cheapest on top."""
    frame = axes.get_window_extent()
    wide, high = figure.dpi / frame.width, figure.dpi / frame.height  # an inch, in parts of the axes
    for place, (tick, label) in enumerate(zip(reversed(data.ticks), reversed(labels), strict=True)):
        x = (axes.transData.transform((tick.x, data.y_range[0]))[0] - frame.x0) / frame.width
        y = 1 + (0.3 + row * (place + 0.5)) * high
        axes.plot([x, x, 1 + 0.2 * wide], [1, y, y], color=theme.leader, linewidth=0.6, clip_on=False, zorder=1.5,
                  transform=axes.transAxes)  # fmt: skip
        axes.plot([x], [1], marker=CARETUP, markersize=8, color=theme.family(tick.family)[0], clip_on=False, zorder=6,
                  transform=axes.transAxes)  # fmt: skip
        axes.text(1 + 0.25 * wide, y, label, fontsize=_TEXT, va="center", ha="left", clip_on=False,
                  transform=axes.transAxes)  # fmt: skip
