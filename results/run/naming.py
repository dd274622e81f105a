"""A network in words, and in the few numbers that tables, plots and filters use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from space import Config, DenseConfig, ResidualConfig


def describe(config: Config) -> str:
    """A network in a few words, beside its family.

    "bottleneck d3-4-6-3 w256-512-1024-2048 32x4d": blocks a stage, output channels a stage, cardinality x base
    width (or i: inner channels a stage, g: groups a stage, where they do not double from stage to stage);
    "k32 d6-12-24-16 theta 0.5": growth rate, dense layers a block, compression.
    """
    if isinstance(config, DenseConfig):
        words = [f"k{config.growth_rate}", _dashed("d", config.depths), f"theta {config.compression:.3g}"]
        if config.bottleneck != 4:
            words.append(f"bottleneck {config.bottleneck}" if config.bottleneck else "no bottleneck")
        return " ".join(words)
    if not isinstance(config, ResidualConfig):
        return config.family
    words = [config.block, _dashed("d", config.depths), _dashed("w", config.widths)]
    inner, groups = config.inner_widths, config.groups
    base, left = divmod(inner[0], groups[0])
    regular = not left and all(
        width == base * groups[0] * 2**stage and cardinality == groups[0]
        for stage, (width, cardinality) in enumerate(zip(inner, groups, strict=True))
    )
    if config.block == "bottleneck" and regular:
        words.append(f"{groups[0]}x{base}d")
    elif config.block == "bottleneck" or inner != config.widths:
        words.append(_dashed("i", inner))
        if max(groups) > 1:
            words.append(f"g{groups[0]}" if len(set(groups)) == 1 else _dashed("g", groups))
    elif max(groups) > 1:
        words.append(_dashed("g", groups))
    if config.block == "bottleneck" and config.stride_in == "1x1":
        words.append("stride in 1x1")
    if config.shortcut != "B":
        words.append("plain" if config.shortcut == "none" else f"shortcut {config.shortcut}")
    if config.preactivation:
        words.append("pre-activation")
    return " ".join(words)


def _dashed(letter: str, numbers: Sequence[int]) -> str:
    return letter + "-".join(str(number) for number in numbers)


def traits(config: Config) -> dict[str, Any]:
    """The numbers of a configuration that have columns of their own; `COLUMNS` says what they are."""
    if isinstance(config, DenseConfig):
        return {
            "depth": sum(config.depths),
            "width": config.stem_width + config.depths[0] * config.growth_rate,
            "growth_rate": config.growth_rate,
            "compression": config.compression,
            "block": "dense bottleneck" if config.bottleneck else "dense",
        }
    if not isinstance(config, ResidualConfig):
        return {}
    # A basic block's inner width is compared with the stem's, a bottleneck's with a quarter of what it puts out.
    narrow = config.stem_width if config.block == "basic" else config.widths[0] / 4
    return {
        "depth": sum(config.depths),
        "width": config.widths[0],
        "cardinality": config.groups[0],
        "base_width": config.inner_widths[0] / config.groups[0],
        "widening": config.inner_widths[0] / narrow,
        "block": config.block,
    }
