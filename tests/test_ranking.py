"""Agreement of two orders: answers worked out by hand, and scipy as an independent check."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from evaluate.fidelity.rankings import (
    Agreement,
    agreement,
    concordance,
    concordance_interval,
    kendall_tau,
    tau_interval,
    within_budget_pairs,
)

RISING = [1.0, 2.0, 3.0, 4.0]
FALLING = [40.0, 30.0, 20.0, 10.0]


def test_tau_by_hand() -> None:
    assert kendall_tau(RISING, FALLING) == 1  # the higher the score, the smaller the error
    assert kendall_tau(FALLING, FALLING) == -1
    # One of six pairs is the wrong way round: (5 - 1) / 6.
    assert kendall_tau([1, 2, 4, 3], FALLING) == pytest.approx(4 / 6)
    # tau-b with one tie in the score: 5 right, none wrong; 5 / sqrt(5 * 6).
    assert kendall_tau([1, 2, 3, 3], FALLING) == pytest.approx(5 / math.sqrt(30))


@pytest.mark.parametrize("scores, errors", [([], []), ([1], [2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [5, 5, 5])])
def test_tau_without_an_order_is_none(scores: list[float], errors: list[float]) -> None:
    assert kendall_tau(scores, errors) is None
    assert tau_interval(scores, errors) == (None, None)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=12))
def test_tau_is_scipys(points: list[tuple[int, int]]) -> None:
    scores, errors = [a for a, _ in points], [b for _, b in points]
    ours, theirs = kendall_tau(scores, errors), float(kendalltau(scores, [-e for e in errors]).statistic)
    assert (ours is None) == math.isnan(theirs)
    assert ours is None or ours == pytest.approx(theirs)


def test_pairs_within_a_budget() -> None:
    # 100 and 85 differ by just 15 % of the larger: out; 100 and 86: in. 22.6 and 22.3 differ by just 0.3: out.
    assert within_budget_pairs([100, 85], [20.0, 25.0]) == []
    assert within_budget_pairs([100, 86], [20.0, 25.0]) == [(0, 1)]
    assert within_budget_pairs([86, 100], [20.0, 25.0]) == [(0, 1)]
    assert within_budget_pairs([100, 100], [22.6, 22.3]) == []
    assert within_budget_pairs([100, 100], [22.61, 22.3]) == [(0, 1)]
    # Three groups: (0, 2) is like in cost, (1, 3) is like in cost and in error.
    assert within_budget_pairs([100, 400, 110, 410], [30, 22.0, 28, 22.1]) == [(0, 2)]
    assert within_budget_pairs([100, 400, 110, 410], [30, 22.0, 28, 22.1], apart=0.05) == [(0, 2), (1, 3)]
    assert within_budget_pairs([100, 150], [30, 22], ratio=0.4) == [(0, 1)]


def test_concordance_by_hand() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (0, 3)]
    assert concordance(RISING, FALLING, pairs) == 1
    assert concordance(FALLING, FALLING, pairs) == 0
    assert concordance(RISING, FALLING, []) is None
    # Scores 1 2 2 0: (0, 1) right, (1, 2) equal counts half, (2, 3) wrong, (0, 3) wrong: 1.5 of 4.
    assert concordance([1, 2, 2, 0], FALLING, pairs) == pytest.approx(1.5 / 4)


def test_concordance_interval_by_hand() -> None:
    # Three networks, pairs (0, 1) right and (1, 2) wrong. A sample draws 3 of 3; both pairs need network 1.
    # Counted out over all 27 samples below, and the bootstrap must come to the same percentiles.
    scores, errors, pairs = [1.0, 2.0, 1.0], [30.0, 20.0, 10.0], [(0, 1), (1, 2)]
    values = []
    for drawn in itertools.product(range(3), repeat=3):
        w = [drawn.count(n) for n in range(3)]
        if total := w[0] * w[1] + w[1] * w[2]:
            values.append(w[0] * w[1] / total)
    low, high = np.percentile(values, (2.5, 97.5))
    assert (low, high) == (0, 1)
    assert concordance_interval(scores, errors, pairs) == (low, high)
    assert concordance_interval(scores, errors, []) == (None, None)


def test_tau_interval_is_that_of_samples_drawn_one_by_one() -> None:
    rng = np.random.default_rng(3)
    scores = [float(v) for v in rng.integers(0, 9, 12)]
    errors = [float(v) for v in rng.normal(size=12)]
    low, high = tau_interval(scores, errors, seed=5, n_resamples=400)
    copies = np.random.default_rng(5).multinomial(12, np.full(12, 1 / 12), size=400)
    taus = []
    for w in copies:
        chosen = np.repeat(np.arange(12), w)
        taus.append(kendalltau(np.array(scores)[chosen], -np.array(errors)[chosen]).statistic)
    assert (low, high) == pytest.approx(tuple(np.nanpercentile(taus, (2.5, 97.5))))
    assert low is not None and high is not None and -1 <= low < high <= 1


def test_intervals_shrink_with_more_networks_and_hold_the_figure() -> None:
    def noisy(n: int) -> Agreement:
        rng = np.random.default_rng(0)
        errors = rng.normal(size=n)
        scores = -errors + rng.normal(size=n)
        return agreement(list(scores), list(errors), [100] * n)

    few, many = noisy(15), noisy(150)
    for one in (few, many):
        assert one.tau_low is not None and one.tau is not None and one.tau_high is not None
        assert one.tau_low < one.tau < one.tau_high
        assert one.concordance_low is not None and one.concordance is not None and one.concordance_high is not None
        assert one.concordance_low < one.concordance < one.concordance_high
    assert many.tau_high - many.tau_low < few.tau_high - few.tau_low  # type: ignore[operator]


def test_agreement_gathers_both() -> None:
    macs = [100, 101, 102, 900]
    both = agreement([1, 3, 2, 4], FALLING, macs)
    # Five of six pairs right: tau 4/6. Pairs within the budget: the first three networks', two of three right.
    assert both.tau == pytest.approx(4 / 6)
    assert (both.pairs, both.networks, both.concordance) == (3, 4, pytest.approx(2 / 3))
    assert both == agreement([1, 3, 2, 4], FALLING, macs)
    assert Agreement(**json.loads(json.dumps(both.to_json()))) == both
    assert agreement([], [], []) == Agreement(None, None, None, None, None, None, 0, 0)


@pytest.mark.parametrize("scores", [[1, 2, 3], [1, 2, 3, math.nan], [1, 2, 3, math.inf]])
def test_what_cannot_be_ranked_is_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        kendall_tau(scores, FALLING)
    with pytest.raises(ValueError, match="expected"):
        agreement(scores, FALLING, [1, 2, 3, 4])
