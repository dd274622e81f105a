"""What a trained score has to beat: regret and regressions by hand, and the counts of the published networks."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.fidelity.baselines import BASELINES, baseline_scores, beside
from evaluate.fidelity.network import NetworkFidelity, SeedScore
from evaluate.fidelity.ranking_sets import ranking_set
from evaluate.fidelity.rankings import RATIO, agreement, concordance, kendall_tau, within_budget_pairs
from evaluate.fidelity.regression import folds, regression_left_out
from evaluate.fidelity.regret import bracket_regret, budget_brackets
from evaluate.fidelity.report import RANKINGS, Fidelity
from evaluate.fidelity.text import fidelity_text
from evaluate.training.presets import RECIPES
from space import cost

MACS = [100, 110, 117, 118, 200, 400, 430]  # 118 exceeds 100 by more than 15 % of 118; 200 stands alone
ERRORS = [30.0, 28.0, 29.0, 27.0, 20.0, 25.0, 24.0]


def test_brackets_by_hand() -> None:
    assert budget_brackets(MACS) == [(0, 1, 2), (5, 6)]
    assert budget_brackets([430, 400, 110, 100]) == [(3, 2), (1, 0)]
    assert budget_brackets([100, 200, 300]) == [] == budget_brackets([])


@given(st.lists(st.integers(1, 1000), max_size=12))
def test_any_two_networks_of_a_bracket_are_of_like_cost(macs: list[int]) -> None:
    brackets = budget_brackets(macs)
    members = [network for bracket in brackets for network in bracket]
    assert len(members) == len(set(members))
    everyone = set(within_budget_pairs(macs, [float(10 * number) for number in range(len(macs))]))
    for bracket in brackets:
        assert len(bracket) > 1
        for i in bracket:
            for j in bracket:
                assert i >= j or (i, j) in everyone
                assert abs(macs[i] - macs[j]) < RATIO * max(macs[i], macs[j]) or i == j


def test_regret_by_hand() -> None:
    bracket = (0, 1, 2)
    assert bracket_regret([-error for error in ERRORS], ERRORS, bracket) == 0  # the truth itself
    assert bracket_regret(ERRORS, ERRORS, bracket) == 2  # the reverse picks the worst: 30 where 28 was to be had
    assert bracket_regret([1.0, 2.0, 3.0, 9.0, 9.0, 0.0, 0.0], ERRORS, bracket) == 1  # outside scores are not seen
    assert bracket_regret([0.0] * 7, ERRORS, bracket) == pytest.approx(1)  # a random choice: 29 on average
    assert bracket_regret([5.0, 5.0, 1.0, 0.0, 0.0, 0.0, 0.0], ERRORS, bracket) == 1  # a tie is drawn


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(0, 9)), min_size=1, max_size=9))
def test_regret_is_between_none_and_the_whole_range(networks: list[tuple[int, int]]) -> None:
    errors, scores = [float(error) for error, _ in networks], [float(score) for _, score in networks]
    everyone = tuple(range(len(networks)))
    found = bracket_regret(scores, errors, everyone)
    assert -1e-9 <= found <= max(errors) - min(errors) + 1e-9
    assert bracket_regret([-error for error in errors], errors, everyone) == 0


def test_the_truth_is_perfect_and_the_reverse_is_the_worst() -> None:
    truth = agreement([-error for error in ERRORS], ERRORS, MACS)
    reverse = agreement(ERRORS, ERRORS, MACS)
    assert (truth.tau, truth.concordance) == (1, 1)
    assert (reverse.tau, reverse.concordance) == (-1, 0)


def test_concordance_of_arrays_is_that_of_numbers() -> None:
    """numpy's booleans are not added up like Python's: True and True made one half."""
    pairs = within_budget_pairs(MACS, ERRORS)
    scores = [-error for error in ERRORS]
    assert concordance(np.array(scores), np.array(ERRORS), pairs) == concordance(scores, ERRORS, pairs) == 1  # type: ignore[arg-type]


def test_a_power_law_is_found_where_it_was_not_seen() -> None:
    """Errors that follow the counts exactly: a network left out is predicted but for the shrinkage."""
    rng = np.random.default_rng(0)
    logs = rng.normal(size=(60, 4))
    errors = np.exp(3 - 0.1 * logs[:, 0] - 0.2 * logs[:, 2])
    predicted = regression_left_out(logs.tolist(), errors.tolist(), [str(number) for number in range(60)])
    assert kendall_tau((-predicted).tolist(), errors.tolist()) == pytest.approx(1, abs=0.01)
    assert predicted == pytest.approx(errors, rel=0.01)


@pytest.mark.parametrize("group", ["name", "family"])
def test_a_regression_never_sees_what_is_left_out(group: str) -> None:
    """Nonsense in place of a group's own errors changes no prediction of it, and all others."""
    networks = ranking_set("imagenet")
    logs = [list(map(math.log, each.counts)) for each in networks]
    errors, groups = [each.published_error for each in networks], [getattr(each, group) for each in networks]
    before = regression_left_out(logs, errors, groups)
    for out, rest in folds(groups):
        wrong = [77.0 - number if number in out else error for number, error in enumerate(errors)]
        after = regression_left_out(logs, wrong, groups)
        assert (after[out] == before[out]).all()
        assert (after[rest] != before[rest]).all()
        for number in out:  # nor the counts of the others of its group
            alone = [*rest, number]
            found = regression_left_out(
                [logs[n] for n in alone], [errors[n] for n in alone], [groups[n] for n in alone]
            )
            assert found[-1] == pytest.approx(before[number], rel=1e-12)


