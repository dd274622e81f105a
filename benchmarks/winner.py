"""Is the network that is chosen from many as good as it is expected to be?

    python -m benchmarks.winner --budget 4.1G --networks 1000 --draws 200 --wilder 1 2 4

Whoever takes the best of many estimates takes those that err on the good side: the winner's curse. Here true errors of
random solved networks, and figures of all published networks by their recipes, are drawn from the model itself, fitted
to the real figures. The model is fitted anew to the drawn figures, a network is chosen, and its true error (by a recipe
like most) is compared with what was expected. Choices go by a quantile of what is not known of the network: 0.5 is the
mean, larger ones are more cautious. With `--wilder` 2 the drawn functions vary twice as much from network to network as
the model believes (its parts near, family near and network): then it is wrong, and a curse may show.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from benchmarks.machine import machine, machine_line
from evaluate.calibration.covariance import APART, APART_SLOPE, PRIORS, Rows
from evaluate.calibration.evidence import Evidence, evidence
from evaluate.calibration.expect import published_calibration, trained_of
from evaluate.calibration.fidelities import network_covariance
from evaluate.calibration.model import Calibration
from evaluate.calibration.truth import TARGETS, published
from space import Budget
from space.shell.files import json_bytes, write_files
from space.shell.tables import align
from space.solving.axes import Target, draw

WILD = ("near", "family near", "network")
QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.975)


def candidates(set_name: str, budget: str, number: int, seed: int) -> list[Evidence]:
    """Random solved networks that spend the whole budget, each once."""
    size, classes = TARGETS[set_name][0]
    target = Target(Budget.parse(budget), "match", size, classes)
    rng = random.Random(seed)
    found: dict[str, Evidence] = {}
    while len(found) < number:
        each = evidence(draw(target, rng)[1].config, size, classes)
        found[each.network] = each
    return list(found.values())


def simulate(
    set_name: str, networks: list[Evidence], draws: int, seed: int, wilder: float = 1
) -> list[dict[str, float]]:
    """A line for each quantile: means over the draws, in points of error."""
    trained, prior = trained_of(published(set_name)), PRIORS[set_name]
    real = published_calibration(set_name)
    task = trained[0].task
    trained = [each for each in trained if each.task == task]
    known = list({each.evidence.network: each.evidence for each in trained}.values())
    everything = Rows.of([*known, *networks], prior)
    drawn = {name: value * (wilder if name in WILD else 1) for name, value in real.deviations.items()}
    covariance = network_covariance(everything, everything, drawn) + 1e-9 * np.eye(len(everything.z))
    factor = np.linalg.cholesky(covariance)
    place = {each.network: number for number, each in enumerate(known)}
    size = everything.size
    usual = (real.deviations["recipe"], real.deviations["recipe slope"])
    rng = np.random.default_rng(seed)
    gaps: list[list[tuple[float, float, float, float]]] = [[] for _ in QUANTILES]
    for _ in range(draws):
        truth = real.level + factor @ rng.standard_normal(len(everything.z))
        effects = {each.recipe: rng.standard_normal(2) for each in trained}
        figures = []
        for each in trained:
            number = place[each.evidence.network]
            apart = each.recipe in prior.apart
            level, slope = effects[each.recipe] * ((APART, APART_SLOPE) if apart else usual)
            noise = real.deviations["noise"] * rng.standard_normal()
            figures.append(
                replace(each, error=float(100 * expit(truth[number] + level + slope * size[number] + noise)))
            )
        forecast = Calibration.fit(figures, prior).predict(networks, task)
        true = truth[len(known) :]
        inside = abs(true - forecast.mean) < ndtri(0.975) * forecast.network
        for number, quantile in enumerate(QUANTILES):
            chosen = int(np.argmin(forecast.mean + ndtri(quantile) * forecast.network))
            reached = 100 * expit(true[chosen])
            gaps[number].append(
                (
                    float(reached - forecast.error[chosen]),
                    float(reached - 100 * expit(true.min())),
                    float(inside[chosen]),
                    float(inside.mean()),
                )
            )
    keys = ("worse_than_expected", "regret", "covered_winner", "covered_all")
    lines = []
    for quantile, found in zip(QUANTILES, gaps, strict=True):
        values = np.array(found)
        line = {"wilder": wilder, "quantile": quantile} | dict(zip(keys, values.mean(0).tolist(), strict=True))
        lines.append(line | {"worse_than_expected_error": float(values[:, 0].std() / np.sqrt(draws))})
    return lines


def text(result: dict[str, Any]) -> str:
    """The table, with what it was made on."""
    rows = [
        [
            f"{line['wilder']:g}",
            f"{line['quantile']:g}",
            f"{line['worse_than_expected']:+.2f} +- {line['worse_than_expected_error']:.2f}",
            f"{line['regret']:.2f}",
            f"{line['covered_winner']:.2f}",
            f"{line['covered_all']:.2f}",
        ]
        for line in result["lines"]
    ]
    heads = ("wilder", "quantile", "worse than expected", "regret", "winner in 95 %", "all in 95 %")
    about = (
        f"the best of {result['networks']} random networks of {result['budget']} ({result['set']}), "
        f"{result['draws']} draws, seed {result['seed']}; points of top-1 error; {result['seconds']:.0f} s"
    )
    return "\n".join([machine_line("cpu"), about, "", align(heads, rows, (0, 1, 2, 3, 4, 5))])


def main() -> None:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(description="The winner's curse of expected errors.")
    parser.add_argument("--set", default="imagenet", choices=list(TARGETS))
    parser.add_argument("--budget", default="4.1G")
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--wilder", type=float, nargs="+", default=[1.0], help="how wrong the model is (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a file without its ending: FILE.json and FILE.txt are written")
    options = parser.parse_args()
    begin = time.perf_counter()
    networks = candidates(options.set, options.budget, options.networks, options.seed)
    lines = [
        line
        for wilder in options.wilder
        for line in simulate(options.set, networks, options.draws, options.seed, wilder)
    ]
    result = {
        "set": options.set, "budget": options.budget, "networks": options.networks, "draws": options.draws,
        "seed": options.seed, "seconds": time.perf_counter() - begin, "machine": machine("cpu"), "lines": lines,
    }  # fmt: skip
    print(text(result))
    if options.out:
        files = {".json": json_bytes(result), ".txt": (text(result) + "\n").encode()}
        write_files({options.out.with_suffix(suffix): content for suffix, content in files.items()})


if __name__ == "__main__":
    main()
