"""What the number of images, and of pairs, leaves open: standard errors and intervals of shares."""

import numpy as np
import pytest

from evaluate.fidelity.rankings import agreement, independent_pairs
from space.shell.scores import few_text, score_text, standard_error, wilson


def test_standard_error_is_binomial() -> None:
    assert standard_error(50.0, 100) == pytest.approx(5.0)
    assert standard_error(18.34, 5000) == pytest.approx(100 * (0.1834 * 0.8166 / 5000) ** 0.5)
    assert standard_error(100.0, 400) == pytest.approx(standard_error(0.0, 400)) == pytest.approx(0.25, abs=1e-3)
    assert standard_error(100.0, 1) == 50.0
    assert score_text(41.25, 359) == "41.2 ± 2.6"
    assert score_text(41.25, None) == "41.2"


def test_few_held_out_images_are_said() -> None:
    assert few_text(500) == ""
    assert few_text(359).startswith("only 359 images are held out")


def test_wilson_covers_shares_of_few_trials() -> None:
    low, high = wilson(1.0, 12)
    assert (low, high) == (pytest.approx(12 / (12 + 1.959964**2)), 1.0)
    rng = np.random.default_rng(0)
    for share in (0.5, 0.8, 0.95):
        hits = rng.binomial(12, share, 4000) / 12
        inside = [low <= share <= high for low, high in (wilson(float(hit), 12) for hit in hits)]
        assert np.mean(inside) > 0.9


def test_pairs_that_share_networks_count_less() -> None:
    errors = list(range(25))
    everyone = [(i, j) for j in errors for i in range(j)]
    assert independent_pairs(everyone, errors) == pytest.approx(4.5 * 25 * 24 / 55)  # Kendall's variance of tau
    assert independent_pairs([(0, 1), (2, 3)], errors) == 2
    star = [(0, n) for n in range(1, 13)]  # twelve pairs, all with the best network
    assert independent_pairs(star, errors) < 3


def test_pairs_that_all_agree_are_no_certainty() -> None:
    macs = [1_000 + n for n in range(6)]
    found = agreement([6.0, 5, 4, 3, 2, 1], [10.0, 12, 14, 16, 18, 20], macs)
    assert (found.tau, found.concordance, found.pairs) == (1.0, 1.0, 15)
    assert found.tau_low is not None and found.concordance_low is not None
    assert found.tau_low < 0.7 and found.concordance_low < 0.8
    assert (found.tau_high, found.concordance_high) == (pytest.approx(1.0), pytest.approx(1.0))
