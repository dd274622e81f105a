"""Optuna's TPE, which sorts a study's trials once a proposal, not once a parameter. What it proposes is the same.

Where axes are drawn one by one, as with two objectives, Optuna sorts all trials into good and others, and reads all
their values, anew for each axis: at 2,000 trials that is three quarters of what a proposal takes. Two methods that are
not public are overridden, for the versions of Optuna that pyproject.toml allows; `tests/test_tpe.py` compares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials
from optuna.trial import FrozenTrial, TrialState

STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)  # running ones count as bad: constant_liar


class SortingOnce(TPESampler):
    """For one study, asked by one thread; with `constant_liar` and a `gamma` of its own."""

    def __init__(self, **options: Any) -> None:
        """`options` of `TPESampler`."""
        super().__init__(constant_liar=True, **options)
        self._sorted_for: int | None = None  # number of the trial that is being proposed
        self._sides: tuple[list[FrozenTrial], list[FrozenTrial]] = ([], [])
        self._values: dict[
            str, dict[int, float]
        ] = {}  # of an axis, by a trial's number, as Optuna's estimators take it

    def _sample(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        if self._sorted_for != trial.number:
            trials = [
                each
                for each in study._get_trials(deepcopy=False, states=STATES, use_cache=False)
                if each.number != trial.number
            ]
            finished = sum(each.state != TrialState.RUNNING for each in trials)
            assert self._gamma is not None  # it is given
            self._sides = _split_trials(study, trials, self._gamma(finished))
            self._sorted_for = trial.number
        good, others = (
            self._build_parzen_estimator(study, search_space, side, handle_below=place == 0)
            for place, side in enumerate(self._sides)
        )
        candidates = good.sample(self._rng.rng, self._n_ei_candidates)
        best = TPESampler._compare(candidates, self._compute_acquisition_func(candidates, good, others))
        return {name: distribution.to_external_repr(best[name]) for name, distribution in search_space.items()}

    def _get_internal_repr(
        self, trials: list[FrozenTrial], search_space: dict[str, BaseDistribution], study: Study
    ) -> dict[str, NDArray[Any]]:
        if len(search_space) != 1:
            return super()._get_internal_repr(trials, search_space, study)
        [(name, distribution)] = search_space.items()
        known = self._values.setdefault(name, {})
        found = []
        for trial in trials:
            number = trial.number
            if number not in known:
                params = trial.params
                if name not in params:  # drawn just now, or of another family
                    continue
                known[number] = distribution.to_internal_repr(params[name])
            found.append(known[number])
        return {name: np.asarray(found)}
