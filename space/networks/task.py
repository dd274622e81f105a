"""What a network is for: the images it reads, how their pixels are put to it, the classes that it tells apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

CHANNELS = 3  # red, green, blue


@dataclass(frozen=True)
class Preprocessing:
    """How images were put to a network in its training: to others, it gives other answers.

    An image is cut to its central square, scaled to the input size (Pillow's BILINEAR, which averages over the area
    that a pixel covers), and every channel becomes ``(pixel / 255 - mean) / std``.
    """

    mean: tuple[float, float, float]  # of pixel / 255, a channel
    std: tuple[float, float, float]
    channels: str = "RGB"  # their order
    resize: str = "central square, bilinear"

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            values = getattr(self, name)
            fits = isinstance(values, tuple) and len(values) == CHANNELS
            if not fits or not all(type(value) is float and math.isfinite(value) for value in values):
                raise ValueError(f"preprocessing: {name} is {values!r}: expected {CHANNELS} numbers, red, green, blue")
        if min(self.std) <= 0:
            raise ValueError(f"preprocessing: std is {self.std}: expected numbers above 0")
        for name, only in (("channels", "RGB"), ("resize", "central square, bilinear")):
            if getattr(self, name) != only:
                raise ValueError(f"preprocessing: {name} is {getattr(self, name)!r}: expected {only!r}")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same back."""
        return {
            "channels": self.channels,
            "resize": self.resize,
            "mean": list(self.mean),
            "std": list(self.std),
        }

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read `to_json`'s form.

        Raises:
            ValueError: for anything else.
        """
        if not isinstance(data, dict) or set(data) != {"mean", "std", "channels", "resize"}:
            raise ValueError("preprocessing: expected an object with channels, resize, mean and std")
        values: dict[str, Any] = {key: tuple(each) if isinstance(each, list) else each for key, each in data.items()}
        return cls(**values)


@dataclass(frozen=True)
class Task:
    """What a network is for. A configuration may carry one (`Config.task`): then it is counted and built for it."""

    input_size: int  # height and width of the images, pixels
    classes: int
    class_names: tuple[str, ...] = ()  # in the order of the outputs; empty where they are not known
    preprocessing: Preprocessing | None = None  # None: not trained, or not known

    def __post_init__(self) -> None:
        for name in ("input_size", "classes"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}: expected a whole number from 1")
        names = self.class_names
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"class_names is {names!r:.60}: expected a list of words")
        if names and len(names) != self.classes:
            raise ValueError(f"there are {len(names)} class_names: expected {self.classes}, one a class")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in a network's file; what is not known is left out."""
        told: dict[str, Any] = {"input_size": self.input_size, "classes": self.classes}
        if self.class_names:
            told["class_names"] = list(self.class_names)
        if self.preprocessing is not None:
            told["preprocessing"] = self.preprocessing.to_json()
        return told

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self | None:
        """Read what a network's file says; None where it says neither ``input_size`` nor ``classes``.

        Raises:
            ValueError: if it says one alone, or what cannot be.
        """
        there = [name for name in ("input_size", "classes") if data.get(name) is not None]
        if not there:
            return None
        if len(there) == 1:
            raise ValueError(f"it says {there[0]} alone: expected input_size and classes, or neither")
        names = data.get("class_names", ())
        how = data.get("preprocessing")
        return cls(
            data["input_size"],
            data["classes"],
            tuple(names) if isinstance(names, list) else names,
            None if how is None else Preprocessing.from_json(how),
        )
