"""`Family`: one record that says all that the rest of the program asks of a family of networks.

Nothing else in the program knows a family by its class or by its name. A family of the project is one file of numbers,
one of modules and one line in `space.networks.families`; `docs/own_family.md` shows one in a user's own file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from space.networks.axis import Axis, Value
from space.networks.config import Config

C = TypeVar("C", bound=Config)

Measure = Callable[[Any], int]  # a configuration -> what is held against a target: see `space.limits`
MARKERS = ("o", "v", "s", "^", "P", "D", "h", "X", "p", "*", "<", ">", "d", "H", "8")  # matplotlib's, filled
KINDS = ("imagenet", "cifar")  # of targets: see `space.solving.axes.Target.kind`


class Shape(Protocol):
    """Everything of a network but its width, which is solved."""

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks of each stage."""
        ...

    def of_depths(self, depths: tuple[int, ...]) -> Self:
        """The same shape with other depths."""
        ...

    def shallow(self) -> Self:
        """The shape with the fewest blocks a stage that a search begins with."""
        ...

    def narrowest(self) -> Config:
        """The network of this shape with the fewest channels that `solve` uses."""
        ...

    def solve(self, target: int, measure: Measure) -> Config:
        """The network of this shape that measures `target`, or as little less as whole channels allow.

        The narrowest one is known to measure at most `target`.
        """
        ...


@dataclass(frozen=True, eq=False)
class Grouping(Generic[C]):
    """How a network gets another cardinality; its outer widths stay. See `space.solving.vary`."""

    cardinality: Callable[[C, int, int, Measure], C]  # config, groups, target, measure: the base width is solved
    # config, target, measure, base width (None is its own): the cardinality is solved
    base_width: Callable[[C, int, Measure, int | None], C]
    useless: Callable[[C], bool]  # whether groups save nothing in this network's blocks (ResNeXt, section 4)


@dataclass(frozen=True, eq=False)
class Resizing(Generic[C]):
    """How a network of the family gets other widths or depths, its proportions kept: for sweeps and comparisons."""

    # config, target, measure, whether nothing but the width may change: the widest network that measures at most the
    # target, None if even the narrowest measures more
    width: Callable[[C, int, Measure, bool], C | None]
    width_text: Callable[[C], str]  # its width in a word or two, by the number that the family is known for
    layers: Callable[[C], tuple[int, int]]  # weight layers of a block, and beside the blocks, as the papers count depth
    deepened: Callable[[C, tuple[int, ...]], C]  # the network with other depths
    # direction "width" or "growth_rate" of `space.solving.directions`: config, target, measure
    direction: str
    wider: Callable[[C, int, Measure], C]
    # axes of a sweep that this family has beside depth, resolution and those of `grouping`: the network with that value
    settings: Mapping[str, Callable[[C, Any], C]] = field(default_factory=dict)
    grouping: Grouping[C] | None = None


class BlockNumbers(NamedTuple):
    """One block of a stage in numbers: see `space.papers.blocks.Block`."""

    kind: str
    width: int = 0  # 0: what the last block of the stage reads
    inner: int = 0
    groups: int = 1
    growth: int = 0
    preactivation: bool = False


@dataclass(frozen=True, eq=False)
class Unrolling(Generic[C]):
    """What its blocks are without their 1x1s, groups or concatenations: see `space.papers.blocks`."""

    block: Callable[[C, int], BlockNumbers]  # of a stage, from 0
    network: Callable[[C], C]  # with the other kind of block everywhere, at equal widths
    words: Callable[[C], tuple[str, str]]  # its blocks, its widths


class Paths(NamedTuple):
    """Every path of a network is a subset of its units, so that there are 2^units: see `evaluate.paths`."""

    units: int
    unit: str  # what they are: blocks, dense layers
    gradients: bool  # whether the gradient along one path can be measured: units are residual blocks


def _none(config: Any) -> None:
    return None


def _no_text(config: Any) -> str:
    return ""


def _no_traits(config: Any) -> dict[str, Any]:
    return {}


def _name(config: Config) -> str:
    return config.family


