"""What is known of a network without training it: exact counts at the target, and which networks are of its kind."""

from __future__ import annotations

import math
from dataclasses import dataclass

from space import Config
from space.networks.layers import Conv, Linear

COUNTS = ("macs", "params", "activations", "depth")
BESIDE = ("downsample", "se.")  # layers beside the longest path: projections, squeeze-and-excitation
PLAIN = "plain"  # networks without shortcuts, which train worse than their counts say


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a calibration reads of a network.

    `counts` are natural logarithms, in the order of `COUNTS`: multiply-adds, parameters, activations (output elements
    of convolutions) and weight layers on the longest path, all at the target.
    """

    network: str  # the configuration's id: equal networks have equal ids
    family: str  # networks of one family may all be a little better or worse than their counts say
    counts: tuple[float, ...]


def evidence(config: Config, input_size: int, classes: int) -> Evidence:
    """Count a network: no module is built, some 30 microseconds.

    Args:
        config: the network.
        input_size: height and width of the images, in pixels.
        classes: outputs of its head.

    Raises:
        ValueError: if the input is too small for the network.
    """
    macs = params = activations = depth = 0
    for block in config.blocks(input_size, classes):
        for layer in block.layers:
            m, p, a = layer.totals(block.copies)
            macs, params, activations = macs + m, params + p, activations + a
            if isinstance(layer, Conv | Linear) and not layer.name.startswith(BESIDE):
                depth += block.copies
    family = PLAIN if getattr(config, "shortcut", "") == "none" else config.family
    return Evidence(config.id, family, tuple(map(math.log, (macs, params, activations, depth))))
