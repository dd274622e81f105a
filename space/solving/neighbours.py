"""One step from a network to a similar one, in the values of its axes: for the refinement of a frontier.

Width is solved anew after each step, so that a neighbour costs what it is meant to cost: a block moved to another
stage is paid for where it stands now, a doubled cardinality buys wider stages.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping

from space.networks.axis import Axis, Value
from space.solving.axes import Target, axes

# How often each kind of step is tried, relative to the others.
MOVES = {"move depth": 4, "change count": 4, "change fraction": 4, "change cardinality": 2, "switch choice": 1}
STEP = 0.15  # standard deviation of a step along a fraction, as a part of its (log) range
PART = 4  # at most one of so many blocks of a stage at a time, but always one


def neighbours(family: str, values: Mapping[str, Value], target: Target, rng: random.Random) -> dict[str, Value]:
    """The values of one random neighbour: always others than `values`, always within the axes.

    One of: blocks moved from one stage to another, blocks added to or taken from a stage (or another whole number
    raised or lowered), cardinality doubled or halved (or another ordered choice moved by one), one fraction (widening,
    compression, spend) changed by about 15 % of its range, one choice switched.
    """
    own = axes(family, target)
    depths = [axis for axis in own if axis.name.startswith("depth")]
    counts = [axis for axis in own if isinstance(axis.high, int) and not axis.choices]
    ladders = [axis for axis in own if axis.ordered]
    fractions = [axis for axis in own if isinstance(axis.high, float)]
    choices = [axis for axis in own if axis.choices and not axis.ordered]
    steps: dict[str, list[dict[str, Value]]] = {
        "move depth": _moved(depths, values, rng),
        "change count": _changed(counts, values, rng),
        "change fraction": [{axis.name: _stepped(axis, float(values[axis.name]), rng)} for axis in fractions],
        "change cardinality": [{axis.name: other} for axis in ladders for other in _beside(axis, values)],
        "switch choice": [{axis.name: _next(axis, values)} for axis in choices],
    }
    kinds = [kind for kind, possible in steps.items() if possible]
    kind = rng.choices(kinds, [MOVES[kind] for kind in kinds])[0]
    return dict(values) | rng.choice(steps[kind])


def _moved(depths: list[Axis], values: Mapping[str, Value], rng: random.Random) -> list[dict[str, Value]]:
    """For each pair of stages that has room: one block, or up to a quarter of a stage, moved to the other."""
    steps: list[dict[str, Value]] = []
    for source, goal in itertools.permutations(depths, 2):
        have, there = int(values[source.name]), int(values[goal.name])
        most = min(max(1, have // PART), have - int(source.low), int(goal.high) - there)
        if most > 0:
            blocks = rng.randint(1, most)
            steps.append({source.name: have - blocks, goal.name: there + blocks})
    return steps


def _changed(depths: list[Axis], values: Mapping[str, Value], rng: random.Random) -> list[dict[str, Value]]:
    """For each whole number that has room: one, or up to a quarter, added or taken."""
    steps: list[dict[str, Value]] = []
    for axis in depths:
        have = int(values[axis.name])
        for sign, room in ((1, int(axis.high) - have), (-1, have - int(axis.low))):
            if most := min(max(1, have // PART), room):
                steps.append({axis.name: have + sign * rng.randint(1, most)})
    return steps


def _stepped(axis: Axis, value: float, rng: random.Random) -> float:
    """A normal step along the range; one that would leave it goes the other way."""
    span = axis.high / axis.low if axis.log else axis.high - axis.low
    moved = value
    while moved == value:
        step = rng.gauss(0, STEP)
        both = [value * span**part if axis.log else value + span * part for part in (step, -step)]
        inside = [other for other in both if axis.low <= other <= axis.high]
        moved = inside[0] if inside else value
    return moved


def _beside(axis: Axis, values: Mapping[str, Value]) -> tuple[Value, ...]:
    """The choices before and after: half and double the cardinality."""
    index = axis.choices.index(values[axis.name])
    return axis.choices[max(0, index - 1) : index] + axis.choices[index + 1 : index + 2]


def _next(axis: Axis, values: Mapping[str, Value]) -> Value:
    return axis.choices[(axis.choices.index(values[axis.name]) + 1) % len(axis.choices)]
