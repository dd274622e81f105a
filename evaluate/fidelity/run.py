"""Does the order of proxy scores agree with the order of published errors? Scores landmarks, and can be continued.

    networks = ranking_set("imagenet")
    for event in run_fidelity(networks, recipe, data, (0, 1), device, directory):
        print(event.line())
    fidelity = report(directory)
    print(fidelity_text(fidelity))
    write_fidelity(fidelity, directory)

Every score is written to ``scores.jsonl`` as soon as it is there, whole as the trainer gave it, and is never measured
again: not after an interruption, and not where it failed. To try again what failed, take its line out of the file.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from evaluate.fidelity.network import NetworkFidelity
from evaluate.fidelity.ranking_sets import RankedLandmark, ranking_set
from evaluate.fidelity.report import Fidelity
from evaluate.fidelity.scores import append_score, open_scores, read_scores, seed_score
from evaluate.fidelity.text import fidelity_csv, fidelity_text, write_fidelity
from evaluate.images.load import ImageData
from evaluate.measures.zero_cost import ZeroCost, zero_cost
from evaluate.training.device import device_name, resolve_device
from evaluate.training.proxy import train_proxy
from evaluate.training.recipe import Recipe
from evaluate.training.score import ProxyScore

__all__ = [
    "Fidelity",
    "Progress",
    "RankedLandmark",
    "fidelity_csv",
    "fidelity_text",
    "ranking_set",
    "report",
    "run_fidelity",
    "write_fidelity",
]

SCORES = "scores.jsonl"
ZERO_COST_IMAGES = 64


@dataclass(frozen=True, slots=True)
class Progress:
    """One network scored, by training or by its zero-cost scores."""

    network: str  # its label
    what: str  # "seed 0", "zero-cost"
    done: int
    total: int
    seconds: float
    top1: float | None = None  # of a training that did not fail
    reason: str | None = None  # why it failed
    before: bool = False  # found in the directory, not measured now

    def line(self) -> str:
        """For a terminal."""
        result = "" if self.top1 is None else f"top-1 {self.top1:.2f} %"
        if self.reason is not None:
            result = f"failed: {self.reason}"
        parts = [f"{self.done:>{len(str(self.total))}}/{self.total}", f"{self.network:<24}", f"{self.what:<9}", result]
        return "  ".join([*(part for part in parts if part), "from before" if self.before else f"{self.seconds:.1f} s"])


def run_fidelity(
    networks: Sequence[RankedLandmark],
    recipe: Recipe,
    data: ImageData,
    seeds: Sequence[int],
    device: str,
    directory: Path,
    zero_cost_scores: bool = True,
    score: Callable[..., ProxyScore] = train_proxy,
) -> Iterator[Progress]:
    """Score the networks, one event each; what the directory already holds is not measured again.

    Seed by seed, so that the first seed of all networks is there early. Zero-cost scores are of the network that the
    recipe trains in a landmark's place, on the first 64 training images, for the first seed alone.

    Args:
        networks: of one set.
        recipe: how to train the proxies.
        data: images at the recipe's resolution; every seed is scored on the same held-out ones.
        seeds: of the weights, the order of the images and the augmentation.
        device: ``auto``, ``cpu`` or ``cuda``.
        directory: for ``scores.jsonl``; made as needed.
        zero_cost_scores: whether to work these out too.
        score: called as `train_proxy` is.

    Raises:
        ValueError: if networks or seeds are missing, repeated or of two sets, or if the directory holds scores of
            other settings or a damaged file.
        OSError: if the directory cannot be written.
    """
    _check(networks, seeds)
    place = resolve_device(device)
    path = directory / SCORES
    setting = _setting(networks, recipe, data, place)
    records = open_scores(path, setting)
    header = {"setting": setting, "environment": _environment(place)}
    total = len(networks) * (len(seeds) + zero_cost_scores)
    data = data.to(place)  # once, not for every network
    done = 0
    for seed in seeds:
        for network in networks:
            done += 1
            record = records.get((network.name, seed))
            before = record is not None
            if record is None:
                result = score(network.config, recipe, data, seed=seed, device=place)
                record = {"network": network.name, "seed": seed, "score": result.to_json()}
                append_score(path, header, record)
            each = seed_score(record)
            yield Progress(network.label, f"seed {seed}", done, total, each.seconds, each.top1, each.reason, before)
            if zero_cost_scores and seed == seeds[0]:
                done += 1
                record = records.get((network.name, None))
                before = record is not None
                if record is None:
                    images, labels = data.train_images[:ZERO_COST_IMAGES], data.train_labels[:ZERO_COST_IMAGES]
                    values = _zero_cost(network, recipe, images, labels, data.classes, seed, place)
                    record = {
                        "network": network.name,
                        "zero_cost_seed": seed,
                        "zero_cost": [asdict(value) for value in values.values()],
                    }
                    append_score(path, header, record)
                seconds = sum(value["seconds"] for value in record["zero_cost"])
                yield Progress(network.label, "zero-cost", done, total, seconds, before=before)


def _zero_cost(
    network: RankedLandmark,
    recipe: Recipe,
    images: torch.Tensor,
    labels: torch.Tensor,
    classes: int,
    seed: int,
    device: str,
) -> dict[str, ZeroCost]:
    """Of its proxy; nothing if it has none: its training has failed with the reason."""
    try:
        proxy = recipe.proxy(network.config, classes)
    except ValueError:
        return {}
    return zero_cost(proxy, images, labels, classes, seed=seed, device=device)


def report(directory: Path, seeds: Sequence[int] | None = None) -> Fidelity:
    """What the directory's scores say so far.

    Args:
        directory: where `run_fidelity` wrote.
        seeds: count these alone; None is all that were begun.

    Raises:
        ValueError: if there are no scores, a line is damaged, or a network is no landmark of the set any more.
    """
    path = directory / SCORES
    header, records = read_scores(path)
    if header is None:
        raise ValueError(f"{path} holds no scores yet: type python -m evaluate fidelity --help")
    setting = header["setting"]
    begun = sorted({seed for _, seed in records if seed is not None})
    chosen = tuple(begun if seeds is None else seeds)
    known = {each.name: each for each in ranking_set(setting["set"])}
    if gone := [row["name"] for row in setting["networks"] if row["name"] not in known]:
        raise ValueError(f"{path} has scores of {gone[0]}, which is not in the set {setting['set']} any more")
    networks = tuple(
        NetworkFidelity(
            **row,
            activations=known[row["name"]].counts.activations,
            depth=known[row["name"]].counts.depth,
            scores=tuple(seed_score(records[row["name"], seed]) for seed in chosen if (row["name"], seed) in records),
            zero_cost=tuple(ZeroCost(**value) for value in records.get((row["name"], None), {}).get("zero_cost", ())),
        )
        for row in setting["networks"]
    )
    return Fidelity(
        set=setting["set"],
        data=setting["data"],
        data_key=setting["data_key"],
        recipe=Recipe.from_json(setting["recipe"]),
        device=setting["device"],
        environment=header["environment"],
        seeds=chosen,
        networks=networks,
        date=datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds"),
    )


def _check(networks: Sequence[RankedLandmark], seeds: Sequence[int]) -> None:
    sets = {network.set for network in networks}
    if len(sets) != 1:
        raise ValueError(
            f"networks of {len(sets)} sets ({', '.join(sorted(sets))}): expected those of one ranking_set()"
        )
    if len({network.name for network in networks}) < len(networks):
        raise ValueError("a network is named twice: expected each once")
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds are {list(seeds)}: expected one or more, each once")


def _setting(networks: Sequence[RankedLandmark], recipe: Recipe, data: ImageData, device: str) -> dict[str, Any]:
    """All that two runs must share to be one run, as JSON; seeds may be added to a run."""
    labels = hashlib.sha256()
    for part in (data.train_labels, data.val_labels):
        labels.update(part.cpu().numpy().tobytes())
    rows = [asdict(network) for network in networks]
    for row in rows:
        del row["config"], row["set"]  # its name says it
    return {
        "set": networks[0].set,
        "data": data.name,
        "data_key": data.key,
        "split": labels.hexdigest()[:16],  # which images are held out, by their labels' order
        "device": device,
        # Kinds of GPU round otherwise and take other times: one run is of one of them.
        **({"processor": device_name(device)} if device == "cuda" else {}),
        "recipe": recipe.to_json(),
        "networks": rows,
    }


def _environment(device: str) -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__, "processor": device_name(device)}
