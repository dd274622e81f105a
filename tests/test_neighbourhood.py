"""One step from a network: always another one, always within the axes, every kind of step taken."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from space import Budget, cost
from space.solving.axes import MODES, Target, Value, axes, propose, searched
from space.solving.neighbours import MOVES, STEP, neighbours


def kind_of(family: str, before: dict[str, Value], after: dict[str, Value], target: Target) -> str:
    """Which step was taken, told from what changed; asserts what such a step may change."""
    changed = [axis for axis in axes(family, target) if before[axis.name] != after[axis.name]]
    names = [axis.name for axis in changed]
    if all(name.startswith("depth") for name in names):
        steps = [int(after[name]) - int(before[name]) for name in names]
        for name, step in zip(names, steps, strict=True):
            if step < 0 or len(names) == 1:
                assert abs(step) <= max(1, int(before[name]) // 4)
        if len(names) == 2:
            assert sum(steps) == 0
            return "move depth"
        assert len(names) == 1
        return "change count"
    assert len(names) == 1
    if names == ["group_octets"]:
        assert abs(int(after["group_octets"]) - int(before["group_octets"])) <= max(1, int(before["group_octets"]) // 4)
        return "change count"
    if names == ["cardinality"]:
        assert int(after["cardinality"]) / int(before["cardinality"]) in (0.5, 2)
        return "change cardinality"
    return "switch choice" if changed[0].choices else "change fraction"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", searched())
@pytest.mark.parametrize(("size", "classes"), [(224, 1000), (32, 10)])
def test_a_walk_stays_in_the_axes_and_takes_every_kind_of_step(
    family: str, size: int, classes: int, mode: str, check_axes: Callable[..., None]
) -> None:
    target = Target(Budget.parse("1G"), mode, size, classes)
    own = axes(family, target)
    rng = random.Random(2)
    values = {axis.name: axis.draw(rng) for axis in own}
    seen: Counter[str] = Counter()
    touched: set[str] = set()
    for _ in range(600):
        stepped = neighbours(family, values, target, rng)
        check_axes(family, stepped, target)
        seen[kind_of(family, values, stepped, target)] += 1
        touched |= {name for name in values if values[name] != stepped[name]}
        values = stepped
    expected = set(MOVES)
    if not any(axis.ordered for axis in own):
        expected -= {"change cardinality"}
    if not any(axis.choices and not axis.ordered for axis in own):
        expected -= {"switch choice"}
    if family == "resnet" and mode == "match":
        expected -= {"change fraction"}
    assert set(seen) == expected
    assert touched == {axis.name for axis in own}
    assert seen["switch choice"] < seen["move depth"]


@pytest.mark.parametrize("mode", MODES)
def test_neighbours_of_a_network_at_the_budget_are_at_the_budget(mode: str) -> None:
    target = Target(Budget.parse("2G"), mode)
    rng = random.Random(5)
    for _ in range(60):
        family = rng.choice(searched())
        values: dict[str, Value] = {axis.name: axis.draw(rng) for axis in axes(family, target)}
        before = propose(family, values, target)
        stepped = neighbours(family, values, target, rng)
        after = propose(family, stepped, target)
        assert 0.97 * after.target_macs <= cost(after.config).macs <= after.target_macs <= target.budget.macs
        if mode == "match" or kind_of(family, values, stepped, target) == "move depth":
            # what a depth costs at least does not matter here: the same spend is the same money
            assert after.target_macs == pytest.approx(before.target_macs, rel=0.01)


def test_a_corner_has_neighbours_too() -> None:
    target = Target(Budget.parse("2G"))
    for family in searched():
        for end in (0, -1):
            values: dict[str, Value] = {
                axis.name: axis.choices[end] if axis.choices else (axis.low, axis.high)[end]
                for axis in axes(family, target)
            }
            rng = random.Random(9)
            for _ in range(100):
                stepped = neighbours(family, values, target, rng)
                assert stepped != values
                assert kind_of(family, values, stepped, target) != "move depth"  # nothing to take, or no room


def test_fractions_move_by_about_the_step() -> None:
    target = Target(Budget.parse("2G"))
    values: dict[str, Value] = {axis.name: axis.choices[0] if axis.choices else 4 for axis in axes("densenet", target)}
    values |= {"compression": 0.7, "spend": 0.5}
    rng = random.Random(1)
    steps = [float(neighbours("densenet", values, target, rng)["spend"]) - 0.5 for _ in range(3000)]
    taken = [step for step in steps if step]
    assert sum(step > 0 for step in taken) / len(taken) == pytest.approx(0.5, abs=0.1)
    assert (sum(step**2 for step in taken) / len(taken)) ** 0.5 == pytest.approx(STEP, rel=0.15)


def test_the_same_seed_takes_the_same_steps() -> None:
    target = Target(Budget.parse("2G"))

    def walk(seed: int) -> list[dict[str, Value]]:
        rng = random.Random(seed)
        values: dict[str, Value] = {axis.name: axis.draw(rng) for axis in axes("resnext", target)}
        steps = [values]
        for _ in range(30):
            steps.append(neighbours("resnext", steps[-1], target, rng))
        return steps

    assert walk(3) == walk(3)
    assert walk(3) != walk(4)
