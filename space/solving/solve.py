"""Shape + target cost -> the configuration that costs it. The budget is solved, not tested.

How a shape is solved is its family's own (`space.networks.residual_shape`, `space.networks.dense_shape`); here is what
is the same for all: further limits are solved like the budget (see `space.limits` for the one measure that is held
against the target), and a network too deep for its target is cut.
"""

from __future__ import annotations

from typing import Any, TypeVar

from space.limits import NO_LIMITS, Limits
from space.networks.config import Config
from space.networks.family import Measure, Shape
from space.networks.layers import total_macs
from space.networks.widths import largest

S = TypeVar("S", bound=Shape)


def solve(
    shape: Shape, target: int, *, input_size: int = 224, classes: int = 1000, limits: Limits = NO_LIMITS
) -> Config:
    """The network of this shape that costs `target` multiply-adds, or as little less as whole channels allow.

    With `limits` it is the widest that keeps to them too: whichever of the three binds. Where even the narrowest
    network of this depth costs more, its depths are cut in proportion.

    Raises:
        ValueError: if the narrowest network with one block a stage costs more than the target or breaks a limit.
    """
    measure = limits.measure(target, input_size, classes)
    return _affordable(shape, target, measure, limits).solve(target, measure)


def floor_macs(shape: Shape, *, input_size: int = 224, classes: int = 1000) -> int:
    """How many multiply-adds the narrowest network of this shape costs."""
    return total_macs(shape.narrowest().blocks(input_size, classes))


def _affordable(shape: S, target: int, measure: Measure, limits: Limits) -> S:
    """The shape itself, or cut in depth in proportion until its narrowest network costs at most `target`."""
    if measure(shape.narrowest()) <= target:
        return shape
    whole = 256

    def cut(part: int) -> S:
        return shape.of_depths(tuple(max(1, depth * part // whole) for depth in shape.depths))

    smallest = cut(0).narrowest()
    if (least := measure(smallest)) > target:
        if limits:
            raise ValueError(
                f"no {smallest.family} of the space has at most {target} multiply-adds, {limits}: "
                f"the smallest costs {least / target:.3g} times the tightest of these"
            )
        raise ValueError(
            f"no {smallest.family} of the space costs as little as {target} multiply-adds: the smallest costs {least}"
        )
    return cut(largest(lambda part: measure(cut(part).narrowest()), target, 0, whole, whole // 2))


def measure_at(input_size: int, classes: int) -> Measure:
    """What counts the multiply-adds of a configuration at this target."""

    def macs(config: Any) -> int:
        return total_macs(config.blocks(input_size, classes))

    return macs