def test_no_prediction_from_too_few_networks() -> None:
    networks = ranking_set("imagenet")[:6]
    logs = [list(map(math.log, each.counts)) for each in networks]
    errors = [each.published_error for each in networks]
    assert not np.isnan(regression_left_out(logs, errors, list("abcdef"))).any()  # five are as many as coefficients
    assert np.isnan(regression_left_out(logs[:5], errors[:5], list("abcde"))).all()
    assert np.isnan(regression_left_out(logs, errors, ["one"] * 6)).all()  # nothing is left
    assert list(np.isnan(regression_left_out(logs, errors, list("aabbbc")))) == [True] * 5 + [False]


def network(name: str, top1: float | None = 50.0) -> NetworkFidelity:
    each = next(each for each in ranking_set("imagenet") if each.name == name)
    score = SeedScore(0, 1.0, top1, 1.0, 1.0) if top1 is not None else SeedScore(0, 1.0, None, None, None, "failed")
    return NetworkFidelity(name, each.label, each.family, *each.counts, each.published_error, each.source, (score,))


def fidelity(networks: tuple[NetworkFidelity, ...]) -> Fidelity:
    return Fidelity("imagenet", "cifar10", "", RECIPES["cpu"], "cpu", {}, (0,), networks, "2026-01-01")


def test_counts_are_exact() -> None:
    resnet50 = network("resnet50")
    known = next(each.config for each in ranking_set("imagenet") if each.name == "resnet50")
    exact = cost(known)
    assert (resnet50.macs, resnet50.params, resnet50.activations) == (exact.macs, exact.params, exact.activations)
    assert resnet50.depth == 50
    assert network("densenet121").depth == 121 and network("resnet18").depth == 18


def test_baselines_of_the_published_networks() -> None:
    """The figures of the design page, to two decimals; a regression's are of another penalty."""
    networks = tuple(network(each.name) for each in ranking_set("imagenet"))
    scores = baseline_scores(networks)
    assert list(scores) == list(BASELINES)
    errors, macs = [each.published_error for each in networks], [each.macs for each in networks]
    found = {name: agreement([values[each.name] for each in networks], errors, macs) for name, values in scores.items()}
    taus = {name: round(each.tau or 0, 2) for name, each in found.items()}
    assert (taus["macs"], taus["params"], taus["activations"]) == (0.48, 0.29, 0.80)
    assert taus["regression_network"] == 0.88 and 0.65 < taus["regression_family"] < 0.75
    assert found["activations"].concordance == pytest.approx(47 / 49)


def test_what_needs_no_training_is_said_where_it_ranks_better() -> None:
    names = [each.name for each in ranking_set("imagenet")]
    noisy = fidelity(tuple(network(name, 50 + number % 3) for number, name in enumerate(names)))
    perfect = fidelity(tuple(replace(each, scores=(SeedScore(0, 1.0, 99 - each.published_error, 1.0, 1.0),))
                             for each in noisy.networks))  # fmt: skip
    assert (perfect.regrets["proxy_top1"], perfect.rankings["proxy_top1"].tau) == (0, 1)
    worse = "Activations alone, which need no training, rank these networks better: tau 0.80, within a budget 0.96"
    assert worse in fidelity_text(noisy)
    assert "rank these networks better" not in fidelity_text(perfect)
    assert "Activations alone: tau 0.80, within a budget 0.96, regret 0.04." in fidelity_text(perfect)
    ours, counts = noisy.rankings["proxy_top1"], noisy.rankings
    mixed = replace(ours, tau=0.1, concordance=1.0)
    assert "better" not in beside(mixed, counts, noisy.regrets)  # not where only one of both figures is
    assert beside(ours, {"depth": replace(ours, tau=0.99)}, {}).startswith("weight layers alone, which need no")


def test_all_rankings_are_of_the_same_networks() -> None:
    names = [each.name for each in ranking_set("imagenet")]
    some = fidelity(tuple(network(name, None if number == 4 else 50.0 + number) for number, name in enumerate(names)))
    assert {some.rankings[name].networks for name in RANKINGS if name in some.rankings} == {24}
    failed = some.networks[4].label
    assert all(failed not in bracket.networks for bracket in some.brackets)
    assert len(some.brackets) == 5 and all(bracket.regrets["naswot"] is None for bracket in some.brackets)
    assert some.regrets["naswot"] is None and "naswot" not in fidelity_text(some)


def test_the_table_of_regrets_has_a_column_a_bracket() -> None:
    whole = fidelity(tuple(network(each.name) for each in ranking_set("imagenet")))
    lines = fidelity_text(whole).splitlines()
    (head,) = [line for line in lines if line.startswith("regret by GMACs")]
    assert len(head.split()) == 3 + len(whole.brackets)
    row = next(line for line in lines[lines.index(head) :] if line.startswith("activations")).split()[1:]
    assert [float(value) for value in row] == [round(b.regrets["activations"] or 0, 2) for b in whole.brackets]
    chance = next(line for line in lines if line.startswith("a random choice")).split()[3:]
    top1 = next(line for line in lines[lines.index(head) :] if line.startswith("proxy_top1")).split()[1:]
    assert chance == top1  # all top-1 are equal
