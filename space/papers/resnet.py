"""ResNet-18 to -152 beside Table 1 of arXiv:1512.03385, and why a count differs from what is printed there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from space.landmarks.networks import LANDMARKS
from space.networks.layers import Conv, Linear, total_macs
from space.networks.residual import ResidualConfig
from space.papers.outline import depth
from space.papers.printed_costs import PRINTED, agrees, rounded
from space.papers.rows import (
    DIFFERENCE,
    LAYERS,
    MACS,
    NETWORK,
    PARAMS,
    PRINTED_MACS,
    PRINTED_PARAMS,
    WHY,
    G,
    architecture,
    row,
    sources,
)  # fmt: skip
from space.shell.tables import Column, Row, Sheet, Table

BASIC, DEEP = ("resnet18", "resnet34"), ("resnet50", "resnet101", "resnet152")
V1 = tuple(f"{name}_v1" for name in DEEP)  # the paper's own, with the stride in the first 1x1


def resnet() -> Sheet:
    """Blocks, output sizes, parameters and multiply-adds; the other form of each; what else could be counted."""
    rows = [each for name in BASIC for each in _basic(name)] + [each for name in DEEP for each in _deep(name)]
    columns = (NETWORK, LAYERS, Column("form", "form"), PARAMS, PRINTED_PARAMS, MACS, PRINTED_MACS, DIFFERENCE, WHY)
    return Sheet(
        "ResNet on ImageNet: Table 1 of arXiv:1512.03385, computed from the configurations",
        (
            architecture((*BASIC, *V1)),
            Table("Multiply-adds beside the FLOPs that the paper prints (1e9)", columns, tuple(rows)),
            _ways(),
        ),
        (_note(),),
        sources((*BASIC, *V1, "resnet50")),
    )


def _config(name: str) -> ResidualConfig:
    return cast(ResidualConfig, LANDMARKS[name].network())


def _macs(config: ResidualConfig) -> int:
    return total_macs(config.blocks(224, 1000))


def _printed(name: str) -> str:
    macs = PRINTED[name][0].macs
    assert macs is not None
    return macs


def _basic(name: str) -> list[Row]:
    """Both kinds of shortcuts: the paper's Table 2 has the nets of basic blocks with A, Table 3 with both."""
    with_b = _config(name)
    with_a = replace(with_b, shortcut="A")
    count, printed = sum(layer.name.endswith("downsample.0") for layer in with_b.layers()), _printed(name)
    why_b = _why(_macs(with_b), printed)
    if why_b != "rounding" and agrees(_macs(with_a), printed, G):
        more = _macs(with_b) - _macs(with_a)
        why_b = f"prints as {rounded(_macs(with_b), printed, G)}: {more:,} in {count} projections, which A has not"
    return [
        row(name, with_a) | {"layers": depth(with_a), "form": "shortcuts A", "why": _why(_macs(with_a), printed),
                             "printed_params": None},
        row(name) | {"layers": depth(with_b), "form": "shortcuts B", "why": why_b},
    ]  # fmt: skip


def _deep(name: str) -> list[Row]:
    """Both places of the stride: the paper's first 1x1, and the 3x3 as everyone since."""
    first, since, printed = _config(f"{name}_v1"), _config(name), _printed(f"{name}_v1")
    strided = sum(layer.name.endswith("conv2") and layer.stride > 1 for layer in since.layers()
                  if isinstance(layer, Conv))  # fmt: skip
    more = _macs(since) - _macs(first)
    label, macs = LANDMARKS[name].label, _macs(since)
    return [
        row(f"{name}_v1") | {"network": label, "layers": depth(first), "form": "stride in the 1x1",
                             "why": _why(_macs(first), printed)},
        row(name) | {"layers": depth(since), "form": "stride in the 3x3", "printed_macs": printed,
                     "difference": macs / G / float(printed) - 1,
                     "why": f"{more:,} more: {strided} first 1x1s at four times the positions"},
    ]  # fmt: skip


def _why(macs: int, printed: str) -> str:
    return (
        "rounding" if agrees(macs, printed, G) else f"prints as {rounded(macs, printed, G)}, not explained: see below"
    )


def _classifier(config: ResidualConfig) -> int:
    return sum(layer.macs(1) for layer in config.layers() if isinstance(layer, Linear))


def _projection(config: ResidualConfig) -> int:
    return next(x.macs(1) for x in config.layers() if isinstance(x, Conv) and x.name == "layer1.0.downsample.0")


def _first(config: ResidualConfig) -> int:
    return next(layer.macs(1) for layer in config.layers() if isinstance(layer, Conv))


WAYS: dict[str, Callable[[ResidualConfig], int]] = {
    "all convolutions and the classifier": _macs,
    "convolutions alone": lambda config: _macs(config) - _classifier(config),
    "without the projection of conv2_x": lambda config: _macs(config) - _projection(config),
    "without any projection (shortcuts A)": lambda config: _macs(replace(config, shortcut="A")),
    "without conv1": lambda config: _macs(config) - _first(config),
    "stride in the 3x3": lambda config: _macs(replace(config, stride_in="3x3")),
}


def _ways() -> Table:
    """The three deep networks, counted in every way that could be meant."""
    printed = [_printed(name) for name in V1]
    rows: list[Row] = [{"way": "printed", "prints": " ".join(printed)}]
    for way, count in WAYS.items():
        counts = [count(_config(name)) for name in V1]
        prints = " ".join(rounded(macs, text, G) for macs, text in zip(counts, printed, strict=True))
        rows.append({"way": way, "prints": prints} | dict(zip(V1, counts, strict=True)))
    columns = (Column("way", "what is counted"), *(Column(name, LANDMARKS[name].label, ".3f", G) for name in V1))
    return Table("What gives 3.8, 7.6 and 11.3?", (*columns, Column("prints", "prints as")), tuple(rows))


def _note() -> str:
    """Whether the printed figures can all be roundings of one way of counting."""
    counts = [_macs(_config(name)) for name in V1]
    printed = [float(_printed(name)) for name in V1]
    block = (counts[1] - counts[0]) // 17
    steps = [(macs - counts[0]) / G for macs in counts]
    low = max(text - 0.05 - step for text, step in zip(printed, steps, strict=True))
    high = min(text + 0.05 - step for text, step in zip(printed, steps, strict=True))
    cut = ", ".join(f"{macs // 10**8 / 10:.1f}" for macs in counts)
    return (
        f"ResNet-101 and ResNet-152 are ResNet-50 and 17 or 34 blocks of {block:,} multiply-adds more. So "
        f"{', '.join(map(str, printed))} are roundings of one way of counting only if it gives ResNet-50 "
        f"{low:.3f} to {high:.3f} G. The exact count is {counts[0] / G:.3f} G, {counts[0] / 1e6 - high * 1e3:.0f} M "
        f"more, and none of the ways above lies between; cut off instead of rounded, the three would be {cut}. So 7.6 "
        "and 11.3 are rounding, and the 3.8 of ResNet-50 stays unexplained."
    )
