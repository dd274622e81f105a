"""The frontier against its definition, point by point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.pareto import frontier

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
