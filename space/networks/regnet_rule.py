"""RegNetX: the widths and depths of a residual network from five numbers.

Designing Network Design Spaces, Radosavovic 2020, arXiv:2003.13678, section 3.3; rounded as pycls does it.
"""

from __future__ import annotations

import math
from itertools import groupby

from space.networks.residual import ResidualConfig

MULTIPLE = 8  # of which block widths are
STEM_WIDTH = 32


def regnetx(depth: int, width: int, slope: float, step: float, group_width: int) -> ResidualConfig:
    """The network of a quantised linear rule.

    Block j of the network would have ``width + slope * j`` channels. That is moved to the nearest power of `step` times
    `width`, then to a multiple of 8; blocks of equal width are a stage. Its width is moved to whole groups at last.

    Args:
        depth: blocks in the whole network, d.
        width: channels that the rule begins with, w_0.
        slope: channels that a block adds, w_a.
        step: from one stage's width to the next's, about, w_m.
        group_width: channels a group of the 3x3 convolutions, g.
    """
    exponents = [round(math.log((width + slope * block) / width) / math.log(step)) for block in range(depth)]
    blocks = [round(width * step**exponent / MULTIPLE) * MULTIPLE for exponent in exponents]
    stages = [(stage, len(list(same))) for stage, same in groupby(blocks)]
    group_widths = [min(group_width, stage) for stage, _ in stages]
    widths = tuple(round(stage / group) * group for (stage, _), group in zip(stages, group_widths, strict=True))
    return ResidualConfig(
        family="regnetx",
        stem="regnet",
        stem_width=STEM_WIDTH,
        block="bottleneck",
        depths=tuple(depth for _, depth in stages),
        widths=widths,
        inner_widths=widths,  # the bottleneck ratio of all RegNetX is 1
        groups=tuple(width // group for width, group in zip(widths, group_widths, strict=True)),
    )
