"""The joint Gaussian model of errors: fitted to trained networks, it gives a network's expected error and an interval.

Everything is linear algebra on the covariance of `evaluate.calibration.covariance`; its deviations maximise the
likelihood of the figures times their priors. Same figures, same result: nothing is drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, ndtr, ndtri

from evaluate.calibration.covariance import (
    APART,
    APART_SLOPE,
    LEVEL,
    PARTS,
    Array,
    Prior,
    Rows,
    equal,
    network_parts,
    own_variance,
)
from evaluate.calibration.evidence import Evidence
from evaluate.calibration.fidelities import JITTER, Fidelity, Scores, joint_covariance, network_covariance, weigh

FAMILIAR = 1.0  # length scale of `Forecast.familiarity`, in units of scaled log counts
FIT_ROWS = 200  # the deviations are fitted to at most so many figures, evenly spread; the prediction uses all
BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class Trained:
    """One network trained by one recipe."""

    evidence: Evidence
    error: float  # top-1, percent, above 0 and below 100
    recipe: str
    task: str = ""  # errors of different tasks have levels of their own

    def __post_init__(self) -> None:
        if not 0 < self.error < 100:
            raise ValueError(f"an error of {self.error}: expected percent, above 0 and below 100")


@dataclass(frozen=True, eq=False)
class Forecast:
    """What networks are expected to reach; every array has an entry a network.

    Attributes:
        mean: log-odds of error, for a training by a recipe like most known ones, or by the one that was asked for.
        network: deviation of what is not known of the network itself. Networks trained alike are compared by it.
        deviation: with what an unknown recipe and one training add.
        familiarity: 1 for the counts of a known network of the family, towards 0 far from all of them.
        apart: the same trained by each recipe of another kind: (how often such a recipe is met, mean, deviation).
    """

    mean: Array
    network: Array
    deviation: Array
    familiarity: Array
    apart: tuple[tuple[float, Array, Array], ...] = ()

    @property
    def error(self) -> Array:
        """Top-1 error in percent, the median for a recipe like most known ones."""
        return _percent(self.mean)

    def cautious(self, part: float) -> Array:
        """What the error in percent of the network itself stays below with this probability, if it is trained as usual.

        Unlike `quantile` it leaves out what an unknown recipe adds, which is the same for all: choices go by it.
        """
        return _percent(self.mean + ndtri(part) * self.network)

    def quantile(self, part: float) -> Array:
        """The top-1 error in percent that a training by an unknown recipe stays below with this probability.

        A recipe of another kind is met as often as it is found among the known ones.

        Raises:
            ValueError: unless 0 < part < 1.
        """
        if not 0 < part < 1:
            raise ValueError(f"a part of {part}: expected above 0 and below 1")
        usual = 1 - sum(weight for weight, _, _ in self.apart)
        kinds = [(usual, self.mean, self.deviation), *self.apart]
        low = np.min([mean - 9 * deviation for _, mean, deviation in kinds], axis=0)
        high = np.max([mean + 9 * deviation for _, mean, deviation in kinds], axis=0)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = sum(weight * ndtr((middle - mean) / deviation) for weight, mean, deviation in kinds) < part
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return _percent((low + high) / 2)

    def interval(self, part: float = 0.95) -> tuple[Array, Array]:
        """Its ends in percent of error."""
        return self.quantile((1 - part) / 2), self.quantile((1 + part) / 2)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted model; `fit` makes one."""

    prior: Prior
    deviations: dict[str, float]  # by `PARTS`, in log-odds
    fidelities: tuple[Fidelity, ...]  # one for each kind of score, also those without weight
    rows: Rows
    recipe: NDArray[np.str_]
    task: NDArray[np.str_]
    scored: tuple[tuple[Fidelity, Rows], ...]  # kinds of scores that have a weight
    level: float  # mean log-odds, which the others are relative to
    factor: Array  # Cholesky's, of all figures and scores
    answer: Array  # the covariance's inverse times figures and scores

    @classmethod
    def fit(cls, trained: Sequence[Trained], prior: Prior, scores: Sequence[Scores] = ()) -> Calibration:
        """Fit to trained networks, and weigh scores by them.

        Args:
            trained: the truth; a network may stand there once a recipe.
            prior: how errors are expected to vary.
            scores: of these and of any other networks.

        Raises:
            ValueError: with fewer than two trained networks.
        """
        if len(trained) < 2:
            raise ValueError(f"{len(trained)} trained networks: expected at least two")
        rows = Rows.of([each.evidence for each in trained], prior)
        recipe, task = (
            np.array([getattr(each, name) for each in trained], dtype=np.str_) for name in ("recipe", "task")
        )
        errors = np.array([each.error for each in trained])
        log_odds = np.log(errors / (100 - errors))
        level = float(log_odds.mean())
        parts = _parts(rows, recipe, task, prior)
        chosen = np.unique(np.linspace(0, len(trained) - 1, min(len(trained), FIT_ROWS)).round().astype(int))
        some = {name: part[np.ix_(chosen, chosen)] for name, part in parts.items()}
        deviations = _deviations(some, log_odds[chosen] - level, prior)
        covariance = _sum(parts, deviations)
        apart = np.isin(recipe, sorted(prior.apart))
        fidelities = tuple(weigh(each, rows, covariance, log_odds - level, apart, deviations, prior) for each in scores)
        weighty = [(each, kind) for each, kind in zip(scores, fidelities, strict=True) if kind.weight > 0]
        scored = tuple((kind, Rows.of(each.evidence, prior)) for each, kind in weighty)
        joint = joint_covariance(rows, covariance, scored, deviations) if scored else covariance
        known = np.concatenate([log_odds - level, *(kind.log_odds(each.values) for each, kind in weighty)])
        factor: Array = cholesky(joint, lower=True)
        answer: Array = cho_solve((factor, True), known)
        return cls(prior, deviations, fidelities, rows, recipe, task, scored, level, factor, answer)

    def predict(self, evidence: Sequence[Evidence], task: str = "", recipe: str | None = None) -> Forecast:
        """What networks are expected to reach; microseconds each.

        Args:
            evidence: the networks.
            task: one of those that it was fitted to.
            recipe: one of those that it was fitted to, by which they would be trained; None for an unknown one.

        Raises:
            ValueError: for a task or a recipe without a trained network.
        """
        _check("task", task, self.task)
        here = Rows.of(evidence, self.prior)
        dev = self.deviations
        same_task = (self.task == task).astype(np.float64)
        slopes = dev["task slope"] ** 2 * np.outer(here.size, self.rows.size)
        truth = network_covariance(here, self.rows, dev) + LEVEL**2 + same_task * (LEVEL**2 + slopes)
        with_scores = [kind.weight * network_covariance(here, there, dev) for kind, there in self.scored]
        before = own_variance(here, dev) + 2 * LEVEL**2 + dev["task slope"] ** 2 * here.size**2
        unseen = np.array([name not in self.rows.family for name in here.family.tolist()], dtype=np.float64)
        before = before + unseen * (_few(self.rows.family) - 1) * dev["family"] ** 2

        def by(name: str) -> tuple[Array, Array]:
            """Mean and variance for a training by a known recipe, without noise."""
            level, slope = self._recipe(name)
            effect = (level**2 + slope**2 * np.outer(here.size, self.rows.size)) * (self.recipe == name)
            return self._given(np.hstack([truth + effect, *with_scores]), before + level**2 + slope**2 * here.size**2)

        familiarity = self._familiarity(here)
        if recipe is not None:
            _check("recipe", recipe, self.recipe)
            mean, variance = by(recipe)
            return Forecast(mean, np.sqrt(variance), np.sqrt(variance + dev["noise"] ** 2), familiarity)
        mean, variance = self._given(np.hstack([truth, *with_scores]), before)
        recipes = sorted(set(self.recipe.tolist()))
        apart = [(1 / len(recipes), *by(name)) for name in recipes if name in self.prior.apart]
        unknown = _few(self.recipe) * (dev["recipe"] ** 2 + dev["recipe slope"] ** 2 * here.size**2) + dev["noise"] ** 2
        return Forecast(
            mean,
            np.sqrt(variance),
            np.sqrt(variance + unknown),
            familiarity,
            tuple((weight, there, np.sqrt(spread + dev["noise"] ** 2)) for weight, there, spread in apart),
        )

    def _recipe(self, name: str) -> tuple[float, float]:
        """Deviations of a recipe's level and slope before any of its errors is known."""
        if name in self.prior.apart:
            return APART, APART_SLOPE
        return self.deviations["recipe"], self.deviations["recipe slope"]

    def _given(self, across: Array, before: Array) -> tuple[Array, Array]:
        """Mean and variance, given all that is known: `across` is the covariance with it, `before` the variance."""
        explained = (solve_triangular(self.factor, across.T, lower=True) ** 2).sum(0)
        return self.level + across @ self.answer, np.maximum(before - explained, JITTER)

    def _familiarity(self, here: Rows) -> Array:
        if not len(here.z):
            return np.zeros(0)
        distance = ((here.z[:, None, :] - self.rows.z[None, :, :]) ** 2).sum(2) / FAMILIAR**2
        nearest: Array = (equal(here.family, self.rows.family) * np.exp(-0.5 * distance)).max(1)
        return nearest


