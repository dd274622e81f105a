"""One network with one or two of its axes set: the rest is solved, so that every setting costs the budget.

What is set decides what is solved:

=============================  =======================================================================================
``cardinality``                outer widths stay and the inner ones are solved, as Table 3 of ResNeXt (arXiv:1611.05431)
                               does: the cost is the nearest to the budget, above or below
``base_width``                 the same the other way round: the cardinality is solved
``depth``                      weight layers as the papers count them (50, WRN-28, DenseNet-121), given to the stages in
                               the start's proportions; all widths are solved
``widening``, ``width``,       Wide ResNet's k, the channels that the first stage puts out, DenseNet's k; the depth is
``growth_rate``                solved, so that the cost comes within a block of the budget
``block``, ``bottleneck``,     basic or bottleneck; DenseNet's bottleneck ratio (0 is none) and compression; the input
``compression``, ``resolution``  size in pixels; all widths are solved
=============================  =======================================================================================

Widths keep the start's proportions, to multiples of 8; a basic Wide ResNet keeps its stem, so that k is what is solved.
Only a cardinality alone may cost more than the budget, by less than half a step of the base width.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from space.landmarks.networks import landmark
from space.networks.axis import Value
from space.networks.config import Config
from space.networks.families import family_of
from space.networks.family import Measure
from space.networks.read import load_config
from space.solving.axes import Target
from space.solving.resize import paper_depth, resizing_of, solve_depth, solve_width, width_text, with_depth
from space.solving.solve import measure_at

AXES: dict[str, tuple[type[int] | type[float] | type[str], str]] = {
    "cardinality": (int, "1,2,4,8,32"),
    "base_width": (int, "64,24,4"),
    "depth": (int, "26,50,101"),
    "widening": (float, "1,2,4"),
    "width": (int, "128,256,512"),
    "growth_rate": (int, "12,24,48"),
    "compression": (float, "0.5,1"),
    "block": (str, "basic,bottleneck"),
    "bottleneck": (int, "0,4"),
    "resolution": (int, "160,224,288"),
}
DENSE = {"growth_rate", "compression", "bottleneck"}  # of DenseNets alone
GROUPED = {"cardinality", "base_width"}  # what a bottleneck's 3x3 has
WIDE = {"widening", "width", "growth_rate"}  # they fix the width: the depth is solved
STARTS = {  # by kind of target: for axes of DenseNets, for grouped ones, for all others
    "imagenet": ("densenet121", "resnet50", "resnet50"),
    "cifar": ("densenet_bc_100_12", "resnext29_8x64d", "wrn_28_10"),
}
KEPT = 0.05  # a start that costs the budget within this part of it is taken as it is


@dataclass(frozen=True, slots=True)
class Setting:
    """One network of a sweep."""

    name: str  # "cardinality=4", "depth=16 cardinality=2"; "depth x2" in `space.solving.directions`
    values: tuple[tuple[str, Value], ...]  # axis and value, as they were asked for
    config: Config
    target_macs: int  # what it was solved to cost
    input_size: int  # what it is counted at
    solved: str  # what came out, in a word or two: "24d", "k 4.2", "growth 28"


def _setting(values: Mapping[str, Value], config: Config, target: int, size: int, solved: str) -> Setting:
    words = (f"{axis}={value:g}" if isinstance(value, float) else f"{axis}={value}" for axis, value in values.items())
    return Setting(" ".join(words), tuple(values.items()), config, target, size, solved)


def parse_axes(words: Sequence[str]) -> dict[str, list[Value]]:
    """Read "cardinality=1,2,4", or two such words.

    Raises:
        ValueError: for another axis, a value that it cannot have, none at all, or more than two axes.
    """
    axes: dict[str, list[Value]] = {}
    for word in words:
        axis, _, text = word.partition("=")
        if axis not in AXES:
            raise ValueError(f"--sweep {word!r}: expected AXIS=VALUES, AXIS one of {', '.join(AXES)}")
        kind, example = AXES[axis]
        if axis in axes:
            raise ValueError(f"--sweep names {axis} twice: expected all its values at once, such as {axis}={example}")
        try:
            values: list[Value] = [kind(each) for each in text.split(",") if each]
        except ValueError as error:
            raise ValueError(f"--sweep {word!r}: expected numbers, such as {axis}={example}") from error
        low = 0 if axis == "bottleneck" else 1e-3
        if not values or any(isinstance(each, int | float) and not low <= each < 1e5 for each in values):
            raise ValueError(f"--sweep {word!r}: expected values such as {axis}={example}")
        axes[axis] = list(dict.fromkeys(values))
    if not 1 <= len(axes) <= 2:
        raise ValueError(f"--sweep has {len(axes)} axes: expected one or two, such as depth=26,50 cardinality=1,32")
    return axes


def default_start(axes: Sequence[str], target: Target) -> str:
    """The landmark that a sweep of these axes begins with."""
    dense, grouped, other = STARTS[target.kind]
    return dense if DENSE & set(axes) else grouped if GROUPED & set(axes) else other


def settings(start: Config, axes: Mapping[str, Sequence[Value]], target: Target) -> list[Setting]:
    """Every combination of the values, solved.

    Raises:
        ValueError: if the start cannot have one of them, or the budget cannot be met with it.
    """
    return [vary(start, dict(zip(axes, values, strict=True)), target) for values in itertools.product(*axes.values())]


def vary(start: Config, values: Mapping[str, Value], target: Target) -> Setting:
    """The start with these axes set and the rest solved; raises as `settings`."""
    given = set(values)
    _check(start, values, target)
    budget, size = target.budget.macs, int(values.get("resolution", target.input_size))
    measure = measure_at(size, target.classes)
    config: Config = start
    for axis in ("block", "bottleneck", "compression"):
        if axis in given:
            config = resizing_of(config).settings[axis](config, values[axis])
    if given & GROUPED:
        alone = len(given) == 1
        own = measure(config)
        if alone and abs(own - budget) > KEPT * budget:
            config, own = solve_width(config, budget, measure), budget
        grouped = _regrouped(config, values, budget if alone else own, measure)
        if alone:
            traits = family_of(grouped).traits(grouped)
            base, groups = int(traits["base_width"]), traits["cardinality"]
            solved = f"{base}d" if "cardinality" in given else f"{groups} groups"
            return _setting(values, grouped, budget, size, solved)
        config = grouped
    if wide := given & WIDE:
        axis = wide.pop()
        config = solve_depth(resizing_of(config).settings[axis](config, values[axis]), budget, measure)
        return _setting(values, config, budget, size, f"depth {paper_depth(config)}")
    if "depth" in given:
        config = with_depth(config, int(values["depth"]))
    config = solve_width(config, budget, measure, exact="compression" in given)
    return _setting(values, config, budget, size, width_text(config))


def _regrouped(config: Config, values: Mapping[str, Value], target: int, measure: Measure) -> Config:
    """The network with another cardinality, or base width, at the cost nearest to the target; outer widths stay."""
    grouping = resizing_of(config).grouping
    assert grouping is not None  # `_check` has refused others
    found: Config
    if "cardinality" in values:
        found = grouping.cardinality(config, int(values["cardinality"]), target, measure)
    else:
        found = grouping.base_width(config, target, measure, int(values["base_width"]))
    return found


def _check(start: Config, values: Mapping[str, Value], target: Target) -> None:
    given = set(values)
    resizing = family_of(start).resizing
    if resizing is None:
        raise ValueError(f"a sweep cannot start from a {start.family}: its family has no `resizing`")
    own = {"depth", "resolution", *resizing.settings, *(GROUPED if resizing.grouping else ())}
    if wrong := sorted(given - own):
        other = default_start(wrong, target)
        raise ValueError(f"a {start.family} has no {wrong[0]}: expected another --start, such as {other}")
    if given & GROUPED and resizing.grouping is not None and resizing.grouping.useless(start):
        raise ValueError(
            f"the start has basic blocks, in which {sorted(given & GROUPED)[0]} saves nothing (ResNeXt, section 4): "
            "expected a --start with bottleneck blocks, such as resnet50"
        )
    for group in (GROUPED, WIDE | {"depth"}):
        if len(both := sorted(given & group)) > 1:
            raise ValueError(f"{both[0]} and {both[1]} together leave nothing to solve: leave one of them out")


def start_named(name: str) -> Config:
    """The network that ``--start`` names: a landmark, or a JSON file.

    Raises:
        ValueError: if it is neither.
    """
    if not name.endswith(".json"):
        return landmark(name)
    return load_config(name)
