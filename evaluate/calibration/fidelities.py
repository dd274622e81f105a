"""Scores of networks as further fidelities of the one function that the truth is: how much each is worth.

A score (the accuracy of a proxy, a measure of the untrained network) is read as

    score = weight x (what makes the network better or worse) + something of its own + noise

after Kennedy and O'Hagan (2000, Biometrika 87(1)). What is its own varies over the networks as the truth does: a trend
in the counts, a level for each family. So a score that only grows with the counts, or that favours a family, adds
nothing to what the counts say; what it adds is the order of networks that the counts cannot tell apart. The weight is
found on the networks that have both, a score and a published error. It is never negative, and it is zero unless the
figures are `EVIDENCE` times as likely with it: a score that orders the known networks badly has no say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize

from evaluate.calibration.covariance import LEVEL, NETWORK_PARTS, Array, Prior, Rows, network_parts
from evaluate.calibration.evidence import Evidence

LEAST = 8  # networks with both, a score and a truth: fewer say nothing about the weight
EVIDENCE = math.exp(2)
WEIGHT, OWN, NOISE = 0.7, (1.0, 0.7), (0.05, 1.0)  # deviation of the weight; (typical value, deviation of its log)
FREE = 3.0  # a score's own trend and its favour for families vary so many times as much as the truth's
JITTER = 1e-9


@dataclass(frozen=True)
class Scores:
    """One kind of score of several networks; more is better. The same network may stand there several times."""

    name: str
    evidence: tuple[Evidence, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.evidence) != len(self.values):
            raise ValueError(
                f"{len(self.evidence)} networks and {len(self.values)} values of {self.name}: expected one each"
            )
        if not all(map(math.isfinite, self.values)):
            raise ValueError(f"a value of {self.name} is not finite: leave out the networks that failed")


@dataclass(frozen=True)
class Fidelity:
    """What a kind of score is worth, and how its values become log-odds of error."""

    name: str
    weight: float  # 0: nothing; 1: a change of it says as much as the same change of the truth
    own: float  # deviation of what is its own, as a part of the truth's
    noise: float  # deviation in log-odds
    centre: float
    unit: float  # log-odds a unit of score

    def log_odds(self, values: Sequence[float]) -> Array:
        """Scores on the scale of the truth, better ones lower."""
        scaled: Array = (self.centre - np.asarray(values, dtype=np.float64)) * self.unit
        return scaled


def network_covariance(a: Rows, b: Rows, deviations: dict[str, float]) -> Array:
    """(a, b): how what makes networks better or worse varies together."""
    parts = network_parts(a, b)
    total: Array = sum((deviations[part] ** 2 * parts[part] for part in NETWORK_PARTS), np.zeros((len(a.z), len(b.z))))
    return total


def own_covariance(a: Rows, b: Rows, deviations: dict[str, float], fidelity: Fidelity) -> Array:
    """(a, b): how what is the score's own varies together, without noise."""
    free = {part: FREE * deviations[part] for part in ("trend", "bend", "family")}
    own: Array = LEVEL**2 + fidelity.own**2 * network_covariance(a, b, deviations | free | {"network": 0.0})
    return own


def weigh(
    scores: Scores,
    rows: Rows,
    covariance: Array,
    log_odds: Array,
    apart: NDArray[np.bool_],
    deviations: dict[str, float],
    prior: Prior,
) -> Fidelity:
    """Find what a kind of score is worth on the networks whose truth is known.

    Args:
        scores: of any networks.
        rows: the networks whose truth is known, a row a figure.
        covariance: of their figures, with noise.
        log_odds: the figures, less their mean.
        apart: whether a figure is of a recipe of another kind.
        deviations: of the fitted truth.
        prior: by which they were scaled.
    """
    names = rows.network.tolist()
    known = {name: log_odds[number] for number, name in enumerate(names)}
    known |= {name: log_odds[number] for number, name in enumerate(names) if not apart[number]}
    both = [number for number, each in enumerate(scores.evidence) if each.network in known]
    values = np.array([scores.values[number] for number in both])
    nothing = Fidelity(scores.name, 0.0, 1.0, 1.0, 0.0, 0.0)
    networks = {scores.evidence[number].network for number in both}
    if len(networks) < LEAST or np.ptp(values) < 1e-9 * max(1.0, float(abs(values).max())):
        return nothing
    spread = float(np.std([known[network] for network in sorted(networks)]))
    centre, unit = float(values.mean()), spread / float(values.std())
    here = Rows.of([scores.evidence[number] for number in both], prior)
    scaled = (centre - values) * unit
    y = np.concatenate([log_odds, scaled])
    shared, across = network_covariance(here, here, deviations), network_covariance(rows, here, deviations)
    free = own_covariance(here, here, deviations, nothing) - LEVEL**2
    seen = len(log_odds)

    def penalty(weight: float, own: float, noise: float) -> float:
        """Minus the log of how likely all figures and scores are."""
        joint = np.empty((len(y), len(y)))
        joint[:seen, :seen] = covariance
        joint[:seen, seen:], joint[seen:, :seen] = weight * across, weight * across.T
        joint[seen:, seen:] = weight**2 * shared + LEVEL**2 + math.exp(2 * own) * free
        joint[np.arange(seen, len(y)), np.arange(seen, len(y))] += math.exp(2 * noise) + JITTER
        factor = cholesky(joint, lower=True)
        surprise = 0.5 * y @ cho_solve((factor, True), y) + np.log(np.diag(factor)).sum()
        priors = [(own - math.log(OWN[0])) / OWN[1], (noise - math.log(NOISE[0])) / NOISE[1], weight / WEIGHT]
        return float(surprise + 0.5 * sum(each**2 for each in priors))

    start = [math.log(OWN[0]), math.log(NOISE[0])]
    limits = [(-4.0, 3.0), (-7.0, 2.0)]
    without = minimize(lambda x: penalty(0.0, *x), start, method="L-BFGS-B", bounds=limits)
    best = minimize(lambda x: penalty(*x), [0.5, *without.x], method="L-BFGS-B", bounds=[(0.0, 3.0), *limits])
    weight, own, noise = map(float, best.x)
    if without.fun - best.fun < math.log(EVIDENCE):
        return nothing
    return Fidelity(scores.name, weight, math.exp(own), math.exp(noise), centre, unit)


def joint_covariance(
    rows: Rows, covariance: Array, scored: Sequence[tuple[Fidelity, Rows]], deviations: dict[str, float]
) -> Array:
    """The covariance of the truth's figures and of all scores that have a weight, in this order."""
    blocks = [[covariance, *(each.weight * network_covariance(rows, there, deviations) for each, there in scored)]]
    for number, (each, here) in enumerate(scored):
        line = [blocks[0][number + 1].T]
        for other, (another, there) in enumerate(scored):
            block = each.weight * another.weight * network_covariance(here, there, deviations)
            if number == other:
                block = block + own_covariance(here, here, deviations, each)
                block = block + (each.noise**2 + JITTER) * np.eye(len(here.z))
            line.append(block)
        blocks.append(line)
    joint: Array = np.block(blocks)
    return joint
