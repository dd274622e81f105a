"""The shape of a DenseNet, its growth rate and compression solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from space.networks.axis import Value
from space.networks.dense import DenseConfig
from space.networks.family import Measure, depth_values, depths_in
from space.networks.widths import CLOSE, largest

SOLVED = frozenset({"stem_width", "growth_rate", "compression"})  # fields that the solver chooses
# A step of the growth rate is never more than an eighth of it above 8; multiples of 2 and 4 as soon as that allows.
_GROWTH = (*range(4, 16), *range(16, 32, 2), *range(32, 4096, 4))
_THETA = 1000  # compression is solved in thousandths
_LEAST_THETA = 200


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

    def of_depths(self, depths: tuple[int, ...]) -> DenseShape:
        """The same shape with other depths."""
        return replace(self, depths=depths)

    def shallow(self) -> DenseShape:
        """The shape with two layers a block."""
        return self.of_depths((2,) * len(self.depths))

    def narrowest(self) -> DenseConfig:
        """The network with a growth rate of 4."""
        return self.at(_GROWTH[0])

    def solve(self, target: int, measure: Measure) -> DenseConfig:
        """The network of this shape that measures `target`, or as little less as whole channels allow.

        The growth rate comes first; the compression takes up what is left.
        """
        index = largest(lambda i: measure(self.at(_GROWTH[i])), target, 0, len(_GROWTH) - 1, 12)
        config = self.at(_GROWTH[index])
        room = target - measure(config)
        if room <= CLOSE * target:
            return config
        theta = round(self.compression * _THETA)
        if index + 1 == len(_GROWTH):
            return config
        over = measure(self.at(_GROWTH[index + 1])) - target
        best = config
        # Whichever growth rate is nearer in cost needs the smaller change of the compression.
        nearer = (index + 1, index) if over < room else (index, index + 1)
        for candidate in nearer:
            growth = _GROWTH[candidate]
            low, high = (theta, _THETA) if candidate == index else (_LEAST_THETA, theta)
            if measure(self.at(growth, low / _THETA)) > target:
                continue

            def compressed(thousandths: int, growth: int = growth) -> int:
                return measure(self.at(growth, thousandths / _THETA))

            thousandths = largest(compressed, target, low, high, (low + high) // 2)
            solved = self.at(growth, thousandths / _THETA)
            if measure(solved) > measure(best):
                best = solved
            if target - measure(best) <= CLOSE * target:
                break
        return best


def shape_of(values: Mapping[str, Value], kind: str) -> DenseShape:
    """The shape of values of the axes, and of the kind of target."""
    theta = round(float(values["compression"]), 3)
    return DenseShape("densenet", kind, depths_in(values), int(values["bottleneck"]), theta)


def readings(config: DenseConfig) -> list[dict[str, Value]]:
    """The values of the axes as they are read off a network."""
    return [{"bottleneck": config.bottleneck, "compression": config.compression, **depth_values(config)}]
