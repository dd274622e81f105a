"""Sweeps: the networks that a run trains in place of samples, all made from one start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from space.networks.config import Config
from space.networks.read import config_from_json
from space.solving.axes import Target, Value
from space.solving.directions import spend
from space.solving.vary import Setting, settings


@dataclass(frozen=True)
class AxisSweep:
    """One or two axes set, the rest solved to the budget (`space.solving.vary`)."""

    kind: ClassVar[str] = "axes"
    start: str  # its name, or its file
    config: Config  # the start
    axes: tuple[tuple[str, tuple[Value, ...]], ...]  # each with its values

    @property
    def names(self) -> tuple[str, ...]:
        """What is set."""
        return tuple(name for name, _ in self.axes)

    @property
    def title(self) -> str:
        """For the name of a run."""
        return "-".join([*self.names, _short(self.start)])

    def settings(self, target: Target) -> tuple[Setting, ...]:
        """The networks, in order; raises as `space.solving.vary.settings`."""
        return tuple(settings(self.config, dict(self.axes), target))

    def place(self, values: dict[str, Any]) -> tuple[float, ...]:
        """Where a network with these values stands in the order of the sweep."""
        return tuple(dict(self.axes)[name].index(value) for name, value in values.items())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        axes = {name: list(values) for name, values in self.axes}
        return {"kind": self.kind, "start": self.start, "config": self.config.to_json(), "axes": axes}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read `to_json`'s form."""
        axes = tuple((name, tuple(values)) for name, values in data["axes"].items())
        return cls(data["start"], config_from_json(data["config"]), axes)


@dataclass(frozen=True)
class DirectionSweep:
    """More spent in one direction at a time (`space.solving.directions`)."""

    kind: ClassVar[str] = "directions"
    names: ClassVar[tuple[str, ...]] = ("direction", "factor")  # what is set
    start: str  # its name, or its file
    config: Config  # the start
    directions: tuple[str, ...]
    factors: tuple[float, ...]  # multiples of the start's cost

    @property
    def title(self) -> str:
        """For the name of a run."""
        return f"pays-{_short(self.start)}"

    def settings(self, target: Target) -> tuple[Setting, ...]:
        """The networks, the start first; raises as `spend`."""
        size, classes = target.input_size, target.classes
        return spend(self.config, self.factors, input_size=size, classes=classes, directions=self.directions).settings

    def place(self, values: dict[str, Any]) -> tuple[float, ...]:
        """Where a network with these values stands in the order of the sweep."""
        direction = values["direction"]
        return (-1 if direction == "start" else self.directions.index(direction), values["factor"])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": self.kind, "start": self.start, "config": self.config.to_json(),
            "directions": list(self.directions), "factors": list(self.factors),
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read `to_json`'s form."""
        return cls(data["start"], config_from_json(data["config"]), tuple(data["directions"]), tuple(data["factors"]))


Sweep = AxisSweep | DirectionSweep
KINDS: dict[str, type[AxisSweep] | type[DirectionSweep]] = {each.kind: each for each in (AxisSweep, DirectionSweep)}


def sweep_from_json(data: dict[str, Any]) -> Sweep:
    """Read what a sweep's `to_json` gave.

    Raises:
        ValueError: if it is not one.
    """
    try:
        return KINDS[data["kind"]].from_json(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no sweep ({error!r}): expected what a run's settings keep") from error


def _short(start: str) -> str:
    return start.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".json")
