"""`Recipe`: how a network or its proxy is trained. The presets are in `evaluate.training.presets`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from evaluate.training.reference import Reference, usual_reference
from space import Config
from space.shell.names import visible
from space.solving.proxy import solve_proxy

STEMS = ("keep", "cifar")
PRECISIONS = ("auto", "bf16", "fp32")
LONGEST_NAME = 80  # characters


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a proxy is made and trained: frozen, checked, with an exact JSON round trip.

    What has a default may be left out of a file; the defaults of `proxy_macs` and `stem` change nothing
    of the network.
    """

    name: str
    epochs: int
    batch_size: int
    learning_rate: float  # the peak, for this batch size
    resolution: int  # pixels; left out of a recipe's file, it is the network's input size
    momentum: float = 0.9  # Nesterov
    weight_decay: float = 5e-4  # not on norms and biases
    label_smoothing: float = 0.1
    warmup: float = 0.25  # part of all steps over which the learning rate rises; it falls as a cosine after that
    # multiply-adds, at `resolution`, of the proxy of a network that costs what the `Reference` costs, all of a budget
    # say; another network's proxy costs as much more or less as it does. None: the network itself is trained
    proxy_macs: int | None = None
    stem: str = "keep"  # keep: the network's own; cifar: the 3x3 stem without pooling, for proxies on small images
    train_images: int | None = None  # at most so many; None is all
    flip: bool = True  # mirror left and right at random, if the data may be mirrored (digits may not)
    crop: bool = True  # shift by up to an eighth of the resolution at random; not with crop_area
    crop_area: float = 1.0  # below 1, random resized crops: the least part of the image's area, enlarged to the whole
    cutout: int = 0  # side of the square that is blanked at random, in pixels
    evaluate_every: int = 1  # epochs from one scoring to the next; the last epoch is always scored
    precision: str = "auto"  # bf16 (mixed), fp32, or auto: bf16 where it pays
    autotune: bool = False  # let cuDNN time its kernels: faster on CUDA for long trainings, scores differ a little

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or visible(self.name) != self.name:
            raise ValueError(f"recipe: name is {self.name!r}: expected a word")
        if len(self.name) > LONGEST_NAME:
            raise ValueError(f"recipe: its name has {len(self.name)} characters: expected at most {LONGEST_NAME}")
        self._whole("epochs", 1, 10_000)
        self._whole("batch_size", 2, 65_536)
        self._whole("resolution", 4, 1024)
        self._whole("cutout", 0, 1024)
        self._whole("evaluate_every", 1, 10_000)
        if self.train_images is not None:
            self._whole("train_images", self.batch_size, 10**9)
        self._number("learning_rate", 0.0, 1e38, open_low=True)  # as float32 can hold
        self._number("momentum", 0.0, 0.9999)
        self._number("weight_decay", 0.0, 10.0)
        self._number("label_smoothing", 0.0, 0.9)
        self._number("warmup", 0.0, 0.9)
        if self.proxy_macs is not None:
            self._whole("proxy_macs", 1_000, 10**12)
        self._number("crop_area", 0.01, 1.0)
        if self.momentum == 0:
            raise ValueError(f"recipe {self.name}: momentum is 0: expected more than 0, Nesterov needs it")
        if self.stem not in STEMS:
            raise ValueError(f"recipe {self.name}: stem is {self.stem!r}: expected one of {', '.join(STEMS)}")
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"recipe {self.name}: precision is {self.precision!r}: expected one of {', '.join(PRECISIONS)}"
            )
        for flag in ("flip", "crop", "autotune"):
            if type(getattr(self, flag)) is not bool:
                raise ValueError(f"recipe {self.name}: {flag} is {getattr(self, flag)!r}: expected true or false")

        if self.crop and self.crop_area < 1:
            raise ValueError(
                f"recipe {self.name}: crop shifts images, crop_area {self.crop_area:g} cuts out and enlarges a part: "
                'expected "crop": false with it'
            )

    def _whole(self, field: str, low: int, high: int) -> None:
        value = getattr(self, field)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(
                f"recipe {self.name}: {field} is {repr(value)[:50]}: expected a whole number from {low} to {high}"
            )

    def _number(self, field: str, low: float, high: float, open_low: bool = False) -> None:
        value = getattr(self, field)
        # a whole number may be larger than any float: it is converted only when it is known to fit
        fits = isinstance(value, int | float) and type(value) is not bool and low <= value <= high
        if not fits or (open_low and value == low):
            limits = f"above {low:g}, at most {high:g}" if open_low else f"from {low:g} to {high:g}"
            raise ValueError(f"recipe {self.name}: {field} is {repr(value)[:50]}: expected a number {limits}")
        object.__setattr__(self, field, float(value))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same recipe back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Recipe:
        """Read `to_json`'s form; what has a default may be left out.

        Raises:
            ValueError: for unknown or missing keys, wrong types and impossible numbers.
        """
        check_keys(cls, data)
        return cls(**data)

    def changes(self, config: Config, input_size: int) -> dict[str, Any]:
        """What of this recipe would train another network than `config` at `input_size`, and what would not.

        Returns:
            Field -> the value with which the network itself is trained; empty for a recipe of a full training.
        """
        kept: dict[str, Any] = {}
        if self.resolution != input_size:
            kept["resolution"] = input_size
        if self.proxy_macs is not None:
            kept["proxy_macs"] = None
        if self.stem == "cifar" and dataclasses.replace(config, stem="cifar") != config:
            kept["stem"] = "keep"
        return kept

    def proxy(self, config: Config, classes: int, reference: Reference | None = None) -> Config:
        """The network that is trained in place of `config`.

        Args:
            config: the network as it is meant.
            classes: of the images that the proxy is trained on.
            reference: whose proxy costs `proxy_macs`; where None, `usual_reference`.

        Raises:
            ValueError: if no width of the network's shape costs what its proxy should, to 10 %.
        """
        kept = dataclasses.replace(config, stem="cifar") if self.stem == "cifar" else config
        if self.proxy_macs is None:
            return kept
        due = (reference or usual_reference(config.kind)).due(config, self.proxy_macs)
        proxy: Config = solve_proxy(kept, due, self.resolution, classes)
        return proxy


def check_keys(cls: type, data: Any) -> None:
    """Raise ValueError unless `data` is an object with keys of this dataclass and all that have no default."""
    if not isinstance(data, dict):
        raise ValueError(f"a {cls.__name__} is a JSON object, got {type(data).__name__}")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    if unknown := sorted(str(key) for key in set(data) - set(fields)):
        raise ValueError(f"unknown key {unknown[0]!r} in a {cls.__name__}: expected {', '.join(fields)}")
    missing = [n for n, field in fields.items() if field.default is dataclasses.MISSING and n not in data]
    if missing:
        raise ValueError(f"missing key {missing[0]!r} in a {cls.__name__}")