def _check(what: str, name: str, known: NDArray[np.str_]) -> None:
    if name not in known:
        raise ValueError(f"{what} {name!r}: expected one of {', '.join(sorted(set(known.tolist())))}")


def _few(names: NDArray[np.str_]) -> float:
    """By how much the variance between few groups may be larger than it seems: that of Student's t to the normal's."""
    groups = max(4, len(set(names.tolist())))
    return (groups - 1) / (groups - 3)


def _percent(log_odds: Array) -> Array:
    percent: Array = 100 * expit(log_odds)
    return percent


def _apart(a: Array, b: Array) -> Array:
    effect: Array = APART**2 + APART_SLOPE**2 * np.outer(a, b)
    return effect


def _parts(rows: Rows, recipe: NDArray[np.str_], task: NDArray[np.str_], prior: Prior) -> dict[str, Array]:
    """(rows, rows) for each of `PARTS`, and under "" what does not depend on a deviation."""
    sizes = np.outer(rows.size, rows.size)
    same_recipe, same_task = equal(recipe, recipe), equal(task, task)
    apart = np.isin(recipe, sorted(prior.apart)).astype(np.float64)
    usual = same_recipe * np.outer(1 - apart, 1 - apart)
    fixed = LEVEL**2 * (1 + same_task) + same_recipe * np.outer(apart, apart) * _apart(rows.size, rows.size)
    return {
        **network_parts(rows, rows),
        "recipe": usual,
        "recipe slope": usual * sizes,
        "task slope": same_task * sizes,
        "noise": np.eye(len(rows.z)),
        "": fixed + JITTER * np.eye(len(rows.z)),
    }


