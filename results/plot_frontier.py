"""The frontier of a run: `FrontierPlot` -> figure. What it shows is chosen in `results.frontier_data`."""

from __future__ import annotations

import itertools

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN

from results import style
from results.frontier_data import FrontierPlot, Series, frontier_data
from results.labels import spread, untangle

__all__ = ["draw_frontier", "frontier_data"]

_TEXT, _SMALL = 8.0, 7.8
_AXES_WIDTH, _LEFT = 6.4, 0.75  # inches


def draw_frontier(data: FrontierPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled(theme):
        return _draw(data, theme)


def _draw(data: FrontierPlot, theme: style.Theme) -> Figure:
    labels = [f"{star.label}  {star.y:.1f}" for star in data.stars]
    probe = style.new_figure(4, 4)
    column = max((style.text_size(probe, label, _TEXT)[0] for label in labels), default=0.0) / probe.dpi
    row = style.text_size(probe, "Ag", _TEXT)[1] / probe.dpi + 0.03
    margin = column + 0.5 if labels else 0.55
    width = _LEFT + _AXES_WIDTH + margin
    caption = style.wrap_to(probe, data.caption, _SMALL, width - _LEFT - 0.2)
    handles, names = _legend_entries(data, theme)
    columns = _columns(probe, names, width - _LEFT - 0.2)
    legend_height = 0.185 * -(-len(names) // columns) if names else 0.0
    top = 0.45 + legend_height + 0.3
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
            color=theme.budget,
        )  # fmt: skip
    if data.step:
        xs, ys = [x for x, _ in data.step], [y for _, y in data.step]
        end = high if data.budget is None else max(data.budget, xs[-1])
        axes.plot([*xs, end], [*ys, ys[-1]], drawstyle="steps-post", color=theme.ink, linewidth=1.5, zorder=3)
    for series in data.series:
        _draw_series(axes, series, data.y_range[0], theme)
    for star in data.stars:
        colour = theme.family(star.family)[0]
        axes.plot([star.x], [star.y], "*", markersize=13, color=colour, mec=theme.ink, mew=0.9, zorder=6)
    if data.empty:
        axes.text(0.5, 0.5, data.empty, transform=axes.transAxes, ha="center", va="center", fontsize=12,
                  color=theme.quiet)  # fmt: skip

    _label_column(figure, axes, data, labels, row * figure.dpi, theme)
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


def _draw_series(axes: Axes, series: Series, floor: float, theme: style.Theme) -> None:
    colour, marker = theme.family(series.family)
    below = [x for x, y in zip(series.x, series.y, strict=True) if y < floor]
    axes.plot(below, [0.004] * len(below), linestyle="", marker=CARETDOWN, markersize=6, color=colour,
              transform=axes.get_xaxis_transform(), zorder=4)  # fmt: skip
    for on, size, edge, alpha, order in ((False, 22, theme.paper, 0.75, 4), (True, 46, theme.ink, 1.0, 5)):
        points = [(x, y) for x, y, member in zip(series.x, series.y, series.on_frontier, strict=True)
                  if member == on and y >= floor]  # fmt: skip
        if points:
            axes.scatter(
                [x for x, _ in points], [y for _, y in points], s=size, marker=marker, color=colour, edgecolors=edge,
                linewidths=0.9 if on else 0.4, alpha=alpha, zorder=order,
            )  # fmt: skip


def _legend_entries(data: FrontierPlot, theme: style.Theme) -> tuple[list[Line2D], list[str]]:
    def mark(colour: str, marker: str, size: float, edge: str, text: str) -> tuple[Line2D, str]:
        return Line2D([], [], linestyle="", marker=marker, color=colour, markersize=size, mec=edge, mew=0.8), text

    entries = []
    for series in data.series:
        colour, marker = theme.family(series.family)
        entries.append(mark(colour, marker, 6, theme.paper, style.family_name(series.family)))
    if data.step:
        line = Line2D([], [], color=theme.ink, linewidth=1.5, marker="o", markersize=6, mfc=theme.paper, mec=theme.ink)
        entries.append((line, "frontier"))
    if data.stars:
        entries.append(mark(theme.paper, "*", 11, theme.ink, "published network, same recipe"))
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
    owners = untangle(starts, ends)
    for y, owner in zip(heights, owners, strict=True):
        number = rising[owner]
        knee = to_data.transform((frame.x1 + 0.06 * figure.dpi, y))
        end = to_data.transform((frame.x1 + 0.2 * figure.dpi, y))
        text = to_data.transform((frame.x1 + 0.25 * figure.dpi, y))
        star = data.stars[number]
        axes.plot([star.x, knee[0], end[0]], [star.y, knee[1], end[1]], color=theme.leader, linewidth=0.6,
                  clip_on=False, zorder=1.5, solid_joinstyle="round")  # fmt: skip
        axes.text(text[0], text[1], labels[number], fontsize=_TEXT, va="center", ha="left", clip_on=False)
