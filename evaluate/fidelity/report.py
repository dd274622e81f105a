"""`Fidelity`: what `evaluate.fidelity.run` measured, and what follows from it, as values and JSON.

Only what was measured is read back: rankings and regrets are worked out anew wherever they are asked for.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evaluate.fidelity.baselines import BASELINES, baseline_scores, beside
from evaluate.fidelity.network import PROXY, TRAINED, NetworkFidelity, SeedScore
from evaluate.fidelity.rankings import Agreement, agreement, kendall_tau
from evaluate.fidelity.regret import bracket_regret, budget_brackets
from evaluate.measures.zero_cost import MEASURES, ZeroCost
from evaluate.training.recipe import Recipe

RANKINGS = (*TRAINED, *BASELINES, *MEASURES)


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall clock of one proxy training, over all that were done."""

    median: float
    p90: float
    total: float


@dataclass(frozen=True)
class Bracket:
    """Networks of like cost (`evaluate.fidelity.regret`), and by how much worse than the best is what a score picks."""

    networks: tuple[str, ...]  # labels, the cheapest first
    least_macs: int
    most_macs: int
    best: str  # label of the network with the least published error
    least_error: float  # percent
    random: float  # regret of a random choice, points
    regrets: dict[str, float | None]  # by ranking, points; None where a network of the bracket has no score


@dataclass(frozen=True)
class Fidelity:
    """How far the order of proxy scores agrees with the order of published errors."""

    set: str  # imagenet or cifar
    data: str
    data_key: str  # of its content; "" if unknown
    recipe: Recipe
    device: str
    environment: dict[str, str]  # python, torch, processor
    seeds: tuple[int, ...]  # of weights, image order and augmentation; the held-out images are the same
    networks: tuple[NetworkFidelity, ...]
    date: str  # of the last score

    @cached_property
    def scores(self) -> dict[str, dict[str, float]]:
        """For each of `RANKINGS`: a network's name -> its score, more is better.

        Counts and regressions are of the networks that have a proxy score, so that all rank the same ones.
        """
        trained = [each for each in self.networks if each.mean("top1") is not None]
        found = baseline_scores(trained)
        for name in (*TRAINED, *MEASURES):
            found[name] = {each.name: value for each in self.networks if (value := each.ranked_by(name)) is not None}
        return {name: found[name] for name in RANKINGS}

    @cached_property
    def rankings(self) -> dict[str, Agreement]:
        """How every one of `RANKINGS` agrees with the published errors, over the networks that have it."""
        rankings = {}
        for name, scores in self.scores.items():
            have = [each for each in self.networks if each.name in scores]
            if have:
                errors, macs = [each.published_error for each in have], [each.macs for each in have]
                rankings[name] = agreement([scores[each.name] for each in have], errors, macs)
        return rankings

    @cached_property
    def brackets(self) -> tuple[Bracket, ...]:
        """The networks with a proxy score in brackets of like cost, the cheapest first."""
        trained = [each for each in self.networks if each.name in self.scores[PROXY]]
        brackets = budget_brackets([each.macs for each in trained])
        return tuple(_bracket([trained[number] for number in bracket], self.scores) for bracket in brackets)

    @property
    def regrets(self) -> dict[str, float | None]:
        """Mean regret of each of `RANKINGS` over the brackets in points; None where it has none."""
        means = {}
        for name in RANKINGS:
            values = [value for bracket in self.brackets if (value := bracket.regrets[name]) is not None]
            means[name] = statistics.fmean(values) if values else None
        return means

    @property
    def beside(self) -> str | None:
        """How the best of the counts ranks the same networks, in words; None without a proxy score."""
        return beside(self.rankings[PROXY], self.rankings, self.regrets) if PROXY in self.rankings else None

    @property
    def tau_per_seed(self) -> tuple[float | None, ...]:
        """Of the top-1 of each seed alone, as `seeds`."""
        return tuple(_tau_of_seed(self.networks, seed) for seed in self.seeds)

    @property
    def spread(self) -> float | None:
        """Deviation of top-1 over seeds in points, mean over the networks that have two; None without one."""
        scores = [[score.top1 for score in each.scores if score.top1 is not None] for each in self.networks]
        deviations = [statistics.stdev(values) for values in scores if len(values) > 1]
        return statistics.fmean(deviations) if deviations else None

    @property
    def seconds(self) -> Seconds | None:
        """Of the trainings; None before the first."""
        times = [score.seconds for each in self.networks for score in each.scores]
        if not times:
            return None
        p90 = statistics.quantiles(times, n=10, method="inclusive")[-1] if len(times) > 1 else times[0]
        return Seconds(statistics.median(times), p90, sum(times))

    @property
    def failed(self) -> list[str]:
        """What failed and why, a line each."""
        return [
            f"{network.label}, seed {score.seed}: {score.reason}"
            for network in self.networks
            for score in network.scores
            if score.reason is not None
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: what was measured, and for other readers what follows from it."""
        return dataclasses.asdict(self) | {
            "rankings": {name: each.to_json() for name, each in self.rankings.items()},
            "regrets": self.regrets,
            "brackets": [dataclasses.asdict(bracket) for bracket in self.brackets],
            "beside": self.beside,
            "tau_per_seed": list(self.tau_per_seed),
            "spread": self.spread,
            "seconds": None if self.seconds is None else dataclasses.asdict(self.seconds),
        }

    @classmethod
    def from_json(cls, data: Any) -> Fidelity:
        """What was measured, from `to_json`'s form; the rest of it is worked out anew.

        Raises:
            ValueError: if it is no such form.
        """
        try:
            measured = {field.name: data[field.name] for field in dataclasses.fields(cls)}
            networks = tuple(
                NetworkFidelity(
                    **row
                    | {
                        "scores": tuple(SeedScore(**score) for score in row["scores"]),
                        "zero_cost": tuple(ZeroCost(**score) for score in row["zero_cost"]),
                    }
                )
                for row in data["networks"]
            )
            recipe, seeds = Recipe.from_json(data["recipe"]), tuple(data["seeds"])
            return cls(**measured | {"recipe": recipe, "seeds": seeds, "networks": networks})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"no fidelity report: {error!r}; expected what python -m evaluate fidelity wrote"
            ) from error


def _bracket(networks: Sequence[NetworkFidelity], scores: Mapping[str, Mapping[str, float]]) -> Bracket:
    errors, everyone = [each.published_error for each in networks], tuple(range(len(networks)))
    best = min(networks, key=lambda each: each.published_error)
    regrets: dict[str, float | None] = {}
    for name, of_network in scores.items():
        values = [of_network[each.name] for each in networks if each.name in of_network]
        regrets[name] = bracket_regret(values, errors, everyone) if len(values) == len(networks) else None
    return Bracket(
        networks=tuple(each.label for each in networks),
        least_macs=networks[0].macs,
        most_macs=networks[-1].macs,
        best=best.label,
        least_error=best.published_error,
        random=bracket_regret([0.0] * len(networks), errors, everyone),
        regrets=regrets,
    )


def _tau_of_seed(networks: tuple[NetworkFidelity, ...], seed: int) -> float | None:
    have = [
        (score.top1, network.published_error)
        for network in networks
        for score in network.scores
        if score.seed == seed and score.top1 is not None
    ]
    return kendall_tau([top1 for top1, _ in have], [error for _, error in have])
