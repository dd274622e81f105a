"""How much each axis of a family decides whether a network is among its best at like cost: Optuna's PED-ANOVA."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator  # loads scikit-learn, which small runs can do without
from optuna.trial import FrozenTrial, TrialState, create_trial

from results.analysis.bootstrap import Floats

LEAST = 20  # networks of a family
MOST = 500  # ... of which so many are taken, drawn at random, if there are more
BEST = 0.1  # the best part, but never less than GOOD networks
GOOD = 5
SHUFFLES = 19  # one in twenty is then above all of them by chance


@dataclass(frozen=True)
class Importance:
    """One axis of a family."""

    axis: str
    value: float  # divergence of the best networks' values from all networks' values; of no unit
    by_chance: float  # the largest that as many shuffles of the scores gave

    @property
    def seen(self) -> bool:
        """Whether it is more than seed variance gave."""
        return self.value > self.by_chance


def importances(
    trials: Sequence[FrozenTrial], scores: Mapping[int, float], family: str, rng: np.random.Generator
) -> tuple[tuple[Importance, ...], int]:
    """The axes of a family, the most important first, and from how many networks that is told.

    Args:
        trials: of the run; those with a score and the parameters of the family's axes count.
        scores: trial number -> how much better than the rule at its cost.
        family: whose parameters are called ``family.axis``.
        rng: all that is random.

    Returns:
        Nothing where there are fewer than `LEAST` networks.
    """
    known = [trial for trial in trials if trial.number in scores and trial.params.get("family") == family]
    if len(known) < LEAST:
        return (), len(known)
    if len(known) > MOST:
        known = [known[place] for place in np.sort(rng.choice(len(known), MOST, replace=False))]
    study = _quiet_study()
    names = [name for name in known[0].params if name.startswith(f"{family}.")]
    study.add_trials([
        create_trial(
            state=TrialState.COMPLETE,
            value=0.0,
            params={name: trial.params[name] for name in names},
            distributions={name: trial.distributions[name] for name in names},
        )
        for trial in known
    ])  # fmt: skip
    worse = -np.array([scores[trial.number] for trial in known])
    found = _evaluate(study, worse)
    by_chance = dict.fromkeys(names, 0.0)
    for _ in range(SHUFFLES):
        for name, value in _evaluate(study, rng.permutation(worse)).items():
            by_chance[name] = max(by_chance[name], value)
    ranked = sorted(names, key=lambda name: -found[name])
    return tuple(Importance(name.removeprefix(f"{family}."), found[name], by_chance[name]) for name in ranked), len(
        known
    )


def _quiet_study() -> optuna.Study:
    """A study in memory; Optuna would say on the screen that it has made one."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="minimize")
    finally:
        optuna.logging.set_verbosity(before)


def _evaluate(study: optuna.Study, worse: Floats) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says of every target that lower is taken for better: it is
        evaluator = PedAnovaImportanceEvaluator(target_quantile=max(BEST, GOOD / len(worse)))
        return evaluator.evaluate(study, target=lambda trial: float(worse[trial.number]))
