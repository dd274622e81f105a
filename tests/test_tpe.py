"""TPE that sorts once a proposal proposes what Optuna's own does, and sorts once a proposal."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import optuna
import pytest
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState

from search.propose import tpe
from search.propose.samplers import _good
from search.propose.tpe import SortingOnce


def plain(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return TPESampler(gamma=_good, constant_liar=True, seed=seed)


def once(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SortingOnce(gamma=_good, seed=seed)


def proposals(make: Callable[[int], BaseSampler], directions: list[str], count: int = 60) -> list[dict[str, object]]:
    """What is drawn where several are out at the same time, and some fail, are stopped or break a limit."""
    study = optuna.create_study(directions=directions, sampler=make(3))
    rng = random.Random(0)
    out: list[optuna.Trial] = []
    drawn = []
    for number in range(count):
        trial = study.ask()
        trial.suggest_int("depth", 1, 40, log=True)
        if trial.suggest_categorical("block", ["basic", "bottleneck"]) == "bottleneck":
            trial.suggest_float("ratio", 0.1, 1.0)
        trial.suggest_float("width", 1.0, 3.0)
        drawn.append(dict(trial.params))
        out.append(trial)
        while len(out) > (3 if number < count // 2 else 1):
            ended = out.pop(rng.randrange(len(out)))
            if number % 7 == 3:
                study.tell(ended, state=TrialState.FAIL)
            elif number % 5 == 2:
                study.tell(ended, state=TrialState.PRUNED)
            else:
                ended.set_constraint("latency", rng.uniform(-1, 0.3))
                study.tell(ended, [ended.params["width"] + rng.random(), ended.params["depth"]][: len(directions)])
    return drawn


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("directions", [["maximize", "minimize"], ["maximize"]])
def test_it_proposes_what_optunas_own_does(directions: list[str]) -> None:
    found = proposals(once, directions)
    assert found == proposals(plain, directions)
    assert len({str(each) for each in found}) > 50


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_it_sorts_once_a_proposal(monkeypatch: pytest.MonkeyPatch) -> None:
    sorted_for: list[int] = []
    split = tpe._split_trials
    monkeypatch.setattr(tpe, "_split_trials", lambda study, trials, count: (
        sorted_for.append(len(trials)) or split(study, trials, count)  # type: ignore[func-returns-value]
    ))  # fmt: skip
    proposals(once, ["maximize", "minimize"])
    assert 40 <= len(sorted_for) <= 50, "the first ones are drawn at random"
