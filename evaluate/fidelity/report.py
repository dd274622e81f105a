"""`Fidelity`: what `evaluate.fidelity.run` measured, as values, JSON, a table for reading and one for a spreadsheet."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate.fidelity.rankings import APART, RATIO, Agreement, agreement, kendall_tau
from evaluate.images.sources import DIGITS
from evaluate.measures.zero_cost import MEASURES, ZeroCost
from evaluate.training.recipe import Recipe
from space.shell.files import write_files
from space.shell.words import amount

SET_NAMES = {"imagenet": "ImageNet", "cifar": "CIFAR-10"}
MACHINERY = "digits show the machinery, not ImageNet"
RANKINGS = ("proxy_top1", "proxy_loss", "train_loss", "macs", "params", *MEASURES)


@dataclass(frozen=True, slots=True)
class SeedScore:
    """One proxy training of one network: complete, or failed with a reason."""

    seed: int
    seconds: float
    top1: float | None  # percent of the held-out images; this and the next two are None if it failed
    loss: float | None  # on the held-out images
    train_loss: float | None  # of the last epoch
    reason: str | None = None  # why it failed


@dataclass(frozen=True, slots=True)
class NetworkFidelity:
    """A landmark: what was published, and what was measured here."""

    name: str
    label: str
    family: str
    macs: int  # at the set's own input size and classes
    params: int
    published_error: float  # top-1, percent
    source: str
    scores: tuple[SeedScore, ...] = ()
    zero_cost: tuple[ZeroCost, ...] = ()

    def mean(self, figure: str) -> float | None:
        """Mean of ``top1``, ``loss`` or ``train_loss`` over the seeds that did not fail; None without one."""
        values = [getattr(score, figure) for score in self.scores if score.reason is None]
        return statistics.fmean(values) if values else None

    def ranked_by(self, ranking: str) -> float | None:
        """The score by which one of `RANKINGS` orders it, more is better; None if it has none."""
        match ranking:
            case "proxy_top1":
                return self.mean("top1")
            case "proxy_loss" | "train_loss":
                loss = self.mean(ranking.removeprefix("proxy_"))
                return None if loss is None else -loss
            case "macs" | "params":
                # Where training failed these are left out too: the baselines are for the same networks.
                return None if self.mean("top1") is None else float(getattr(self, ranking))
            case _:
                return next((score.value for score in self.zero_cost if score.name == ranking), None)


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall clock of one proxy training, over all that were done."""

    median: float
    p90: float
    total: float


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
    rankings: dict[str, Agreement]  # by `RANKINGS`, what has at least one network
    tau_per_seed: tuple[float | None, ...]  # of proxy_top1, as `seeds`
    spread: float | None  # deviation of top-1 over seeds in points, mean over networks; None with one seed
    seconds: Seconds | None  # None before the first training
    date: str

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
        """Plain JSON values; `from_json` gives the same fidelity back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Fidelity:
        """Read `to_json`'s form.

        Raises:
            ValueError: if it is not one.
        """
        try:
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
            return cls(
                **data
                | {
                    "recipe": Recipe.from_json(data["recipe"]),
                    "seeds": tuple(data["seeds"]),
                    "networks": networks,
                    "rankings": {name: Agreement(**values) for name, values in data["rankings"].items()},
                    "tau_per_seed": tuple(data["tau_per_seed"]),
                    "seconds": None if data["seconds"] is None else Seconds(**data["seconds"]),
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"no fidelity report: {error!r}; expected what python -m evaluate fidelity wrote"
            ) from error


def rank_all(networks: tuple[NetworkFidelity, ...]) -> dict[str, Agreement]:
    """The agreement of every one of `RANKINGS` with the published errors, over the networks that have it."""
    rankings = {}
    for name in RANKINGS:
        have = [(value, network) for network in networks if (value := network.ranked_by(name)) is not None]
        if have:
            rankings[name] = agreement(
                [value for value, _ in have],
                [network.published_error for _, network in have],
                [network.macs for _, network in have],
            )
    return rankings


def tau_of_seed(networks: tuple[NetworkFidelity, ...], seed: int) -> float | None:
    """Kendall's tau of the top-1 of one seed alone."""
    have = [
        (score.top1, network.published_error)
        for network in networks
        for score in network.scores
        if score.seed == seed and score.top1 is not None
    ]
    return kendall_tau([top1 for top1, _ in have], [error for _, error in have])


