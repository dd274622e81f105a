"""Several small pictures on one sheet: a title, rows of panels with a key of lines below each, a caption; in inches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results.plots import style

TEXT = 7.8
COLUMNS = 3
_LINE = 0.155  # inches a line of a key
_HEIGHT = 1.75  # of a panel's axes
_LEFT, _RIGHT = 0.6, 0.2  # of the sheet; the left one is room for labels of axes as well
_NARROW = 2.95  # the least width of a panel with the room on its right
_BESIDE = 0.62  # that room: for the labels of the next panel's axes
_TOP, _ABOVE, _BELOW, _GAP = 0.72, 0.3, 0.4, 0.2  # over all panels; over and under each panel's axes; between rows
_MARK, _OUT, _APART = 0.2, 0.1, 0.12  # of a key: length of a mark, how far left of the axes, between columns
_RANGES = {"light": (0.0, 0.82), "dark": (0.3, 1.0)}  # of viridis, what stands out from the paper


@dataclass(frozen=True)
class Line:
    """One line of a panel's key: a mark, words in columns."""

    mark: Mapping[str, Any]  # settings of a matplotlib line of three points
    words: tuple[str, ...]
    colour: str


@dataclass(frozen=True)
class Sheet:
    """A figure with its panels."""

    figure: Figure
    axes: tuple[Axes, ...]


def sheet(
    title: str, subtitle: str, panels: Sequence[tuple[str, Sequence[Line]]], caption: str, theme: style.Theme
) -> Sheet:
    """Lay out the panels, as wide as their keys need; call it within `style.styled`.

    Args:
        title: of the whole.
        subtitle: one quiet line below it.
        panels: title and key of each.
        caption: below all.
        theme: its colours.
    """
    probe = style.new_figure(4, 4)
    starts = [_starts(probe, lines) for _, lines in panels]
    pitch = max([_NARROW, *(columns[-1] + 0.1 for columns in starts)])
    wide = pitch - _BESIDE
    width = _LEFT + COLUMNS * pitch - _BESIDE + max(_RIGHT, _BESIDE - 0.2)
    tall = [max(len(lines) for _, lines in panels[start : start + COLUMNS]) for start in range(0, len(panels), COLUMNS)]
    heights = [_ABOVE + _HEIGHT + _BELOW + _LINE * lines + _GAP for lines in tall]
    wrapped = style.wrap_to(probe, caption, TEXT, width - _LEFT - _RIGHT)
    bottom = 0.12 + 0.165 * len(wrapped)
    height = _TOP + sum(heights) + bottom
    figure = style.new_figure(width, height)
    made = []
    for number, (name, lines) in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        left = _LEFT + column * pitch
        low = height - _TOP - sum(heights[:row]) - _ABOVE - _HEIGHT
        axes = figure.add_axes((left / width, low / height, wide / width, _HEIGHT / height))
        axes.grid(True, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=TEXT)
        axes.set_title(name, loc="left", fontsize=9, fontweight="bold", pad=5)
        _key(figure, left, low - _BELOW, lines, starts[number])
        made.append(axes)
    write(figure, _LEFT, height - 0.16, title, theme.ink, va="top", fontsize=11.5, fontweight="bold")
    write(figure, _LEFT, height - 0.42, subtitle, theme.quiet, va="top")
    write(figure, _LEFT, bottom, "\n".join(wrapped), theme.quiet, va="top", linespacing=1.3)
    return Sheet(figure, tuple(made))


def message(title: str, words: str, caption: str, theme: style.Theme) -> Figure:
    """A sheet that only says in words why there is nothing to draw; call it within `style.styled`."""
    made = sheet(title, "", [("", ())], caption, theme)
    (axes,) = made.axes
    axes.set_axis_off()
    figure = made.figure
    lines = style.wrap_to(figure, words, 11, figure.get_figwidth() - _LEFT - _RIGHT)
    place = figure.get_figheight() - _TOP - _ABOVE - _HEIGHT / 2
    write(figure, _LEFT, place, "\n".join(lines), theme.quiet, fontsize=11)
    return figure


def write(figure: Figure, x: float, y: float, text: str, colour: str, **more: Any) -> None:
    """Text at a place in inches."""
    settings: dict[str, Any] = {"fontsize": TEXT, "ha": "left", "va": "center"} | more
    figure.text(x, y, text, color=colour, transform=figure.dpi_scale_trans, **settings)


def ordered_colours(count: int, theme: style.Theme) -> list[tuple[float, float, float]]:
    """Colours for groups in an order, distinguished by lightness too."""
    places = np.linspace(*_RANGES[theme.name], max(count, 2))[:count]
    return [(float(red), float(green), float(blue)) for red, green, blue, _ in colormaps["viridis"](places)]


def _starts(figure: Figure, lines: Sequence[Line]) -> list[float]:
    """Where the columns of a key's words begin, in inches from the axes' left side, and where the last one ends."""
    found = [_MARK - _OUT + 0.08]
    columns = max((len(line.words) for line in lines), default=0)
    for column in range(columns):
        texts = [line.words[column] for line in lines if column < len(line.words)]
        widest = max(style.text_size(figure, text, TEXT)[0] for text in texts) / figure.dpi
        found.append(found[-1] + widest + _APART)
    return found


def _key(figure: Figure, left: float, top: float, lines: Sequence[Line], starts: Sequence[float]) -> None:
    for number, line in enumerate(lines):
        y = top - _LINE * (number + 0.5)
        span = [left - _OUT, left - _OUT + _MARK / 2, left - _OUT + _MARK]
        figure.add_artist(Line2D(span, [y] * 3, transform=figure.dpi_scale_trans, **line.mark))
        for start, text in zip(starts, line.words, strict=False):
            write(figure, left + start, y, text, line.colour)