def _sum(parts: dict[str, Array], deviations: dict[str, float]) -> Array:
    return sum((deviations[name] ** 2 * parts[name] for name in PARTS), parts[""].copy())


def _deviations(parts: dict[str, Array], known: Array, prior: Prior) -> dict[str, float]:
    """Those of highest posterior density."""
    typical = np.log([prior.deviations[name][0] for name in PARTS])
    sure = np.array([prior.deviations[name][1] for name in PARTS])

    def penalty(logs: Array) -> tuple[float, Array]:
        """Minus the log posterior, and its gradient."""
        variances = np.exp(2 * logs)
        covariance = parts[""] + sum(variance * parts[name] for variance, name in zip(variances, PARTS, strict=True))
        factor = cholesky(covariance, lower=True)
        inverse = cho_solve((factor, True), np.eye(len(known)))
        answer = inverse @ known
        off = (logs - typical) / sure
        slope = inverse - np.outer(answer, answer)
        gradient = np.array([v * (slope * parts[name]).sum() for v, name in zip(variances, PARTS, strict=True)])
        value = 0.5 * known @ answer + np.log(np.diag(factor)).sum() + 0.5 * off @ off
        return float(value), gradient + off / sure

    bounds = [(middle - 6 * width, middle + 6 * width) for middle, width in zip(typical, sure, strict=True)]
    best = minimize(penalty, typical, jac=True, method="L-BFGS-B", bounds=bounds)
    return {name: math.exp(value) for name, value in zip(PARTS, best.x, strict=True)}
