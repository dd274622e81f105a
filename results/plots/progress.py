"""Progress of a search: `ProgressPlot` -> figure. What it shows is chosen in `results.plots.progress_data`."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from results.plots import style
from results.plots.progress_data import Effort, Measure, ProgressPlot, Share, progress_data
from space.shell.words import duration

__all__ = ["draw_progress", "progress_data"]

_SMALL = 7.8
_LEFT, _RIGHT, _TOP = 0.75, 0.25, 0.5  # inches, as all that follow
_WIDTH, _HEIGHT, _GAP, _BETWEEN = 2.7, 1.9, 0.25, 0.2
_STEPS = (1, 2, 2.5, 5, 10)  # of ticks
_AXIS, _HEADING, _BAR, _NOTE = 0.55, 0.32, 0.21, 0.165


def draw_progress(data: ProgressPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled(theme):
        return _draw(data, theme)


def _draw(data: ProgressPlot, theme: style.Theme) -> Figure:
    across, down = len(data.efforts), len(data.measures)
    inner = max(across, 2) * (_WIDTH + _GAP) - _GAP
    panel = (inner + _GAP) / across - _GAP
    width = _LEFT + inner + _RIGHT
    probe = style.new_figure(4, 4)
    caption = style.wrap_to(probe, data.caption, _SMALL, inner)
    curves = down * (_HEIGHT + _BETWEEN) - _BETWEEN + _AXIS
    bars = _HEADING + _BAR * len(data.shares) + 0.1 if data.shares else 0.0
    height = _TOP + curves + bars + 0.1 + _NOTE * len(caption) + 0.1
    figure = style.new_figure(width, height)
    for row, measure in enumerate(data.measures):
        limits = _limits(measure.values)
        for column, effort in enumerate(data.efforts):
            left, bottom = _LEFT + column * (panel + _GAP), height - _TOP - (row + 1) * _HEIGHT - row * _BETWEEN
            axes = figure.add_axes((left / width, bottom / height, panel / width, _HEIGHT / height))
            _curve(axes, measure, effort, limits, theme)
            axes.tick_params(labelbottom=row == down - 1, labelleft=column == 0, left=column == 0)
            if row == down - 1:
                axes.set_xlabel(effort.label)
            if column == 0:
                axes.set_ylabel(measure.label)
            if data.empty:
                axes.text(0.5, 0.5, data.empty, transform=axes.transAxes, ha="center", va="center", color=theme.quiet)
    if data.shares:
        _bars(figure, data.shares, (_LEFT, height - _TOP - curves - _HEADING), inner, theme)
    edge = _LEFT / width
    figure.text(edge, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    figure.text(
        edge, (0.1 + _NOTE * len(caption)) / height, "\n".join(caption), fontsize=_SMALL, color=theme.quiet, va="top",
        ha="left", linespacing=1.3,
    )  # fmt: skip
    return figure


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """A range in which the later part of a curve can be read: its steep begin, from 0, may leave it."""
    settled = values[min(len(values) - 1, max(1, len(values) // 20))]
    return style.limits([settled, max(values)], 0.08)


def _curve(axes: Axes, measure: Measure, effort: Effort, limits: tuple[float, float], theme: style.Theme) -> None:
    axes.grid(True, linewidth=0.7)
    axes.set_axisbelow(True)
    values = [*measure.values, *[measure.values[-1]] * (len(effort.spent) - len(measure.values))]
    axes.plot(effort.spent, values, drawstyle="steps-post", color=theme.ink, linewidth=1.5)
    axes.set_xlim(0, max(effort.spent[-1], 1e-9) if effort.spent[-1] else 1)
    axes.set_ylim(*limits)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=_STEPS, integer=effort.label == "networks"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))  # a short 0, beside the next panel
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=_STEPS))


def _bars(
    figure: Figure, shares: Sequence[Share], corner: tuple[float, float], inner: float, theme: style.Theme
) -> None:
    """Bars with their names at the left and their times at the right; `corner` is where the first one's top is."""
    width, height = figure.get_size_inches()
    left, top = corner
    figure.text(left / width, (top + 0.1) / height, "Where the time went", fontsize=9.5, va="bottom", ha="left")
    total, most = sum(share.seconds for share in shares), max(share.seconds for share in shares)
    words = [f"{duration(share.seconds, total)}, {100 * share.seconds / total:.1f} %" for share in shares]
    names = max(style.text_size(figure, share.label, _SMALL)[0] for share in shares) / figure.dpi + 0.1
    room = inner - names - max(style.text_size(figure, word, _SMALL)[0] for word in words) / figure.dpi - 0.1
    deep = _BAR * len(shares)
    axes = figure.add_axes((left / width, (top - deep) / height, inner / width, deep / height))
    axes.set_axis_off()
    axes.set_xlim(0, inner)
    axes.set_ylim(len(shares) - 0.5, -0.5)
    for place, (share, word) in enumerate(zip(shares, words, strict=True)):
        colour = theme.family(share.family)[0] if share.family else theme.leader
        long = room * share.seconds / most
        axes.barh(place, long, 0.66, names, color=colour)
        axes.text(0, place, share.label, fontsize=_SMALL, va="center", ha="left")
        axes.text(names + long + 0.07, place, word, fontsize=_SMALL, va="center", ha="left")
