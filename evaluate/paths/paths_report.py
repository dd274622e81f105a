"""The paths of a network counted, measured on a trained one, and said in a table."""

from __future__ import annotations

import json
import math
import pickle
import platform
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import torch

from evaluate.images.load import ImageData
from evaluate.paths.lesion_report import interval
from evaluate.paths.paths import contributions, decay, effective, effective_interval, path_shares, sample_norms
from evaluate.training.device import device_name
from evaluate.training.proxy import check_data, plan, train_proxy
from evaluate.training.recipe import Recipe
from evaluate.training.trainer import Trainer
from space import Config, build, family_of
from space.networks.family import Paths
from space.shell.reading import read_text
from space.shell.scores import score_text
from space.shell.words import proxy_words

CLAIM = (
    "published (arXiv:1605.06431, ResNet-110, 54 blocks, CIFAR-10): more than 95 % of all paths go through 19 to 35 "
    "blocks; the gradient falls exponentially with the length; almost all of it comes over paths of 5 to 17 blocks, "
    "which are 0.45 % of all"
)


def path_units(config: Config) -> tuple[int, str]:
    """(n, what they are): every path of the network is a subset of n units, so that there are 2^n.

    Raises:
        ValueError: if the network has one path alone.
    """
    paths = _paths(config)
    return paths.units, paths.unit


def _paths(config: Config) -> Paths:
    paths = family_of(config).paths(config)
    if paths is None:
        raise ValueError("a network without shortcuts has one path alone: expected a residual one or a DenseNet")
    return paths


def counted(config: Config) -> dict[str, Any]:
    """How many paths there are, and how many of each length; plain JSON values."""
    number, unit = path_units(config)
    return {"units": number, "unit": unit, "paths": str(2**number), "shares": path_shares(number)}


def measured(
    name: str,
    config: Config,
    recipe: Recipe,
    data: ImageData,
    *,
    seed: int,
    device: str,
    samples: int,
    weights: Path | None,
) -> dict[str, Any]:
    """`counted`, and the gradient by path length on the network as it is after its training; plain JSON values.

    Args:
        name: of the network.
        config: a residual network.
        recipe: how it is trained, or was.
        data: images at the recipe's resolution.
        seed: of the training, and of the paths drawn.
        device: ``cpu`` or ``cuda``.
        samples: paths drawn of each length.
        weights: the model.pt of a training with this recipe; None trains now.

    Raises:
        ValueError: if the network is a DenseNet or has no shortcuts, if the weights are of another one, or if training
            fails.
    """
    counts = counted(config)
    if not _paths(config).gradients:
        raise ValueError("the gradient by path length is measured on residual networks; of a DenseNet give --count")
    norms: list[torch.Tensor] = []
    errors: list[float] = []

    def study(trainer: Trainer) -> None:
        def batch(chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return trainer.normalise(trainer.data.train_images[chosen]), trainer.labels[chosen]

        errors.append(100 - trainer.evaluate()[0])
        norms.append(sample_norms(trainer.model, batch, len(trainer.labels), samples, seed, device))

    data = data.to(device)
    if weights is None:
        score = train_proxy(config, recipe, data, seed=seed, device=device, then=study)
        if not norms:
            raise ValueError(f"{name} was not trained: {score.reason}")
    else:
        study(_trained(config, recipe, data, device, weights))
    found = norms[-1]
    means = found.mean(1).tolist()
    parts = contributions(means)
    ends = effective(parts)
    shortest, longest = effective_interval(found, seed)
    inside = slice(ends.shortest, ends.longest + 1)
    return counts | {
        "network": name,
        "config": config.to_json(),
        "recipe": recipe.to_json(),
        "data": data.name,
        "data_key": data.key,
        "seed": seed,
        "samples": samples,
        "error": errors[-1],
        "held_out": len(data.val_labels),
        "norms": [interval(row.tolist()) for row in found],
        "contributions": parts,
        "effective": {
            "shortest": ends.shortest,
            "longest": ends.longest,
            "shortest_interval": shortest,
            "longest_interval": longest,
            "of_gradient": sum(parts[inside]),
            "of_paths": sum(counts["shares"][inside]),
        },
        "decay": decay(means),
        "environment": {
            "device": device_name(device),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "date": time.strftime("%Y-%m-%d"),
        },
    }


def _trained(config: Config, recipe: Recipe, data: ImageData, device: str, weights: Path) -> Trainer:
    """A trainer, of which nothing is trained, about weights from a file."""
    check_data(recipe, data)
    how = plan(config, recipe, data.classes, device)
    model = build(how.proxy, data.classes, recipe.resolution)
    try:
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{weights} holds no weights of this network as recipe {recipe.name} makes it: expected the model.pt that "
            "python -m evaluate train wrote"
        ) from error
    return Trainer(model, recipe, data, device=device, precision="fp32", seed=0)