def spread_over_seeds(networks: tuple[NetworkFidelity, ...]) -> float | None:
    """Standard deviation of top-1 over seeds, mean over the networks that have two."""
    deviations = []
    for network in networks:
        values = [score.top1 for score in network.scores if score.top1 is not None]
        if len(values) > 1:
            deviations.append(statistics.stdev(values))
    return statistics.fmean(deviations) if deviations else None


# ---------------------------------------------------------------------------------------------- for reading


def fidelity_text(fidelity: Fidelity) -> str:
    """A table of all rankings with their intervals, and what has to be known beside it."""
    rows = [("ranked by", "networks", "tau", "95 %", "in budget", "95 %", "pairs")]
    for name, each in fidelity.rankings.items():
        rows.append(
            (
                name,
                str(each.networks),
                number(each.tau),
                interval(each.tau_low, each.tau_high),
                number(each.concordance),
                interval(each.concordance_low, each.concordance_high),
                str(each.pairs),
            )
        )
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    count = f"{amount(len(fidelity.seeds), 'seed')}"
    lines = [
        f"fidelity of recipe {fidelity.recipe.name} on {fidelity.data}: "
        f"{amount(len(fidelity.networks), f'{SET_NAMES[fidelity.set]} landmark')}, {count}, {fidelity.device}",
        "",
    ]
    for row in rows:
        cells = [row[0].ljust(wide[0]), *(cell.rjust(width) for cell, width in zip(row[1:], wide[1:], strict=True))]
        lines.append("  ".join(cells))
    lines += [
        "",
        "tau: Kendall's, between score and published error over all pairs; 1 is the same order, 0 none.",
        f"in budget: part in the right order of the pairs whose MACs differ by under {100 * RATIO:.0f} %",
        f"and whose published errors by more than {APART:g} points; guessing gives 0.5.",
        "95 %: bootstrap over networks.",
    ]
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


def _without_value(fidelity: Fidelity) -> dict[str, int]:
    """For each zero-cost score, for how many networks it failed; those without failures are left out."""
    lost = [score.name for network in fidelity.networks for score in network.zero_cost if score.value is None]
    return {name: lost.count(name) for name in dict.fromkeys(lost)}


def number(value: float | None) -> str:
    """A figure with two decimals, or a dash."""
    return "-" if value is None else f"{value:.2f}"


def interval(low: float | None, high: float | None) -> str:
    """An interval with two decimals, or a dash."""
    return "-" if low is None or high is None else f"[{low:.2f}, {high:.2f}]"


def fidelity_csv(fidelity: Fidelity) -> str:
    """One row a network: what was published, its scores and seconds (means over seeds), what failed."""
    rows: list[Mapping[str, object]] = []
    for network in fidelity.networks:
        seconds = [score.seconds for score in network.scores]
        row = {key: getattr(network, key) for key in ("name", "label", "family", "macs", "params", "published_error")}
        row |= {"proxy_top1": network.mean("top1"), "proxy_loss": network.mean("loss")}
        row |= {"train_loss": network.mean("train_loss")} | {name: network.ranked_by(name) for name in MEASURES}
        row["seconds"] = statistics.fmean(seconds) if seconds else None
        row["seeds"] = sum(score.reason is None for score in network.scores)
        row["failed"] = "; ".join(score.reason for score in network.scores if score.reason is not None)
        rows.append(row | {"source": network.source})
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_fidelity(fidelity: Fidelity, directory: Path) -> list[Path]:
    """Write fidelity.json, fidelity.txt and fidelity.csv, each whole or not at all; returns their paths.

    Raises:
        OSError: if one cannot be written.
    """
    files = {
        directory / "fidelity.json": (json.dumps(fidelity.to_json(), indent=1, allow_nan=False) + "\n").encode(),
        directory / "fidelity.txt": (fidelity_text(fidelity) + "\n").encode(),
        directory / "fidelity.csv": fidelity_csv(fidelity).encode(),
    }
    write_files(files)
    return list(files)
