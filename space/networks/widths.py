"""What the solvers of all families share: the largest number that a target admits, and what is left filled.

Cost grows with width, so the widest network at or below a target is found by bisection on exact counts: one number
scales all widths, and where its next step would overshoot, single widths take up what is left, the costliest step
first. Nothing is drawn again and nothing is thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from space.networks.config import Config

C = TypeVar("C", bound=Config)

DIVISOR = 8  # channels come in whole multiples of this: tensor cores and vector units like it
CLOSE = 0.005  # the part of the target that may stay unspent before a finer number is tried
TOLERABLE = 0.02  # ... and before single widths are stretched further
STRETCH = (1.5, 3.0)  # the most that a single width may grow beyond its share: at first, and if that is not enough


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


def nearest(cost: Callable[[int], int], target: int, low: int, high: int, guess: int) -> int:
    """The n in [low, high] whose cost is the nearest to the target, above or below; for a cost that never falls."""
    below = largest(cost, target, low, high, guess)
    above = min(below + 1, high)
    return above if abs(cost(above) - target) < abs(target - cost(below)) else below


def near(channels: float, multiple: int) -> int:
    """The nearest multiple, at least one."""
    return max(multiple, int(channels / multiple + 0.5) * multiple)


class Knob(Protocol):
    """One width of a network that can be raised alone."""

    @property
    def step(self) -> int:
        """Channels come in multiples of this."""
        ...

    def width(self, config: Any) -> int:
        """Channels now."""
        ...

    def raised(self, config: Any, channels: int) -> Any:
        """The network with so many channels more there."""
        ...


@dataclass(frozen=True, slots=True)
class StageKnob:
    """The width of one stage, an entry of a field of the configuration."""

    name: str
    stage: int
    step: int = DIVISOR

    def width(self, config: Config) -> int:
        """Channels now."""
        return int(getattr(config, self.name)[self.stage])

    def raised(self, config: C, channels: int) -> C:
        """The network with so many channels more there."""
        values = list(getattr(config, self.name))
        values[self.stage] += channels
        changed: dict[str, Any] = {self.name: tuple(values)}
        return replace(config, **changed)


def fill(
    config: C, knobs: Callable[[C], Sequence[Knob]], target: int, measure: Callable[[Any], int],
    stretch: Sequence[float] = STRETCH,
) -> C:  # fmt: skip
    """Raise single widths until what is left is less than a step or small.

    Args:
        config: a network that measures at most `target`.
        knobs: what may be raised of a network, the costliest step first.
        target: the most that the network may measure.
        measure: counts a configuration.
        stretch: the most that a width may grow, as a multiple; a later one is tried where the one before it leaves
            more than `TOLERABLE`.
    """
    room = target - measure(config)
    for times in stretch:
        most = [(knob, int(times * knob.width(config))) for knob in knobs(config)]
        for knob, limit in most:
            if room <= CLOSE * target:
                return config
            steps = max(1, (limit - knob.width(config)) // knob.step)
            while steps > 0:
                wider = knob.raised(config, steps * knob.step)
                left = target - measure(wider)
                if left >= 0:
                    config, room = wider, left
                    break
                steps = min(steps - 1, steps * room // (room - left))
        if room <= TOLERABLE * target:
            break
    return config
