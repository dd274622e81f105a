"""`Axis`: one number or choice that a search may vary."""

from __future__ import annotations

import random
from dataclasses import dataclass

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Axis:
    """One number that may vary from `low` to `high` (whole numbers if both are), or one of `choices`."""

    name: str
    low: int | float = 0
    high: int | float = 0
    log: bool = False
    choices: tuple[Value, ...] = ()
    ordered: bool = False  # of choices: each is a step from the one before, as of a cardinality that doubles

    def draw(self, rng: random.Random) -> Value:
        """A uniform (log-uniform if `log`) value."""
        if self.choices:
            return rng.choice(self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int) and not self.log:
            return rng.randint(self.low, self.high)
        return self.at(rng.random())

    def at(self, u: float) -> Value:
        """The value below which a part `u` of all draws lies: maps points of the unit cube on axes.

        Raises:
            ValueError: unless 0 <= u < 1.
        """
        if not 0 <= u < 1:
            raise ValueError(f"u is {u}: expected a number from 0 to below 1")
        if self.choices:
            return self.choices[int(u * len(self.choices))]
        if isinstance(self.low, int) and isinstance(self.high, int):
            # every whole number n owns [n - 1/2, n + 1/2), as in Optuna's log-uniform integers
            low, high = self.low - 0.5, self.high + 0.5
            value: float = low * (high / low) ** u if self.log else low + (high - low) * u
            return min(self.high, max(self.low, round(value)))
        value = self.low * (self.high / self.low) ** u if self.log else self.low + (self.high - self.low) * u
        return min(float(self.high), value)


def stages(*ranges: tuple[int, int]) -> tuple[Axis, ...]:
    """The axes ``depth1``, ``depth2`` ...: blocks of each stage, log-uniform."""
    return tuple(Axis(f"depth{number}", low, high, log=True) for number, (low, high) in enumerate(ranges, 1))
