"""DenseNet: all that the program asks of it. Ranges of the axes contain every ImageNet landmark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from space.networks.axis import Axis, stages
from space.networks.dense import DenseConfig
from space.networks.dense_shape import SOLVED, DenseShape, readings, shape_of
from space.networks.family import BlockNumbers, Family, Measure, Paths, Resizing, Unrolling
from space.networks.widths import largest, nearest

_MOST_GROWTH = 4096


def describe(config: DenseConfig) -> str:
    """Such as "k32 d6-12-24-16 theta 0.5": growth rate, dense layers a block, compression."""
    depths = "-".join(map(str, config.depths))
    words = [f"k{config.growth_rate}", f"d{depths}", f"theta {config.compression:.3g}"]
    if config.bottleneck != 4:
        words.append(f"bottleneck {config.bottleneck}" if config.bottleneck else "no bottleneck")
    return " ".join(words)


def traits(config: DenseConfig) -> dict[str, Any]:
    """The numbers that have columns of their own; `results.run.columns` says what they are."""
    return {
        "depth": sum(config.depths),
        "width": config.stem_width + config.depths[0] * config.growth_rate,
        "growth_rate": config.growth_rate,
        "compression": config.compression,
        "block": "dense bottleneck" if config.bottleneck else "dense",
    }


# ---------------------------------------------------------------------------------------------- other sizes


def grown(config: DenseConfig, growth: int) -> DenseConfig:
    """The DenseNet with another growth rate; its stem grows alike, but for that of a basic CIFAR net."""
    basic = config.stem == "cifar" and not config.bottleneck
    stem = config.stem_width if basic else max(1, round(config.stem_width * growth / config.growth_rate))
    return replace(config, growth_rate=growth, stem_width=stem)


def solve_width(config: DenseConfig, target: int, measure: Measure, exact: bool = False) -> DenseConfig | None:
    """The network of the growth rate that measures `target`, or as little less; None if even the least measures more.

    The compression takes up what is left unless `exact`.
    """
    if exact:
        if measure(grown(config, 1)) > target:
            return None
        return grown(config, largest(lambda growth: measure(grown(config, growth)), target, 1, _MOST_GROWTH, 16))
    shape = DenseShape(config.family, config.stem, config.depths, config.bottleneck, config.compression)
    return shape.solve(target, measure) if measure(shape.narrowest()) <= target else None


def _nearest_growth(config: DenseConfig, target: int, measure: Measure) -> DenseConfig:
    """The growth rate whose cost is the nearest; the compression stays."""
    cost = nearest(lambda growth: measure(grown(config, growth)), target, 1, _MOST_GROWTH + 1, config.growth_rate)
    return grown(config, cost)


def _width_text(config: DenseConfig) -> str:
    return f"growth {config.growth_rate}, theta {config.compression:.3g}"


# ---------------------------------------------------------------------------------------------- forms of its blocks


def _block(config: DenseConfig, stage: int) -> BlockNumbers:
    growth = config.growth_rate
    return BlockNumbers("dense", inner=config.bottleneck * growth, growth=growth)


def _unrolled(config: DenseConfig) -> DenseConfig:
    """Dense layers lose their 1x1, or get one."""
    return replace(config, bottleneck=0 if config.bottleneck else 4)


def _words(config: DenseConfig) -> tuple[str, str]:
    blocks = f"dense by {config.bottleneck * config.growth_rate}" if config.bottleneck else "dense"
    return blocks, f"growth rate {config.growth_rate}"


# ---------------------------------------------------------------------------------------------- the record

_LAYER = Axis("bottleneck", choices=(4, 0))
_COMPRESSION = Axis("compression", 0.4, 1.0)

DENSENET = Family(
    name="densenet",
    label="DenseNet",
    config=DenseConfig,
    module="space.networks.dense_modules:DenseNet",
    axes={
        "imagenet": (_LAYER, _COMPRESSION, *stages((2, 12), (2, 24), (4, 72), (4, 56))),
        "cifar": (_LAYER, _COMPRESSION, *stages((2, 48), (2, 48), (2, 48))),
    },
    shape=shape_of,
    readings=readings,
    solved=SOLVED,
    describe=describe,
    traits=traits,
    form=lambda config: "" if config.bottleneck else "without bottleneck",
    colour="#E69F00",
    marker="D",
    resizing=Resizing(
        width=solve_width,
        width_text=_width_text,
        layers=lambda config: ((2 if config.bottleneck else 1), len(config.depths) + 1),
        deepened=lambda config, depths: replace(config, depths=depths),
        direction="growth_rate",
        wider=_nearest_growth,
        settings={
            "growth_rate": grown,
            "bottleneck": lambda config, ratio: replace(config, bottleneck=ratio),
            "compression": lambda config, theta: replace(config, compression=theta),
        },
    ),
    unrolling=Unrolling(_block, _unrolled, _words),
    paths=lambda config: Paths(sum(config.depths), "dense layers", gradients=False),
)
