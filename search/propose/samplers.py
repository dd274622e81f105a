"""Optuna's samplers over the axes of the space, on studies in memory.

The storage keeps what has been finished; the samplers learn here, where a question costs no commit. Samplers that
learn have a small study that chooses the family, and for every family a study of its own axes: flat spaces. In one
study of conditional axes Optuna's NSGA-II and Gaussian processes would draw the axes at random, and TPE learns more
slowly (`benchmarks.search_quality` compares the samplers as they are here).
"""

from __future__ import annotations

import hashlib
import math
import random
import warnings
from collections.abc import Callable, Mapping
from typing import Protocol

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial
from scipy.stats import qmc

from search.propose.tpe import SortingOnce
from search.records import Outcome
from search.run.parameters import LATENCY, TRIAL_STATES, distributions, parameters, suggest
from space.solving.axes import Target, Value, axes

Given = tuple[str, dict[str, Value]]  # a family and the values of its axes
Handle = tuple[optuna.Trial, ...]  # what a question left open


class Space(Protocol):
    """Draws networks as a family and the values of its axes, and learns what came out of them."""

    def ask(self, given: Given | None) -> tuple[Handle, str, dict[str, Value]]:
        """Draw one, or take the one that is given."""

    def tell(self, handle: Handle, outcome: Outcome) -> None:
        """What came out of the one that was drawn."""

    def add(self, outcome: Outcome) -> None:
        """What came out of one that was not drawn here; it has values."""


def space_for(sampler: str, families: tuple[str, ...], target: Target, seed: int, begin: int) -> Space:
    """The space as a sampler sees it.

    Args:
        sampler: one of `search.run.settings.SAMPLERS`.
        families: to draw from.
        target: what the budget is counted at.
        seed: with `begin` it decides all that is random.
        begin: how many networks were drawn before.
    """

    def seeded(part: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{seed}/{begin}/{part}".encode()).digest()[:4], "big")

    directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE][: 2 if target.mode == "frontier" else 1]
    if sampler == "qmc":
        return _Grid(families, target, seed, begin)
    if sampler == "random":
        return _Even(families, target, seeded(""))
    return _Split(families, target, lambda part: _make(sampler, seeded(part)), directions, seeded(""))


class _Joint:
    """One study for some families; the axes depend on the family."""

    def __init__(
        self, families: tuple[str, ...], target: Target, sampler: BaseSampler, directions: list[StudyDirection]
    ) -> None:
        self.families, self.target = families, target
        self.study = optuna.create_study(directions=directions, sampler=sampler)

    def ask(self, given: Given | None) -> tuple[Handle, str, dict[str, Value]]:
        if given:
            self.study.enqueue_trial(parameters(*given))
        trial = self.study.ask()
        family, values = suggest(trial, self.families, self.target)
        return (trial,), family, values

    def tell(self, handle: Handle, outcome: Outcome) -> None:
        (trial,) = handle
        _tell(self.study, trial, outcome)

    def add(self, outcome: Outcome) -> None:
        assert outcome.values is not None
        spaces = distributions(self.families, outcome.family, self.target)
        self.study.add_trial(_trial(outcome, parameters(outcome.family, outcome.values), spaces))


class _Split:
    """A study that chooses the family (by TPE), and one for each family's axes: flat spaces."""

    def __init__(
        self,
        families: tuple[str, ...],
        target: Target,
        make: Callable[[str], BaseSampler],
        directions: list[StudyDirection],
        seed: int,
    ) -> None:
        self.families = families
        self.choice = optuna.create_study(directions=directions, sampler=_make("tpe", seed))
        self.parts = {family: _Joint((family,), target, make(family), directions) for family in families}

    def ask(self, given: Given | None) -> tuple[Handle, str, dict[str, Value]]:
        if given:
            self.choice.enqueue_trial({"family": given[0]})
        choice = self.choice.ask()
        family = str(choice.suggest_categorical("family", list(self.families)))
        handle, _, values = self.parts[family].ask(given)
        return (choice, *handle), family, values

    def tell(self, handle: Handle, outcome: Outcome) -> None:
        choice, trial = handle
        _tell(self.choice, choice, outcome)
        self.parts[outcome.family].tell((trial,), outcome)

    def add(self, outcome: Outcome) -> None:
        spaces = {"family": CategoricalDistribution(list(self.families))}
        self.choice.add_trial(_trial(outcome, {"family": outcome.family}, spaces))
        self.parts[outcome.family].add(outcome)


class _Even:
    """Each family as often as the others, each value of an axis as likely as the others; nothing is learned."""

    def __init__(self, families: tuple[str, ...], target: Target, seed: int) -> None:
        self.families, self.target, self._rng = families, target, random.Random(seed)

    def ask(self, given: Given | None) -> tuple[Handle, str, dict[str, Value]]:
        if given:
            return (), *given
        family = self._rng.choice(self.families)
        return (), family, {axis.name: axis.draw(self._rng) for axis in axes(family, self.target)}

    def tell(self, handle: Handle, outcome: Outcome) -> None:
        """Nothing to learn."""

    def add(self, outcome: Outcome) -> None:
        """Nothing to learn."""


class _Grid:
    """A low-discrepancy sequence (scrambled Sobol) for each family, the families in turn; nothing is learned."""

    def __init__(self, families: tuple[str, ...], target: Target, seed: int, begin: int) -> None:
        self.families, self.target, self.index = families, target, begin
        self.points = {
            family: qmc.Sobol(len(axes(family, target)), scramble=True, rng=seed + place)
            for place, family in enumerate(families)
        }
        for place, family in enumerate(families):
            if drawn := len(range(place, begin, len(families))):
                self.points[family].fast_forward(drawn)

    def ask(self, given: Given | None) -> tuple[Handle, str, dict[str, Value]]:
        if given:
            return (), *given
        family = self.families[self.index % len(self.families)]
        self.index += 1
        (point,) = self.points[family].random(1)
        own = axes(family, self.target)
        return (), family, {axis.name: axis.at(float(u)) for axis, u in zip(own, point, strict=True)}

    def tell(self, handle: Handle, outcome: Outcome) -> None:
        """Nothing to learn."""

    def add(self, outcome: Outcome) -> None:
        """Nothing to learn."""


def _tell(study: optuna.Study, trial: optuna.Trial, outcome: Outcome) -> None:
    if outcome.violation is not None:
        trial.set_constraint(LATENCY, outcome.violation)
    if outcome.state == "complete":
        study.tell(trial, outcome.objectives)
    else:
        study.tell(trial, state=TRIAL_STATES[outcome.state])


def _trial(outcome: Outcome, params: Mapping[str, Value], spaces: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """An outcome as Optuna takes it where it has not asked."""
    return create_trial(
        state=TRIAL_STATES[outcome.state],
        values=outcome.objectives if outcome.state == "complete" else None,
        params=dict(params),
        distributions=dict(spaces),
        constraints=None if outcome.violation is None else {LATENCY: outcome.violation},
    )


def _good(trials: int) -> int:
    """How many trials TPE takes for good ones: Optuna's own rule for one objective, for two objectives as well.

    Without the limit, which counts from 250 trials on, choosing them is what a run of 2,000 networks waits for.
    """
    return min(math.ceil(0.1 * trials), 25)


def _make(sampler: str, seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", FutureWarning)  # gamma goes away in Optuna 6
        match sampler:
            case "tpe":
                return SortingOnce(gamma=_good, seed=seed)
            case "nsga2":
                return NSGAIISampler(population_size=10, seed=seed)
            case _:
                return GPSampler(seed=seed)
