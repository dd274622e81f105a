"""What is known of a recipe's fidelity on some data, from runs on this machine and from measurements that are shipped.

``shipped.json`` beside this file is a list of what `summary` gives.
"""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate.fidelity.baselines import BASELINES, beside, interval, number
from evaluate.fidelity.network import PROXY
from evaluate.fidelity.rankings import Agreement
from evaluate.fidelity.report import Fidelity
from evaluate.fidelity.text import SET_NAMES
from evaluate.training.recipe import Recipe
from space.shell.reading import read_text
from space.shell.words import amount

RUNS = Path("runs/fidelity")
_REPEATED = (PROXY, *BASELINES)
SHIPPED = Path(__file__).with_name("shipped.json")
UNKNOWN = "fidelity unknown: type python -m evaluate fidelity --data … --recipe …"


@dataclass(frozen=True, slots=True)
class KnownFidelity:
    """The figures of one fidelity run that a search repeats."""

    set: str  # imagenet or cifar
    data: str
    data_key: str
    recipe: Recipe
    device: str
    processor: str
    seeds: int
    rankings: dict[str, Agreement]  # by the proxy's top-1, and by each of `BASELINES` for the same networks
    regrets: dict[str, float | None]  # of these; points, mean over the brackets of like cost
    brackets: int
    date: str

    @property
    def proxy_top1(self) -> Agreement:
        """By the proxy's top-1."""
        return self.rankings[PROXY]

    def sentence(self) -> str:
        """The figures with their intervals, and what the best of the exact counts gives without any training."""
        ours = self.proxy_top1
        seeds = f"{amount(self.seeds, 'seed')}"
        text = (
            f"fidelity ({ours.networks} {SET_NAMES[self.set]} landmarks, {seeds}): tau {number(ours.tau)} "
            f"{interval(ours.tau_low, ours.tau_high)}"
        )
        if ours.pairs:
            text += (
                f", within a budget {number(ours.concordance)} "
                f"{interval(ours.concordance_low, ours.concordance_high)} of {ours.pairs} pairs"
            )
        if self.brackets:
            brackets = amount(self.brackets, "bracket")
            text += (
                f", regret {number(self.regrets[PROXY])} points (its choice against the best of like cost, {brackets})"
            )
        return f"{text}; {beside(ours, self.rankings, self.regrets)}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> KnownFidelity:
        """Read `to_json`'s form.

        Raises:
            ValueError: if it is not one.
        """
        try:
            rankings = {name: Agreement(**data["rankings"][name]) for name in _REPEATED if name in data["rankings"]}
            return cls(**data | {"recipe": Recipe.from_json(data["recipe"]), "rankings": rankings})
        except (KeyError, TypeError) as error:
            raise ValueError(f"no summary of a fidelity run: {error!r}") from error


def known_from(fidelity: Fidelity) -> KnownFidelity:
    """What a search needs of a report.

    Raises:
        ValueError: if no network of it was scored.
    """
    if PROXY not in fidelity.rankings:
        raise ValueError("no network was scored: there is nothing to say about the recipe's fidelity")
    return KnownFidelity(
        set=fidelity.set,
        data=fidelity.data,
        data_key=fidelity.data_key,
        recipe=fidelity.recipe,
        device=fidelity.device,
        processor=fidelity.environment["processor"],
        seeds=len(fidelity.seeds),
        rankings={name: fidelity.rankings[name] for name in _REPEATED if name in fidelity.rankings},
        regrets={name: fidelity.regrets[name] for name in _REPEATED},
        brackets=len(fidelity.brackets),
        date=fidelity.date,
    )


def summary(fidelity: Fidelity) -> dict[str, Any]:
    """One entry of ``shipped.json``.

    Raises:
        ValueError: if no network of it was scored.
    """
    return known_from(fidelity).to_json()


def fidelity_of(recipe: Recipe, data_key: str, kind: str, runs: Path = RUNS) -> tuple[KnownFidelity, ...]:
    """What is known for these data, this recipe, whatever its name, and this kind of network: nothing, or one.

    The newest run under `runs` counts, and what is shipped where there is none. Damaged reports are passed over with
    a warning that names the file.

    Args:
        recipe: how the proxies are trained.
        data_key: of the data's content; nothing is known of data without one ("").
        kind: of the target, ``imagenet`` or ``cifar``: how a recipe ranks the one says nothing about the other.
        runs: holds a directory for each fidelity run.
    """
    if not data_key:
        return ()
    shipped = [KnownFidelity.from_json(entry) for entry in json.loads(SHIPPED.read_text(encoding="utf-8"))]
    found = [
        one
        for one in [*sorted(shipped, key=lambda one: one.date), *sorted(_from_runs(runs), key=lambda one: one.date)]
        if one.set == kind and one.data_key == data_key and dataclasses.replace(one.recipe, name=recipe.name) == recipe
    ]
    return tuple(found[-1:])


def fidelity_sentence(known: Sequence[KnownFidelity]) -> str:
    """What `fidelity_of` found as one line, or what to type where it found nothing."""
    return "; ".join(one.sentence() for one in known) or UNKNOWN


def _from_runs(runs: Path) -> list[KnownFidelity]:
    found = []
    for path in sorted(runs.glob("*/fidelity.json")):
        try:
            found.append(known_from(Fidelity.from_json(json.loads(read_text(path)))))
        except (ValueError, OSError) as error:
            warnings.warn(f"{path} is passed over: {error}", stacklevel=3)
    return found
