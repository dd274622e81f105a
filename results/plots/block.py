"""A block beside its unrolled alternatives: `space.papers.blocks` -> `BlockPlot` -> figure, bars of multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from results.plots import style
from space.papers.blocks import Block, alternatives

_TEXT, _SMALL = 8.5, 7.8
_WIDTH, _ROW = 6.4, 0.36  # inches of the axes, and of one bar
_RIGHT, _TOP, _BOTTOM = 1.55, 0.86, 1.0


@dataclass(frozen=True)
class Bar:
    """One block."""

    at: str  # the block, equal width or equal cost
    label: str
    parts: tuple[tuple[int, int], ...]  # kernel and multiply-adds a position of each convolution, in order
    times: float  # the block's cost

    @property
    def macs(self) -> int:
        """Multiply-adds a position."""
        return sum(macs for _, macs in self.parts)


@dataclass(frozen=True)
class BlockPlot:
    """All that the picture shows."""

    title: str
    family: str  # whose colour it has
    bars: tuple[Bar, ...]


def block_plot(title: str, family: str, block: Block) -> BlockPlot:
    """Step one: the block and its alternatives."""
    base = sum(conv.weights(1) for conv in block.convs)
    bars = []
    for at, each in (("the block", block), *alternatives(block)):
        parts = tuple((conv.kernel, conv.weights(1)) for conv in each.convs)
        bars.append(Bar(at, each.name, parts, sum(macs for _, macs in parts) / base))
    return BlockPlot(title, family, tuple(bars))


def draw_block(data: BlockPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture; one row a block, one piece of a bar a convolution."""
    with style.styled(theme):
        return _draw(data, theme)


def _draw(data: BlockPlot, theme: style.Theme) -> Figure:
    probe = style.new_figure(4, 4)
    names = max(style.text_size(probe, bar.label, _TEXT)[0] for bar in data.bars) / probe.dpi
    left = names + 1.25
    places = _places(data.bars)
    high = _ROW * (1 - min(places))
    figure, axes = style.panel(left, _WIDTH, _RIGHT, _TOP, high, _BOTTOM)
    width, height = left + _WIDTH + _RIGHT, _TOP + high + _BOTTOM
    colour = theme.family(data.family)[0]
    most = max(bar.macs for bar in data.bars)
    for bar, place in zip(data.bars, places, strict=True):
        start = 0
        for kernel, macs in bar.parts:
            axes.barh([place], [macs], left=[start], height=0.66, color=colour, alpha=0.45 if kernel == 1 else 1.0,
                      edgecolor=theme.paper, linewidth=0.8)  # fmt: skip
            start += macs
        axes.text(start + most * 0.012, place, f"{bar.macs:,}  ({bar.times:.2f})", fontsize=_TEXT, va="center")
    axes.set_xlim(0, most)
    axes.set_ylim(min(places) - 0.5, 0.5)
    axes.set_yticks(places, [bar.label for bar in data.bars], fontsize=_TEXT)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("multiply-adds a position")
    for at in dict.fromkeys(bar.at for bar in data.bars):
        first = next(place for bar, place in zip(data.bars, places, strict=True) if bar.at == at)
        y = (_BOTTOM + high * (1 - (0.5 - first) / (1 - min(places)))) / height
        figure.text(0.14 / width, y, at, fontsize=_TEXT, fontweight="bold", va="center")
    keys = [Patch(facecolor=colour, alpha=0.45, label="1x1"), Patch(facecolor=colour, label="3x3")]
    axes.legend(handles=keys, loc="lower right", bbox_to_anchor=(1, 1.0), ncols=2, frameon=False, fontsize=_TEXT)
    figure.text(0.14 / width, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top")
    figure.text(0.14 / width, 0.14 / height, "In brackets: times the block. Numbers of blocks are the maps that they "
                "read, by those of the 3x3 (of a dense layer's 1x1).", fontsize=_SMALL, color=theme.quiet)  # fmt: skip
    return figure


def _places(bars: tuple[Bar, ...]) -> list[float]:
    """Where each bar stands, from zero downwards, with half a row between groups."""
    places, place = [], 0.0
    for number, bar in enumerate(bars):
        place -= 0.5 if number and bar.at != bars[number - 1].at else 0.0
        places.append(place)
        place -= 1
    return places
