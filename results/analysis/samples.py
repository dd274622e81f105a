"""The networks of a run as samples of the space: which count, what sets them apart, what is said of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.analysis.bootstrap import Floats
from results.run.objective import Objective
from results.run.pareto import numbers
from results.run.run import Run
from space import FAMILIES
from space.solving.axes import searched


@dataclass(frozen=True)
class Axis:
    """A number or choice that networks of some families differ in."""

    column: str  # of the table
    label: str
    varied: str = ""  # the axis of a search that sets it: where a family lacks it, the column is the solver's noise
    words: tuple[str, ...] = ()  # the choices, if it is one
    exact: bool = False  # a few values, each a group of its own
    log: bool = True

    @property
    def families(self) -> tuple[str, ...]:
        """Those whose networks it sets apart."""
        named = {name: {axis.name for axis in FAMILIES[name].axes["imagenet"]} for name in searched()}
        return tuple(name for name, axes in named.items() if not self.varied or self.varied in axes)


AXES = (
    Axis("depth", "depth (blocks, dense layers)"),
    Axis("width", "width of the first stage (channels)"),
    Axis("cardinality", "cardinality (groups)", "cardinality", exact=True),
    Axis("widening", "widening", "widening"),
    Axis("growth_rate", "growth rate (channels)"),  # which DenseNets alone have
    Axis("base_width", "group width (channels)", "group_octets"),
    Axis("compression", "compression", "compression", log=False),
    Axis("block", "block", "block", words=("basic", "bottleneck")),
    Axis("block", "layer of a DenseNet", "bottleneck", words=("dense", "dense bottleneck")),
)


def samples(run: Run, cost: Objective) -> pd.DataFrame:
    """The scored networks that were drawn from the space and have this cost, each once; published ones are no draws."""
    frame = run.networks()
    return frame[frame["landmark"].isna() & frame[cost.column].notna() & frame["depth"].notna()].reset_index(drop=True)


def landmarks(run: Run, cost: Objective) -> pd.DataFrame:
    """The published networks scored by the run that have this cost, each configuration once."""
    frame = run.networks()
    frame = frame[frame["landmark"].notna() & frame[cost.column].notna() & frame["depth"].notna()]
    return frame.drop_duplicates("config_id").reset_index(drop=True)


def costs(frame: pd.DataFrame, cost: Objective) -> Floats:
    """Of each network, in the unit of an axis."""
    return (numbers(frame, cost.column) / cost.unit).astype(np.float64)


def on_axis(frame: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """The networks that an axis sets apart."""
    rows = frame["family"].isin(axis.families) & frame[axis.column].notna()
    if axis.words:
        rows &= frame[axis.column].isin(axis.words)
    return frame[rows]


def groups(frame: pd.DataFrame, axis: Axis) -> dict[str, pd.DataFrame]:
    """The networks of an axis by its value, or by thirds of its range.

    Thirds are taken in each family by itself, so that each third has the same mix of families.
    """
    frame = on_axis(frame, axis)
    if axis.words:
        return {word: frame[frame[axis.column] == word] for word in axis.words}
    values = numbers(frame, axis.column)
    if axis.exact:
        return {f"{value:g}": frame[values == value] for value in np.unique(values)}
    third = np.zeros(len(frame), dtype=int)
    present = frame["family"].unique()
    for family in present:
        own = (frame["family"] == family).to_numpy()
        third[own] = np.searchsorted(np.quantile(values[own], [1 / 3, 2 / 3]), values[own], side="left")
    found = {}
    for number, name in enumerate(("lowest third", "middle third", "highest third")):
        of = values[third == number]
        if len(of):
            name = f"{of.min():.3g} to {of.max():.3g}" if len(present) == 1 else name
            found[name] = frame[third == number]
    return found
