"""The stopping rule: who is judged against whom, who is never stopped, and a training that it ends."""

import dataclasses
import itertools
import pickle
import random

import pytest

from evaluate.images.load import load_data
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.recipe import Recipe
from evaluate.training.score import Epoch
from search.rungs import RULE, RungTable, promising, rung_table, rungs_of, standing, stopper
from space import cost, landmark

RUNGS = (2, 4)
GIGA = 1e9


def curve(*top1: float) -> tuple[Epoch, ...]:
    """Scored at every second epoch."""
    return tuple(Epoch(epoch=2 * place, train_loss=2.0, top1=value) for place, value in enumerate(top1, 1))


def at_rung(*pairs: tuple[float, float]) -> RungTable:
    """Trials that were stopped at the first rung."""
    return rung_table(RUNGS, [(cost_, curve(top1)) for cost_, top1 in pairs])


def crowd(number: int, seed: int = 0) -> list[tuple[float, float]]:
    rng = random.Random(seed)
    return [(rng.uniform(0.4, 4.1) * GIGA, rng.uniform(10, 30)) for _ in range(number)]


@pytest.mark.parametrize(
    ("epochs", "every", "rungs"),
    [
        (8, 1, (2, 4)),
        (8, 2, (2, 4)),
        (8, 4, (4,)),
        (8, 8, ()),
        (8, 100, ()),
        (1, 1, ()),
        (2, 1, (1,)),
        (3, 1, (1, 2)),
        (16, 1, (4, 8)),
        (30, 5, (10, 20)),
        (200, 5, (50, 100)),
    ],
)
def test_rungs_are_scored_epochs_from_a_quarter_on(epochs: int, every: int, rungs: tuple[int, ...]) -> None:
    recipe = dataclasses.replace(RECIPES["smoke"], epochs=epochs, evaluate_every=every)
    assert rungs_of(recipe) == rungs


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_rungs_of_every_preset(recipe: Recipe) -> None:
    rungs = rungs_of(recipe)
    assert bool(rungs) == (recipe.epochs > 1)
    for epoch in rungs:
        assert recipe.epochs / 4 <= epoch < recipe.epochs
        assert epoch % recipe.evaluate_every == 0
    assert all(later >= 2 * earlier for earlier, later in itertools.pairwise(rungs))


def test_the_table_holds_what_each_trial_reached() -> None:
    entries = [(3 * GIGA, curve(18, 24, 27, 28)), (2 * GIGA, curve(15)), (GIGA, ())]  # finished, stopped, just begun
    table = rung_table(RUNGS, entries)
    assert table == RungTable((2, 4), (((3 * GIGA, 18.0), (2 * GIGA, 15.0)), ((3 * GIGA, 24.0),)))
    grown = rung_table(RUNGS, ())
    assert grown == RungTable((2, 4), ((), ()))
    for cost_, points in entries:
        grown = grown.add(cost_, points)
    assert grown == table


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_cost_that_nothing_is_near_to_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="expected a number above 0"):
        rung_table(RUNGS, [(bad, curve(20))])


def test_the_table_travels() -> None:
    table = rung_table(RUNGS, [(cost_, curve(top1, top1 + 5)) for cost_, top1 in crowd(2_000)])
    sent = pickle.dumps(table)
    assert pickle.loads(sent) == table
    assert len(sent) < 150_000
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.rungs = (1,)  # type: ignore[misc]


def test_the_verdict_depends_on_the_arguments_alone() -> None:
    pairs = crowd(60)
    table = at_rung(*pairs)
    asked = [(2, GIGA * share, top1) for share in (0.5, 1, 2, 4) for top1 in range(10, 31)]
    verdicts = [promising(table, *each) for each in asked]
    assert True in verdicts and False in verdicts
    assert verdicts == [promising(table, *each) for each in asked]
    turned = at_rung(*reversed(pairs))  # whichever ended first
    assert verdicts == [promising(turned, *each) for each in asked]
    assert table == at_rung(*pairs)


def test_nothing_is_stopped_while_few_are_known() -> None:
    for number in range(RULE.fewest):
        table = at_rung(*[(2 * GIGA, 30.0 + place) for place in range(number)])
        assert promising(table, 2, 2 * GIGA, 0.0)
    table = at_rung(*[(2 * GIGA, 30.0 + place) for place in range(RULE.fewest)])
    assert not promising(table, 2, 2 * GIGA, 0.0)


@pytest.mark.parametrize("seed", range(20))
def test_a_trial_that_none_beats_goes_on(seed: int) -> None:
    pairs = crowd(100, seed)
    best = max(top1 for _, top1 in pairs)
    table = at_rung(*pairs)
    for cost_, _ in pairs:
        assert promising(table, 2, cost_, best)  # as good as the best is not beaten
    for cost_, top1 in pairs:  # nor is any that no other of its cost or less beats: it is on the rung's frontier
        if not any(other > top1 for price, other in pairs if price <= cost_ * RULE.costlier):
            assert promising(table, 2, cost_, top1)


