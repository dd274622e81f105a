"""`Expectations`: what the networks of a run are expected to reach, from their counts and the run's raw scores.

They are derived: the study keeps the raw scores, and what is worked out from them is worked out anew when there is more
evidence. A proxy's score counts as far as it orders the published networks that the run has trained
(`evaluate.calibration.fidelities`); where it has no weight, as most have not, more of them change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from evaluate.calibration.covariance import PRIORS
from evaluate.calibration.evidence import Evidence, evidence
from evaluate.calibration.expect import published_calibration, target_set, trained_of
from evaluate.calibration.fidelities import Scores
from evaluate.calibration.model import Calibration
from evaluate.calibration.truth import published
from search.records import Expected
from search.run.settings import Settings
from space import Config, config_from_json

CAUTION = 0.8  # the quantile that a search goes by: benchmarks.winner, whose table is in docs/expected.md
GROWTH = 1.1  # all is worked out anew when there are so many times as many scores as the last time
EXPECTED = "expected"  # the study's attribute that keeps what was worked out anew, by configuration
COUNTS, BOTH = "counts", "counts, proxy"  # what an expectation follows from
_DIGITS = 4


class Expectations:
    """The calibration of one target, and what of a run it has learned."""

    def __init__(self, input_size: int, classes: int) -> None:
        """Begin with the published networks alone.

        Raises:
            ValueError: for a target without published errors.
        """
        self.set = target_set(input_size, classes)
        self._at = (input_size, classes)
        self._model = published_calibration(self.set)
        self._known: dict[str, Evidence] = {}  # by the configuration's id
        self._scores = 0  # that the model was fitted to

    def of(self, configs: Sequence[Config]) -> list[Expected]:
        """What networks are expected to reach; some 100 microseconds each, most of them for counting.

        Raises:
            ValueError: if the target's images are too small for a network.
        """
        if not configs:
            return []
        found = [self._evidence(config) for config in configs]
        forecast = self._model.predict(found, str(self._at[1]))
        low, high = forecast.interval()
        columns = [forecast.error, low, high, forecast.cautious(CAUTION), forecast.familiarity]
        rounded = np.stack(columns, axis=1).round(_DIGITS).tolist()
        scored = set(self._model.scored[0][1].network.tolist()) if self._model.scored else set()
        return [
            Expected(error, least, most, cautious, familiarity, BOTH if each.network in scored else COUNTS)
            for each, (error, least, most, cautious, familiarity) in zip(found, rounded, strict=True)
        ]

    @property
    def weight(self) -> float:
        """What the proxies' scores are worth, as far as the published networks among them tell; 0: nothing."""
        return self._model.fidelities[0].weight if self._model.fidelities else 0.0

    def learn(self, trials: Sequence[FrozenTrial], settled: bool = False) -> bool:
        """Fit the model to all scores of a run, if there are enough new ones.

        Args:
            trials: of the run.
            settled: whether any new score is enough.

        Returns:
            Whether any expectation may have changed.
        """
        scored = [trial.user_attrs for trial in trials if _scored(trial)]
        if len(scored) <= self._scores or (len(scored) < GROWTH * self._scores and not settled):
            return False
        before, self._scores = self.weight, len(scored)
        networks = tuple(self._stored(each) for each in scored)
        proxies = Scores("proxy", networks, tuple(float(each["score"]["top1"]) for each in scored))
        self._model = Calibration.fit(trained_of(published(self.set)), PRIORS[self.set], [proxies])
        return before > 0 or self.weight > 0

    def _evidence(self, config: Config) -> Evidence:
        if config.id not in self._known:
            self._known[config.id] = evidence(config, *self._at)
        return self._known[config.id]

    def _stored(self, attributes: Mapping[str, Any]) -> Evidence:
        known = self._known.get(attributes["config_id"])
        return known or self._evidence(config_from_json(attributes["config"]))


def expectations_of(settings: Settings) -> Expectations | None:
    """Those of a run; None where there is no published truth, or where the input size differs from network to network.

    Raises:
        ValueError: if the run is to go by expected errors all the same.
    """
    if settings.sweep is not None:
        return None
    try:
        return Expectations(settings.input_size, settings.classes)
    except ValueError:
        if settings.score == "expected":
            raise
        return None


def _scored(trial: FrozenTrial) -> bool:
    """Whether it is a training of its own that came to its end."""
    own = "duplicate_of" not in trial.user_attrs and "resolution" not in trial.user_attrs
    return trial.state == TrialState.COMPLETE and own and "score" in trial.user_attrs
