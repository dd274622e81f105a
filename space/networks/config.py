"""What every configuration can do: be checked, written as JSON, read back exactly, and named by a hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from space.networks.layers import Layer, Repeat, unroll
from space.networks.task import Task

MAX_CHANNELS = 65_536
MAX_DEPTH = 10_000
MAX_CLASSES = 10_000_000
NUDGES = (1, -1, 2, -2, 4, -4)  # steps by which `Config.nudged` moves a width
REACH = 0.34  # the part of its share by which a proxy's width may miss it
INPUT_SIZE, CLASSES = 224, 1000  # of whatever does not say them


@dataclass(frozen=True)
class Config(ABC):
    """A network as numbers: frozen, checked where it is made, with an exact JSON round trip.

    `family` is the name a reader would give it (see `FAMILIES` in `space`); input size, number of classes and input
    channels are no part of it, but arguments of `blocks`, `cost` and `build`. It may carry what it is for, as it does
    when it comes from a run or its file: `task` is what those arguments are unless given. Configurations that differ in
    it alone are equal, have one id and one JSON. Every configuration has `depths`, too: the blocks of each stage.
    """

    LABELS: ClassVar[tuple[str, ...]] = ()
    STEMS: ClassVar[tuple[str, ...]] = ("imagenet", "cifar")
    WIDTHS: ClassVar[tuple[str, ...]] = ()  # fields of channels, of which a proxy has fewer

    family: str
    stem: str  # cifar: for images up to 64 pixels; the others, which halve more often, are for larger ones
    task: Task | None = field(default=None, kw_only=True, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.family not in self.LABELS:
            raise ValueError(f"family {self.family!r}: expected one of {', '.join(self.LABELS)}")
        check_choice("stem", self.stem, self.STEMS)

    @property
    def kind(self) -> str:
        """What it is counted at unless something else is asked for: ``imagenet`` or ``cifar``, by its stem."""
        return "cifar" if self.stem == "cifar" else "imagenet"

    @abstractmethod
    def blocks(self, input_size: int, classes: int, in_channels: int = 3) -> tuple[Repeat, ...]:
        """The resolved shapes, block by block; what `cost` sums and the module is made of."""

    def target(self, input_size: int | None = None, classes: int | None = None) -> tuple[int, int]:
        """(input size, classes) as given, else those of its task, else 224 and 1000."""
        size, number = (INPUT_SIZE, CLASSES) if self.task is None else (self.task.input_size, self.task.classes)
        return size if input_size is None else input_size, number if classes is None else classes

    def layers(self, input_size: int | None = None, classes: int | None = None, in_channels: int = 3) -> list[Layer]:
        """Every layer in order, under its name in the state dict; its `target` unless told otherwise."""
        return [
            layer._replace(name=f"{path}.{layer.name}".lstrip("."))
            for path, layers in unroll(self.blocks(*self.target(input_size, classes), in_channels))
            for layer in layers
        ]

    def scaled(self, factor: float) -> Self:
        """The same shape at `factor` times the width, to whole channels: a cheaper stand-in for proxy training.

        Raises:
            ValueError: if its class names no `WIDTHS`.
        """
        if not self.WIDTHS:
            raise ValueError(f"a {self.family} has no proxies: expected its fields of channels in WIDTHS of its class")
        return self.of_widths(
            {
                name: tuple(max(1, round(width * factor)) for width in value)
                if isinstance(value := getattr(self, name), tuple)
                else max(1, round(value * factor))
                for name in self.WIDTHS
            },
            factor,
        )

    def of_widths(self, widths: Mapping[str, Any], factor: float) -> Self:
        """This network with other values of `WIDTHS`, which are about `factor` times its own.

        A class whose groups must divide its channels moves them here to what it admits.

        Raises:
            ValueError: for widths that it cannot have.
        """
        return dataclasses.replace(self, **widths)

    def nudged(self, proxy: Self, factor: float) -> Iterator[Self]:
        """The networks that differ from `proxy` by a few channels of one of its widths.

        They stay near `factor` times the widths of this one, so that its proportions are kept.
        """
        for name in self.WIDTHS:
            own, now = getattr(self, name), getattr(proxy, name)
            entries = range(len(now)) if isinstance(now, tuple) else (None,)
            for stage in entries:
                width, wanted = (now, own * factor) if stage is None else (now[stage], own[stage] * factor)
                for step in NUDGES:
                    channels = self.stepped(name, stage or 0, width, step)
                    least = abs(channels - width) / abs(step)  # of a single step
                    if channels < 1 or abs(channels - wanted) > max(1.5 * least, REACH * wanted):
                        continue
                    value = channels if stage is None else (*now[:stage], channels, *now[stage + 1 :])
                    widths = {each: getattr(proxy, each) for each in self.WIDTHS} | {name: value}
                    try:
                        yield self.of_widths(widths, factor)
                    except ValueError:
                        continue  # no network of this class has such widths

    def stepped(self, name: str, stage: int, width: int, steps: int) -> int:
        """A width, an entry of the field `name`, so many of its smallest steps wider."""
        return width + steps

    @property
    def id(self) -> str:
        """Twelve hex digits of the SHA-256 of the canonical JSON, which leaves fields at their default out.

        So a class may get a new field with a default, and no id changes. `to_json` keeps all fields, for readers.
        """
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        kept = {key: value for key, value in self.to_json().items() if getattr(self, key) != defaults[key]}
        canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `config_from_json` gives the same config back. Its task is no part of them."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.compare}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read `to_json`'s form.

        Raises:
            ValueError: for unknown or missing keys, wrong types and impossible numbers, with one sentence that
                says which.
        """
        fields = {each.name: each for each in dataclasses.fields(cls) if each.compare}
        if unknown := sorted(set(data) - set(fields)):
            raise ValueError(f"unknown key {unknown[0]!r} in a {cls.__name__}: expected {', '.join(fields)}")
        required = [name for name, each in fields.items() if each.default is dataclasses.MISSING]
        if missing := [name for name in required if name not in data]:
            raise ValueError(f"missing key {missing[0]!r} in a {cls.__name__}")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**values)


def check_int(name: str, value: object, low: int, high: int) -> None:
    """Raise ValueError unless `value` is an integer in [low, high]."""
    if type(value) is not int:
        raise ValueError(f"{name} is {repr(value)[:50]}: expected a whole number from {low} to {high}")
    if not low <= value <= high:
        raise ValueError(f"{name} is {str(value)[:50]}: expected {low} to {high}")


def check_ints(name: str, values: object, low: int, high: int, length: int | None = None) -> None:
    """Raise ValueError unless `values` is a tuple of integers in [low, high], `length` of them where given."""
    if not isinstance(values, tuple) or not values:
        raise ValueError(f"{name} is {values!r}: expected a list of whole numbers, one a stage")
    if length is not None and len(values) != length:
        raise ValueError(f"{name} has {len(values)} entries: expected {length}, one a stage")
    for value in values:
        if type(value) is not int or not low <= value <= high:
            check_int(f"an entry of {name}", value, low, high)


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}: expected one of {', '.join(choices)}")
