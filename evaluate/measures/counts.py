"""Exact counts of a network at a target: what is known of it without building or training anything."""

from __future__ import annotations

from typing import NamedTuple

from space import Config
from space.networks.layers import Conv, Linear, total

COUNTS = ("macs", "params", "activations", "depth")
BESIDE = ("downsample", "se.")  # layers beside the longest path: projections, squeeze-and-excitation


class Counts(NamedTuple):
    """As `COUNTS`: multiply-adds, parameters, output elements of convolutions, weight layers on the longest path."""

    macs: int
    params: int
    activations: int
    depth: int


def count(config: Config, input_size: int, classes: int) -> Counts:
    """Count a network: no module is built, some 30 microseconds.

    Args:
        config: the network.
        input_size: height and width of the images, in pixels.
        classes: outputs of its head.

    Raises:
        ValueError: if the input is too small for the network.
    """
    blocks = config.blocks(input_size, classes)
    cost = total(blocks)
    depth = sum(
        block.copies
        for block in blocks
        for layer in block.layers
        if isinstance(layer, Conv | Linear) and not layer.name.startswith(BESIDE)
    )
    return Counts(cost.macs, cost.params, cost.activations, depth)
