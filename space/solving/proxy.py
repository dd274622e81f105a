"""The proxy of a network, solved: the same shape, narrower, so that it costs just what it is meant to cost.

A factor on all widths alone does not do that. A proxy has a few channels a stage, and one of them more is a large part
of its cost; groups and growth rates are coarser still. So the factor that comes nearest is corrected by single widths.
"""

from __future__ import annotations

import math
from functools import lru_cache

from space.budget import gflops
from space.networks.config import Config
from space.networks.layers import total_macs

CLOSE = 0.01  # the part of its due that a proxy may miss before single widths are moved
FAR = 0.1  # ... and from which on it stands for the network no more
_LEAST, _MOST = 1e-5, 64.0  # factors on the widths that are tried
_BEAM, _ROUNDS = 8, 6  # networks that are gone on with; widths that may be moved, one after the other


@lru_cache(maxsize=8192)
def solve_proxy(config: Config, due: int, resolution: int, classes: int) -> Config:
    """The network at another width whose multiply-adds are the nearest to `due`, its depths and proportions kept.

    It is within 3 % of it but for a few networks in a thousand (`python -m benchmarks.proxies` says how many).

    Args:
        config: the network that the proxy stands for, with the stem of the proxy.
        due: multiply-adds of the proxy.
        resolution: height and width of the images that it is counted on, pixels.
        classes: of these images.

    Raises:
        ValueError: if the images are too small for the network, or if no width of its shape comes within 10 %.
    """

    def miss(proxy: Config) -> float:
        return total_macs(proxy.blocks(resolution, classes)) / due - 1

    low, high = _LEAST, _MOST
    while high / low > 1 + 1e-5:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if miss(config.scaled(middle)) <= 0 else (low, middle)
    missed = {proxy: miss(proxy) for proxy in (config.scaled(low), config.scaled(high))}
    beam = sorted(missed, key=lambda proxy: abs(missed[proxy]))
    for _ in range(_ROUNDS):
        if abs(missed[beam[0]]) <= CLOSE:
            break
        fresh = {moved for proxy in beam for moved in config.nudged(proxy, low) if moved not in missed}
        missed |= {proxy: miss(proxy) for proxy in fresh}
        # ties are broken by the id: the order of a set is not the same in every process
        beam = sorted((*beam, *fresh), key=lambda proxy: (abs(missed[proxy]), proxy.id))[:_BEAM]
    best = beam[0]
    if abs(missed[best]) > FAR:
        raise ValueError(
            f"no width of this shape makes a proxy of {gflops(due)}FLOPs at {resolution}x{resolution}: the nearest "
            f"costs {gflops(total_macs(best.blocks(resolution, classes)))}FLOPs"
        )
    return best
