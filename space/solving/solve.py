"""Shape + target cost -> the configuration that costs it. The budget is solved, not tested.

Cost grows with width, so the widest network at or below a target is found by bisection on exact counts: one number
scales all widths, and where its next step would overshoot, single widths (in a DenseNet the compression) take up
what is left, the costliest step first. Nothing is drawn again and nothing is thrown away. Further limits are solved
in the same way: see `space.limits` for the one measure that is held against the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from space.limits import NO_LIMITS, Limits
from space.networks.config import MAX_CHANNELS, Config
from space.networks.dense import DenseConfig
from space.networks.layers import total_macs
from space.networks.residual import ResidualConfig

DIVISOR = 8  # channels come in whole multiples of this: tensor cores and vector units like it
CLOSE = 0.005  # the part of the target that may stay unspent before a finer number is tried
TOLERABLE = 0.02  # ... and before single widths are stretched further
STRETCH = (1.5, 3.0)  # the most that a single width may grow beyond its share: at first, and if that is not enough


@dataclass(frozen=True, slots=True)
class ResidualShape:
    """Everything of a residual network but its width.

    Stage s (from 0) is 2**s times as wide as the first. With a stem of b channels, `widening` is Wide ResNet's k: the
    3x3s of stage 0 have k * b channels (k = 1 is ResNet, 2 is both WRN-50-2 and ResNeXt-50 32x4d). A bottleneck's
    output has 4 * b channels, a basic block's k * b.
    """

    family: str
    stem: str
    block: str
    depths: tuple[int, ...]
    cardinality: int = 1
    widening: float = 1.0

    def at(self, quarters: int) -> ResidualConfig:
        """The network with a stem of `quarters` / 4 channels, every width rounded to its nearest multiple."""
        multiple = math.lcm(DIVISOR, self.cardinality)
        stages = range(len(self.depths))
        inner = tuple(_near(self.widening * quarters / 4 * 2**s, multiple) for s in stages)
        outer = tuple(_near(quarters * 2**s, DIVISOR) for s in stages) if self.block == "bottleneck" else inner
        return ResidualConfig(
            family=self.family,
            stem=self.stem,
            stem_width=_near(quarters / 4, DIVISOR),
            block=self.block,
            depths=self.depths,
            widths=outer,
            inner_widths=inner,
            groups=(self.cardinality,) * len(self.depths),
        )


@dataclass(frozen=True, slots=True)
class DenseShape:
    """Everything of a DenseNet but its growth rate; `compression` is where the solver starts from."""

    family: str
    stem: str
    depths: tuple[int, ...]
    bottleneck: int
    compression: float

    def at(self, growth_rate: int, compression: float | None = None) -> DenseConfig:
        """The network with this growth rate. The stem is 2k wide, 16 channels in a basic CIFAR net."""
        basic = self.stem == "cifar" and not self.bottleneck
        return DenseConfig(
            family=self.family,
            stem=self.stem,
            stem_width=16 if basic else 2 * growth_rate,
            depths=self.depths,
            growth_rate=growth_rate,
            bottleneck=self.bottleneck,
            compression=self.compression if compression is None else compression,
        )


Shape = ResidualShape | DenseShape
Measure = Callable[[Config], int]  # what is held against the target: see `Limits.measure`
S = TypeVar("S", ResidualShape, DenseShape)


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
    if isinstance(shape, ResidualShape):
        return _solve_residual(_affordable(shape, target, measure, limits), target, measure)
    return _solve_dense(_affordable(shape, target, measure, limits), target, measure)


def floor_macs(shape: Shape, *, input_size: int = 224, classes: int = 1000) -> int:
    """How many multiply-adds the narrowest network of this shape costs."""
    return total_macs(narrowest(shape).blocks(input_size, classes))


def narrowest(shape: Shape) -> Config:
    """The network of this shape with the fewest channels that the solver uses."""
    return shape.at(_LEAST_QUARTERS) if isinstance(shape, ResidualShape) else shape.at(_GROWTH[0])


def solve_base_width(
    config: ResidualConfig, cardinality: int, target: int, *, input_size: int = 224, classes: int = 1000
) -> ResidualConfig:
    """Give `config` another cardinality at preserved complexity, as Table 3 of ResNeXt (arXiv:1611.05431) does.

    Depths and widths stay; whole channels a group at stage 0 (the base width d of "32x4d"), doubled from stage to
    stage, are chosen so that the cost is the nearest to `target`, above or below.
    """

    def at(base: int) -> ResidualConfig:
        stages = range(len(config.depths))
        return replace(
            config,
            family="resnext" if cardinality > 1 else "resnet",
            inner_widths=tuple(cardinality * base * 2**s for s in stages),
            groups=(cardinality,) * len(config.depths),
        )

    def macs(base: int) -> int:
        return total_macs(at(base).blocks(input_size, classes))

    most = MAX_CHANNELS // (cardinality * 2 ** (len(config.depths) - 1))
    below = largest(macs, target, 1, most, round(math.sqrt(most)))
    above = min(below + 1, most)
    return at(above if macs(above) - target < target - macs(below) else below)


# ---------------------------------------------------------------------------------------------- residual

_LEAST_QUARTERS = 8
_KNOBS = ("widths", "inner_widths")


def _solve_residual(shape: ResidualShape, target: int, measure: Measure) -> ResidualConfig:
    widest = int(MAX_CHANNELS / 2 ** (len(shape.depths) + 1) / max(1.0, shape.widening))
    quarters = largest(lambda n: measure(shape.at(n)), target, _LEAST_QUARTERS, widest, 128)
    return _fill(shape.at(quarters), math.lcm(DIVISOR, shape.cardinality), target, measure)


def _fill(config: ResidualConfig, multiple: int, target: int, measure: Measure) -> ResidualConfig:
    """Raise single widths, the costliest step first, until what is left is less than a step or small."""
    room = target - measure(config)
    for stretch in STRETCH:
        most = {name: tuple(int(stretch * width) for width in getattr(config, name)) for name in _KNOBS}
        for name, stage in sorted(((name, stage) for name in _KNOBS for stage in range(len(config.depths))),
                                  key=lambda knob: -_step_cost(config, *knob)):  # fmt: skip
            if room <= CLOSE * target:
                return config
            step = multiple if name == "inner_widths" else DIVISOR
            steps = max(1, (most[name][stage] - getattr(config, name)[stage]) // step)
            while steps > 0:
                wider = _raised(config, name, stage, steps * step)
                left = target - measure(wider)
                if left >= 0:
                    config, room = wider, left
                    break
                steps = min(steps - 1, steps * room // (room - left))
        if room <= TOLERABLE * target:
            break
    return config


def _step_cost(config: ResidualConfig, name: str, stage: int) -> float:
    """About how many multiply-adds one more channel costs; good enough for an order."""
    width, inner, groups = config.widths[stage], config.inner_widths[stage], config.groups[stage]
    if config.block == "basic":
        channel = 18 * width if name == "inner_widths" else 9 * inner
    else:
        channel = 2 * width + 18 * inner // groups if name == "inner_widths" else 2 * inner
    return float(channel * config.depths[stage] / 4**stage)


def _raised(config: ResidualConfig, name: str, stage: int, channels: int) -> ResidualConfig:
    values = list(getattr(config, name))
    values[stage] += channels
    changed: dict[str, Any] = {name: tuple(values)}
    return replace(config, **changed)


# ---------------------------------------------------------------------------------------------- dense

# A step of the growth rate is never more than an eighth of it above 8; multiples of 2 and 4 as soon as that allows.
_GROWTH = (*range(4, 16), *range(16, 32, 2), *range(32, 4096, 4))
_THETA = 1000  # compression is solved in thousandths
_LEAST_THETA = 200


def _solve_dense(shape: DenseShape, target: int, measure: Measure) -> DenseConfig:
    index = largest(lambda i: measure(shape.at(_GROWTH[i])), target, 0, len(_GROWTH) - 1, 12)
    config = shape.at(_GROWTH[index])
    room = target - measure(config)
    if room <= CLOSE * target:
        return config
    theta = round(shape.compression * _THETA)
    if index + 1 == len(_GROWTH):
        return config
    over = measure(shape.at(_GROWTH[index + 1])) - target
    best = config
    # Whichever growth rate is nearer in cost needs the smaller change of the compression.
    nearer = (index + 1, index) if over < room else (index, index + 1)
    for candidate in nearer:
        growth = _GROWTH[candidate]
        low, high = (theta, _THETA) if candidate == index else (_LEAST_THETA, theta)
        if measure(shape.at(growth, low / _THETA)) > target:
            continue

        def compressed(thousandths: int, growth: int = growth) -> int:
            return measure(shape.at(growth, thousandths / _THETA))

        thousandths = largest(compressed, target, low, high, (low + high) // 2)
        solved = shape.at(growth, thousandths / _THETA)
        if measure(solved) > measure(best):
            best = solved
        if target - measure(best) <= CLOSE * target:
            break
    return best


# ---------------------------------------------------------------------------------------------- both


def _affordable(shape: S, target: int, measure: Measure, limits: Limits) -> S:
    """The shape itself, or cut in depth in proportion until its narrowest network costs at most `target`."""
    if measure(narrowest(shape)) <= target:
        return shape
    whole = 256

    def cut(part: int) -> S:
        return replace(shape, depths=tuple(max(1, depth * part // whole) for depth in shape.depths))

    if (least := measure(narrowest(cut(0)))) > target:
        if limits:
            raise ValueError(
                f"no {shape.family} of the space has at most {target} multiply-adds, {limits}: "
                f"the smallest costs {least / target:.3g} times the tightest of these"
            )
        raise ValueError(
            f"no {shape.family} of the space costs as little as {target} multiply-adds: the smallest costs {least}"
        )
    return cut(largest(lambda part: measure(narrowest(cut(part))), target, 0, whole, whole // 2))


def largest(cost: Callable[[int], int], target: int, low: int, high: int, guess: int) -> int:
    """The largest n in [low, high] with cost(n) <= target, for a cost that never falls and grows like n squared.

    cost(low) <= target is taken for granted.
    """
    guess = min(max(guess, low + 1), high)
    step = 2
    while low < high:
        value = cost(guess)
        if value <= target:
            low = guess
        else:
            high = guess - 1
        if step:  # two leaps by the square law, then a narrow bracket, then plain bisection
            step -= 1
            guess = round(guess * math.sqrt(target / value)) + (step == 0)
            guess = min(max(guess, low + 1), high)
        else:
            guess = (low + high + 1) // 2
            if high - low > 8 and value > target:
                guess = max(guess, high - 4)
            elif high - low > 8:
                guess = min(guess, low + 4)
    return low


def _near(channels: float, multiple: int) -> int:
    return max(multiple, int(channels / multiple + 0.5) * multiple)
