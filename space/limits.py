"""`Limits`: what a network may have beside its multiply-adds, solved for as the budget is.

Parameters and activations grow with width, as the multiply-adds do. So one whole number stands for all three: the
largest of the multiply-adds and of the other counts, each written as the same part of the target as it is of its
own limit. It is at most the target exactly where nothing is exceeded, and the solver needs to know nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from space.budget import HIGH, gflops, parse_count
from space.networks.config import Config
from space.networks.layers import Cost, total, total_macs


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a network may have, as `space.cost` counts it; None is no limit."""

    max_params: int | None = None  # trainable numbers
    max_activations: int | None = None  # output elements of all convolutions, for one image

    def __post_init__(self) -> None:
        for name, flag in (("max_params", "--max-params 25M"), ("max_activations", "--max-activations 11M")):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or not 1 <= value <= HIGH):
                raise ValueError(f"{name} is {value!r}: expected a whole number from 1 to 10T, such as {flag}")

    @classmethod
    def parse(cls, params: str | None = None, activations: str | None = None) -> Self:
        """Read what was typed after --max-params and --max-activations: "25.6M", "25_000_000", "1.5e7".

        Raises:
            ValueError: for anything else; it names the flag.
        """
        return cls(
            None if params is None else parse_count(params, "--max-params"),
            None if activations is None else parse_count(activations, "--max-activations"),
        )

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return self.max_params is not None or self.max_activations is not None

    def __str__(self) -> str:
        counts = (("params", self.max_params), ("activations", self.max_activations))
        return ", ".join(f"{gflops(most)} {name}" for name, most in counts if most is not None) or "no further limit"

    def broken(self, cost: Cost) -> tuple[str, ...]:
        """The names of the limits that this cost exceeds: of params, activations."""
        pairs = (("params", cost.params, self.max_params), ("activations", cost.activations, self.max_activations))
        return tuple(name for name, count, most in pairs if most is not None and count > most)

    def measure(self, target: int, input_size: int, classes: int) -> Callable[[Config], int]:
        """The count that is at most `target` exactly if a network costs no more than it and breaks no limit.

        Without limits that is the multiply-adds.
        """

        def macs(config: Config) -> int:
            return total_macs(config.blocks(input_size, classes))

        def largest(config: Config) -> int:
            cost = total(config.blocks(input_size, classes))
            params = 0 if self.max_params is None else -(-cost.params * target // self.max_params)
            activations = 0 if self.max_activations is None else -(-cost.activations * target // self.max_activations)
            return max(cost.macs, params, activations)

        return largest if self else macs


NO_LIMITS = Limits()
