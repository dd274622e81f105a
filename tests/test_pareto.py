"""The frontier against its definition, point by point."""

import math

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.run.pareto import frontier, hypervolume

NUMBER = st.one_of(st.integers(0, 6).map(float), st.floats(0, 6), st.just(float("nan")))


def by_definition(top1: list[float], macs: list[float]) -> list[bool]:
    points = list(zip(top1, macs, strict=True))
    mask = []
    for n, (accuracy, cost) in enumerate(points):
        beaten = accuracy != accuracy or cost != cost
        for m, (other, price) in enumerate(points):
            if other >= accuracy and price <= cost and ((other, price) != (accuracy, cost) or m < n):
                beaten = True
        mask.append(not beaten)
    return mask


@given(st.lists(st.tuples(NUMBER, NUMBER), max_size=40))
def test_equals_the_definition(points: list[tuple[float, float]]) -> None:
    top1, macs = [p[0] for p in points], [p[1] for p in points]
    assert frontier(top1, macs).tolist() == by_definition(top1, macs)


def test_a_case_to_read() -> None:
    #       kept  costlier, no better  kept  equal to the first  worse  not a number
    top1 = [50, 50, 60, 50, 40, float("nan")]
    macs = [10, 20, 30, 10, 15, 1]
    assert frontier(top1, macs).tolist() == [True, False, True, False, False, False]
    assert frontier([], []).tolist() == []


def test_whole_macs_are_not_rounded() -> None:
    assert frontier([1.0, 2.0], [10**14, 10**14 + 1]).tolist() == [True, True]


def test_lists_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        frontier([1.0], [1.0, 2.0])


def test_a_million_points_are_fast() -> None:
    rng = np.random.default_rng(0)
    mask = frontier(rng.random(1_000_000), rng.random(1_000_000))
    assert 1 <= mask.sum() < 100


def test_hypervolume_is_the_mean_height_of_the_frontier() -> None:
    # 0 below a cost of 10, 40 up to 100, 70 from there on: a third of three decades each
    assert hypervolume([40, 70, 30, math.nan], [10, 100, 500, 1], (1, 1000)) == pytest.approx((0 + 40 + 70) / 3)
    assert hypervolume([40], [0.001], (1, 1000)) == pytest.approx(40)  # cheaper than the axis: no more than all of it
    assert hypervolume([40, 99], [10, 1001], (10, 1000)) == pytest.approx(40)  # costlier: nothing
    assert hypervolume([50, 60], [2, 1], (1, 100)) == pytest.approx(60)
    assert hypervolume([50, 60], [0.2, 0.1], (1, 100)) == pytest.approx(60)  # equal once moved to the axis' begin
    assert hypervolume([], [], (1, 10)) == 0
    with pytest.raises(ValueError, match="from 10 to 1"):
        hypervolume([1], [1], (10, 1))


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.5, 2000)), max_size=12))
def test_hypervolume_is_moocores(points: list[tuple[float, float]]) -> None:
    """An independent implementation, on (top-1, log10 cost) against the reference point (0, 3)."""
    inside = [(top1, math.log10(max(cost, 1.0))) for top1, cost in points if cost <= 1000]
    expected = moocore.hypervolume(np.array(inside), (0.0, 3.0), maximise=[True, False]) if inside else 0.0
    assert hypervolume([t for t, _ in points], [c for _, c in points], (1, 1000)) == pytest.approx(expected / 3)