def test_the_worst_of_many_near_its_cost_is_stopped_and_the_upper_third_goes_on() -> None:
    table = at_rung(*[((1 + place / 1000) * GIGA, 20.0 + place % 9) for place in range(9)])  # 20 to 28 %
    verdicts = [promising(table, 2, GIGA, 19.5 + place) for place in range(10)]
    assert verdicts == [False] * 6 + [True] * 4  # at most three of nine may be better


def test_a_better_score_never_harms() -> None:
    table = at_rung(*crowd(80))
    for share in (0.4, 0.7, 1.5, 3, 4):
        verdicts = [promising(table, 2, share * GIGA, top1 / 4) for top1 in range(200)]
        assert verdicts == sorted(verdicts)


def test_trials_of_far_other_cost_do_not_count() -> None:
    near = [(2 * GIGA, 20.0 + place) for place in range(6)]
    far = [(price * GIGA, top1) for price in (0.1, 0.5, 2.5, 4, 40) for top1 in (1.0, 99.0, 99.0, 99.0)]
    for top1 in range(15, 30):
        alone = standing(at_rung(*near), 2, 2 * GIGA, top1)
        assert standing(at_rung(*near, *far), 2, 2 * GIGA, top1) == alone
    assert promising(at_rung(*far), 2, 1.7 * GIGA, 0.0)


def test_a_cheaper_network_is_not_measured_by_dearer_ones_but_a_dearer_one_by_cheaper_ones() -> None:
    table = at_rung(*[(2 * GIGA, 30.0)] * 5)
    assert promising(table, 2, 1 * GIGA, 20.0)
    assert not promising(table, 2, 4 * GIGA, 20.0)


def test_in_match_mode_all_costs_are_alike() -> None:
    rng = random.Random(3)
    pairs = [(rng.uniform(0.95, 1) * 4.1 * GIGA, 10.0 + place) for place in range(30)]
    table = at_rung(*pairs)
    for budgeted in (0.95 * 4.1 * GIGA, 4.0 * GIGA, 4.1 * GIGA):
        found = standing(table, 2, budgeted, 29.5)
        assert (found.better, found.neighbours) == (10, 30)
        assert promising(table, 2, budgeted, 29.5)
        assert not promising(table, 2, budgeted, 28.5)


def test_latency_is_a_cost_like_any_other() -> None:
    pairs = crowd(50)
    milliseconds = at_rung(*[(price / GIGA, top1) for price, top1 in pairs])
    table = at_rung(*pairs)
    for price, top1 in crowd(50, seed=1):
        assert standing(milliseconds, 2, price / GIGA, top1) == standing(table, 2, price, top1)


def test_each_rung_has_its_own_ranks_and_other_epochs_have_none() -> None:
    table = rung_table(RUNGS, [(GIGA, curve(20, 25, 26, 30))] * 5)
    assert not promising(table, 2, GIGA, 19)
    assert promising(table, 2, GIGA, 21)
    assert not promising(table, 4, GIGA, 21)
    assert promising(table, 6, GIGA, 0) and promising(table, 8, GIGA, 0)
    assert promising(rung_table((), [(GIGA, curve(20))] * 5), 2, GIGA, 0)


def test_the_sentence_says_where_it_stood() -> None:
    table = rung_table((4,), [(GIGA, curve(10, 20.0 + place)) for place in range(9)])
    stop = stopper(table, GIGA)
    assert stop(Epoch(epoch=2, train_loss=2.0, top1=1.0)) is None
    assert stop(Epoch(epoch=4, train_loss=2.0, top1=26.0)) is None
    expected = "stopped at epoch 4: top-1 20.4 %, rank 9 of 10 near its cost"
    assert stop(Epoch(epoch=4, train_loss=2.0, top1=20.449)) == expected


def test_a_real_training_is_stopped_among_better_ones_and_goes_on_among_worse_ones() -> None:
    config = dataclasses.replace(landmark("resnet18"), depths=(1, 1, 1, 1))
    digits = load_data("digits", 8)
    recipe = dataclasses.replace(RECIPES["smoke"], epochs=4)
    macs = cost(config).macs
    rungs = rungs_of(recipe)
    better = rung_table(rungs, [(macs, curve(100, 100))] * 3)
    score = train_proxy(config, recipe, digits, device="cpu", stop=stopper(better, macs))
    assert score.state == "stopped" and len(score.curve) == 2
    assert score.reason == f"stopped at epoch 2: top-1 {score.top1:.1f} %, rank 4 of 4 near its cost"
    worse = rung_table(rungs, [(macs, curve(0, 0))] * 3)
    assert train_proxy(config, recipe, digits, device="cpu", stop=stopper(worse, macs)).state == "complete"