def training_of(weights: Path, config: Config) -> tuple[Recipe, int, str]:
    """(recipe, seed, key of the images) of the training that has written a model.pt, from the train.json beside it.

    Raises:
        ValueError: if there is none, or it is of another network.
    """
    path = weights.with_name("train.json")
    try:
        content = json.loads(read_text(path))
        recipe, seed, key = Recipe.from_json(content["recipe"]), int(content["seed"]), str(content["data_key"])
        theirs = content["config"]
    except OSError as error:
        raise ValueError(
            f"{path}: {error.strerror}; --weights expects the model.pt of python -m evaluate train, with its files "
            "beside it"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}): expected what python -m evaluate train wrote") from error
    if theirs != config.to_json():
        raise ValueError(f"{weights} was trained for another network than the one named: give the name of its own")
    return recipe, seed, key


def paths_text(report: Mapping[str, Any]) -> str:
    """A row a length; only counts where nothing was measured."""
    number, unit = report["units"], report["unit"]
    lines = [f"{report['network']}: {number} {unit}, 2^{number} = {_amount(2**number)} paths"]
    was = "norms" in report
    if was:
        recipe, environment = report["recipe"], report["environment"]
        lines += [
            f"recipe {recipe['name']}: {recipe['epochs']} epochs, {recipe['resolution']}x{recipe['resolution']}, "
            f"{proxy_words(recipe)}, {report['data']}, seed {report['seed']}; error "
            f"{score_text(report['error'], report['held_out'])} % of {report['held_out']} held-out images; "
            f"{environment['device']}, torch {environment['torch']}",
            f"{report['samples']} random paths of each length; brackets: 95 % over paths",
        ]
    lines += [
        "",
        f"{'length':>6}{'paths':>12}{'of all %':>12}" + (f"{'gradient norm':>34}{'of gradient %':>15}" if was else ""),
    ]
    for length, share in enumerate(report["shares"]):
        line = f"{length:>6}{_amount(math.comb(number, length)):>12}{100 * share:>12.3g}"
        if was:
            mean, low, high = report["norms"][length]
            bounds = "" if low is None else f" [{max(0.0, low):.3g}, {high:.3g}]"
            line += f"{f'{mean:.3g}{bounds}':>34}{100 * report['contributions'][length]:>15.3g}"
        lines.append(line)
    lines.append("")
    most = effective(report["shares"])
    lines.append(f"95 % of all paths go through {most.shortest} to {most.longest} {unit}")
    if was:
        found = report["effective"]
        (a, b), (c, d) = found["shortest_interval"], found["longest_interval"]
        lines.append(
            f"{100 * found['of_gradient']:.0f} % of the gradient comes over paths of {found['shortest']} [{a}, {b}] to "
            f"{found['longest']} [{c}, {d}] {unit}: the effective paths, {100 * found['of_paths']:.3g} % of all"
        )
        if report["decay"] is not None:
            lines.append(f"each further block on a path multiplies its gradient by {report['decay']:.2f}")
    return "\n".join([*lines, CLAIM])


def _amount(number: int) -> str:
    """A whole number of any size, in full if it is short."""
    return f"{number:,}" if number < 10_000_000 else f"{Decimal(number):.3g}"