@dataclass(frozen=True, eq=False)
class Family(Generic[C]):
    """All that the program asks of a family; what has a default may be left out, and that feature is then refused.

    `module` maps (config, classes, input size, channels of the image) to a `space.networks.network.Network`. As text,
    ``package.module:name``, it is imported when a module is made, so that counting needs no torch.

    A family is searched if it has `axes`, for each kind of target (imagenet, cifar). Axes called ``depth1``,
    ``depth2`` ... are the blocks of each stage. Then `shape` makes values and kind to a `Shape`, `readings` gives the
    values, but for what the solver decides, as one may read them off a network (several where it is not sure, none
    where the axes cannot express it), and `solved` names the fields that the solver chooses.
    """

    name: str  # in files, on command lines
    label: str  # in legends and tables
    config: type[C]
    module: str | Callable[[C, int, int, int], Any]

    # searched
    axes: Mapping[str, tuple[Axis, ...]] = field(default_factory=dict)
    shape: Callable[[Mapping[str, Value], str], Shape] | None = None
    readings: Callable[[C], list[dict[str, Value]]] | None = None
    solved: frozenset[str] = frozenset()
    scored_unasked: bool = True  # whether `--landmarks auto` scores its published networks

    # described and drawn
    describe: Callable[[C], str] = _name  # in a few words, beside the family
    traits: Callable[[C], dict[str, Any]] = _no_traits  # numbers with columns of their own: `results.run.columns`
    form: Callable[[C], str] = _no_text  # what sets a second curve of the family apart among published networks
    colour: str = ""  # "#rrggbb" on white and on black; none is that of all unknown families
    marker: str = ""  # one of `MARKERS`; goes with `colour`

    # changed and studied
    resizing: Resizing[C] | None = None
    unrolling: Unrolling[C] | None = None
    plain: Callable[[C], C | None] | None = None  # the network without shortcuts; None if it has none to take away
    paths: Callable[[C], Paths | None] = _none

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"family {self.name!r}: expected letters, digits and underscores, such as mobilenet_v2")
        if self.name not in self.config.LABELS:
            raise ValueError(f"family {self.name}: expected its name among {self.config.__name__}.LABELS")
        if bool(self.colour) != bool(self.marker):
            raise ValueError(f"family {self.name}: expected both a colour and a marker, or neither")
        if self.colour and not re.fullmatch("#[0-9a-fA-F]{6}", self.colour):
            raise ValueError(f"family {self.name}: colour is {self.colour!r}: expected #rrggbb, such as #0072B2")
        if self.marker and self.marker not in MARKERS:
            raise ValueError(f"family {self.name}: marker is {self.marker!r}: expected one of {' '.join(MARKERS)}")
        searched = (bool(self.axes), self.shape is not None, self.readings is not None, bool(self.solved))
        if any(searched) and not all(searched):
            raise ValueError(f"family {self.name}: expected all of axes, shape, readings and solved, or none of them")
        if self.axes and (missing := [kind for kind in KINDS if kind not in self.axes]):
            raise ValueError(
                f"family {self.name} has no axes for {missing[0]}: expected them for {' and '.join(KINDS)}"
            )

    def shape_of(self, values: Mapping[str, Value], kind: str) -> Shape:
        """The shape that the values of its axes describe; its width is still to be solved.

        Raises:
            ValueError: if the family is not searched.
        """
        if self.shape is None:
            raise ValueError(f"family {self.name} has no axes: it cannot be searched")
        return self.shape(values, kind)


def stage_depths(config: Config) -> tuple[int, ...]:
    """The blocks of each stage, which every configuration has."""
    depths: tuple[int, ...] = config.depths  # type: ignore[attr-defined]
    return depths


def depth_values(config: Config) -> dict[str, Value]:
    """The values of the axes ``depth1``, ``depth2`` ... of a network."""
    return {f"depth{number}": depth for number, depth in enumerate(stage_depths(config), 1)}


def depths_in(values: Mapping[str, Value]) -> tuple[int, ...]:
    """`depth_values`, read backwards."""
    return tuple(int(value) for name, value in values.items() if name.startswith("depth"))
