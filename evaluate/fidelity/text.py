"""A `Fidelity` as tables for reading and for a spreadsheet, and as files."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Mapping
from pathlib import Path

from evaluate.fidelity.baselines import REGRESSIONS, interval, number
from evaluate.fidelity.rankings import APART, RATIO
from evaluate.fidelity.report import Fidelity
from evaluate.images.sources import DIGITS
from evaluate.measures.counts import COUNTS
from evaluate.measures.zero_cost import MEASURES
from space.shell.files import write_files
from space.shell.tables import align
from space.shell.words import amount, capital

SET_NAMES = {"imagenet": "ImageNet", "cifar": "CIFAR-10"}
MACHINERY = "digits show the machinery, not ImageNet"
TITLES = {"regression_network": "regression, network unseen", "regression_family": "regression, family unseen"}
LEGEND = (
    "tau: Kendall's, between score and published error over all pairs; 1 is the same order, 0 none.",
    f"in budget: part in the right order of the pairs whose MACs differ by under {100 * RATIO:.0f} %",
    f"and whose published errors by more than {APART:g} points; guessing gives 0.5.",
    "95 %: bootstrap over networks.",
    f"regret: in a bracket of like cost (within {100 * RATIO:.0f} %), the published error of the network with",
    "the highest score, less the least one there; in points, the mean over brackets.",
    "activations: output elements of convolutions; depth: weight layers. regression: of log error on the logs of",
    "macs, params, activations and depth, without the network, or without its family.",
)


def fidelity_text(fidelity: Fidelity) -> str:
    """Tables of all rankings with their intervals and regrets, and what has to be known beside them."""
    count = f"{amount(len(fidelity.seeds), 'seed')}"
    lines = [
        f"fidelity of recipe {fidelity.recipe.name} on {fidelity.data}: "
        f"{amount(len(fidelity.networks), f'{SET_NAMES[fidelity.set]} landmark')}, {count}, {fidelity.device}",
        *([f"{capital(fidelity.beside)}."] if fidelity.beside else []),
        "",
        _rankings_table(fidelity),
        "",
        *([_regrets_table(fidelity), ""] if fidelity.brackets else []),
        *LEGEND,
    ]
    if fidelity.brackets:
        random = statistics.fmean(bracket.random for bracket in fidelity.brackets)
        lines.append(f"regret of a random choice: {number(random)} ({amount(len(fidelity.brackets), 'bracket')})")
    if len(fidelity.seeds) > 1:
        each_tau = ", ".join(number(tau) for tau in fidelity.tau_per_seed)
        spread = "unknown" if fidelity.spread is None else f"{fidelity.spread:.2f} points"
        lines.append(f"tau of each seed alone: {each_tau}; top-1's deviation over seeds: {spread} (mean over networks)")
    if fidelity.seconds is not None:
        time = fidelity.seconds
        lines.append(f"seconds a training: median {time.median:.1f}, p90 {time.p90:.1f}, all {time.total:.0f}")
    if failed := fidelity.failed:
        trainings = sum(len(network.scores) for network in fidelity.networks)
        lines.append(f"{len(failed)} of {trainings} trainings failed and are left out: {'; '.join(failed)}")
    if without := [f"{name} ({lost})" for name, lost in _without_value(fidelity).items()]:
        lines.append(f"zero-cost scores without a value, by number of networks: {', '.join(without)}")
    if fidelity.data == DIGITS:
        lines.append(MACHINERY)
    return "\n".join(lines)


def _rankings_table(fidelity: Fidelity) -> str:
    heads = ("ranked by", "networks", "tau", "95 %", "in budget", "95 %", "pairs", "regret")
    regrets = fidelity.regrets
    rows = [
        (
            TITLES.get(name, name),
            str(each.networks),
            number(each.tau),
            interval(each.tau_low, each.tau_high),
            number(each.concordance),
            interval(each.concordance_low, each.concordance_high),
            str(each.pairs),
            number(regrets[name]),
        )
        for name, each in fidelity.rankings.items()
    ]
    return align(heads, rows, range(1, len(heads)))


def _regrets_table(fidelity: Fidelity) -> str:
    """A column a bracket: its multiply-adds in billions, its networks, the best of them, each ranking's regret."""
    brackets = fidelity.brackets
    heads = ("regret by GMACs", *(f"{b.least_macs / 1e9:.3g}-{b.most_macs / 1e9:.3g}" for b in brackets))
    rows: list[tuple[str, ...]] = [
        ("(networks)", *(str(len(bracket.networks)) for bracket in brackets)),
        ("(least error, %)", *(number(bracket.least_error) for bracket in brackets)),
        ("a random choice", *(number(bracket.random) for bracket in brackets)),
    ]
    for name in fidelity.rankings:
        rows.append((TITLES.get(name, name), *(number(bracket.regrets[name]) for bracket in brackets)))
    return align(heads, rows, range(1, len(heads)))


def _without_value(fidelity: Fidelity) -> dict[str, int]:
    """For each zero-cost score, for how many networks it failed; those without failures are left out."""
    lost = [score.name for network in fidelity.networks for score in network.zero_cost if score.value is None]
    return {name: lost.count(name) for name in dict.fromkeys(lost)}


def fidelity_csv(fidelity: Fidelity) -> str:
    """One row a network: what was published, its scores and seconds (means over seeds), what failed."""
    rows: list[Mapping[str, object]] = []
    for network in fidelity.networks:
        seconds = [score.seconds for score in network.scores]
        row = {key: getattr(network, key) for key in ("name", "label", "family", *COUNTS, "published_error")}
        row |= {"proxy_top1": network.mean("top1"), "proxy_loss": network.mean("loss")}
        row |= {"train_loss": network.mean("train_loss")}
        predicted = {name: fidelity.scores[name].get(network.name) for name in REGRESSIONS}
        row |= {name: None if score is None else -score for name, score in predicted.items()}  # percent of errors
        row |= {name: fidelity.scores[name].get(network.name) for name in MEASURES}
        row["seconds"] = statistics.fmean(seconds) if seconds else None
        row["seeds"] = sum(score.reason is None for score in network.scores)
        row["failed"] = "; ".join(score.reason for score in network.scores if score.reason is not None)
        rows.append(row | {"source": network.source})
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def fidelity_files(fidelity: Fidelity, path: Path) -> dict[Path, bytes]:
    """The content of the report as JSON, text and CSV, by `path` with these endings."""
    return {
        path.with_suffix(".json"): (json.dumps(fidelity.to_json(), indent=1, allow_nan=False) + "\n").encode(),
        path.with_suffix(".txt"): (fidelity_text(fidelity) + "\n").encode(),
        path.with_suffix(".csv"): fidelity_csv(fidelity).encode(),
    }


def write_fidelity(fidelity: Fidelity, directory: Path) -> list[Path]:
    """Write fidelity.json, fidelity.txt and fidelity.csv, each whole or not at all; returns their paths.

    Raises:
        OSError: if one cannot be written.
    """
    files = fidelity_files(fidelity, directory / "fidelity")
    write_files(files)
    return list(files)
