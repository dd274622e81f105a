"""What samples of networks tell: by hand where the answer can be worked out, by random draws where it is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.analysis.bootstrap import (
    ALIKE,
    best_range,
    chances,
    cost_bins,
    estimate,
    interval,
    median,
    share_below,
    weights,
)
from results.analysis.trend import trend


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


# ---------------------------------------------------------------------------------------------- like cost


def test_bins_hold_costs_that_all_groups_have() -> None:
    # a factor of 4 takes four bins, one network in four each; the first group has none of the costliest quarter
    costs = array(1.0, 1.1, 1.5, 1.6, 2.1, 2.2, 1.0, 1.1, 1.5, 1.6, 2.1, 2.2, 3.5, 3.6, 3.9, 4.0)
    groups = np.array([0] * 6 + [1] * 10)
    bins = cost_bins(costs, groups)
    assert bins.tolist() == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, -1, -1, -1, -1]


def test_one_cost_is_one_bin_and_apart_is_none() -> None:
    groups = np.repeat([0, 1], 6)
    assert cost_bins(np.linspace(1, ALIKE - 0.01, 12), groups).tolist() == [0] * 12
    assert cost_bins(np.concatenate([np.linspace(1, 2, 6), np.linspace(10, 20, 6)]), groups).tolist() == [-1] * 12


def test_every_bin_weighs_the_same() -> None:
    assert weights(np.array([0, 0, 0, 1])).tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    assert weights(np.array([0, 2, 2])).tolist() == pytest.approx([1 / 2, 1 / 4, 1 / 4])  # an empty bin counts nothing


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_weights_sum_to_one(bins: list[int]) -> None:
    found = weights(np.array(bins))
    assert found.sum() == pytest.approx(1)
    parts = [found[np.array(bins) == each].sum() for each in set(bins)]
    assert parts == pytest.approx([1 / len(parts)] * len(parts))


def test_distribution_function_and_median() -> None:
    errors, weight = array(30, 10, 20), array(0.5, 0.25, 0.25)
    assert share_below(errors, weight, array(9, 10, 19, 20, 30, 99)).tolist() == [0, 0.25, 0.25, 0.5, 1, 1]
    assert median(errors, weight) == 20
    assert median(errors, array(0.4, 0.3, 0.3)) == 20
    assert median(errors, array(0.6, 0.2, 0.2)) == 30


# ---------------------------------------------------------------------------------------------- resamples


def test_band_is_as_wide_as_theory_says() -> None:
    # the part of 400 networks at or below their median varies as a binomial: standard deviation 0.025
    errors = np.arange(400.0)
    found = estimate(errors, np.zeros(400, dtype=np.int64), array(-1, 199, 399), np.random.default_rng(0), times=4000)
    assert found.share.tolist() == pytest.approx([0, 0.5, 1])
    assert found.low.tolist() == pytest.approx([0, 0.5 - 1.96 * 0.025, 1], abs=0.004)
    assert found.high.tolist() == pytest.approx([0, 0.5 + 1.96 * 0.025, 1], abs=0.004)
    assert found.median == 199
    low, high = interval(found.medians)
    assert (low, high) == pytest.approx((199 - 1.96 * 10, 199 + 1.96 * 10), abs=2.5)  # 0.025 of 400 networks is 10


def test_resamples_are_weighted_as_the_whole() -> None:
    # nine cheap networks with errors of 10, one costly one with 20: unweighted a tenth, at like cost a half
    errors, bins = np.array([10.0] * 9 + [20.0]), np.array([0] * 9 + [1])
    found = estimate(errors, bins, array(15), np.random.default_rng(0), times=4000)
    assert found.share.tolist() == pytest.approx([0.5])
    # one in three resamples, 0.9 ** 10, lacks the costly one: the cheap bin is all it has; the others weigh both alike
    assert (found.low[0], found.high[0]) == pytest.approx((0.5, 1))
    assert set(found.medians) == {10}


def test_the_same_seed_gives_the_same() -> None:
    errors, bins = np.random.default_rng(1).normal(50, 3, 700), np.repeat([0, 1], 350)
    grid = np.linspace(40, 60, 9)
    first, again = (estimate(errors, bins, grid, np.random.default_rng(0)) for _ in range(2))
    assert first.low.tolist() == again.low.tolist() and first.medians.tolist() == again.medians.tolist()


# ---------------------------------------------------------------------------------------------- the best


def test_chances_by_hand() -> None:
    # of four networks two are drawn with replacement: the best is missed with (3/4)^2, the best two with (1/2)^2
    found = chances(array(5, 9, 1, 7), share=0.5)
    assert found.tolist() == pytest.approx([4 / 16 - 1 / 16, 7 / 16, 1 / 16, 9 / 16 - 4 / 16])
    assert chances(array(5, 9, 9), share=0.25).tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])  # one is drawn


def test_chances_are_what_drawing_gives() -> None:
    rng = np.random.default_rng(0)
    scores = rng.permutation(20).astype(float)
    best = scores[rng.integers(20, size=(40_000, 5))].max(axis=1)
    drawn = np.array([np.mean(best == score) for score in scores])
    assert chances(scores).tolist() == pytest.approx(drawn.tolist(), abs=0.012)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=50))
def test_chances_sum_to_one_and_equals_share(scores: list[int]) -> None:
    found = chances(np.array(scores, dtype=np.float64))
    assert found.sum() == pytest.approx(1)
    for score in set(scores):
        assert np.ptp(found[np.array(scores) == score]) == pytest.approx(0)


def test_range_of_the_best() -> None:
    values = np.arange(100.0)
    low, middle, high = best_range(values, scores=values)  # deeper is better: the best of 25 is near the end
    assert (middle, high) == (97, 99)
    assert low == 86  # (87/100)^25 = 0.031 is the first above 0.025
    flat = best_range(values, np.zeros(100))  # nothing to choose: the range is that of the networks
    assert flat == (2, 49, 97)


# ---------------------------------------------------------------------------------------------- the rule


def test_a_straight_line_is_its_own_rule() -> None:
    costs = np.geomspace(1, 10, 60)
    scores = 50 + 5 * np.log(costs)
    rule = trend(costs, scores)
    assert rule.at(costs).tolist() == pytest.approx(scores.tolist(), abs=1e-6)
    scores[[7, 30, 31]] = 10  # what learned nothing does not bend it
    assert trend(costs, scores).at(costs).tolist() == pytest.approx((50 + 5 * np.log(costs)).tolist(), abs=0.2)


def test_few_networks_or_one_cost_have_their_median() -> None:
    assert trend(array(1, 2, 4), array(10, 30, 20)).at(array(0.5, 3)).tolist() == [20, 20]
    assert trend(np.linspace(4, 4.1, 30), np.arange(30.0)).at(array(4)).tolist() == [14.5]
