"""Three networks trained alike, then lesioned: a residual one, the same without shortcuts, a DenseNet of like cost.

The claim of Veit, Wilber and Belongie (arXiv:1605.06431) is that a residual network degrades smoothly, like an ensemble
of paths, where a plain one collapses. `run_lesion` trains and measures, `evaluate.paths.lesion_report` says what
came out.
"""

from __future__ import annotations

import dataclasses
import itertools
import platform
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from evaluate.images.load import ImageData
from evaluate.paths.lesion import Lesions, lesions
from evaluate.training.device import device_name
from evaluate.training.proxy import train_proxy
from evaluate.training.recipe import Recipe
from evaluate.training.reference import usual_reference
from evaluate.training.trainer import Trainer
from space import Config, DenseConfig, cost, family_of
from space.networks.family import stage_depths


def subjects(config: Config, recipe: Recipe, classes: int, dense: Config | None = None) -> dict[str, Config]:
    """The networks to compare: residual, plain, dense.

    Args:
        config: the residual network.
        recipe: how they will be trained.
        classes: of the images.
        dense: the DenseNet, instead of `dense_like`.

    Raises:
        ValueError: if `config` has no shortcuts to take away, or `dense` is no DenseNet.
    """
    take_away = family_of(config).plain
    plain = take_away(config) if take_away else None
    if plain is None:
        kind = "has no shortcuts" if take_away else f"is of family {config.family}"
        raise ValueError(f"the network {kind}: expected a residual one, such as cifar_resnet32")
    if dense is None:
        dense = dense_like(config, recipe, classes)
    elif (paths := family_of(dense).paths(dense)) is None or paths.unit != "dense layers":
        raise ValueError(f"--dense is of family {dense.family}: expected a DenseNet, such as densenet_40_12")
    return {"residual": config, "plain": plain, "dense": dense}


def dense_like(config: Config, recipe: Recipe, classes: int) -> DenseConfig:
    """The DenseNet-BC that costs most nearly what `config` does, so that their proxies do.

    Its blocks have as many layers as the residual network's stages have blocks: as many units can be dropped.
    """
    stem, depths = config.kind, stage_depths(config)  # the recipe may change the stem
    usual = usual_reference(stem)
    size, classes = (recipe.resolution, classes) if recipe.proxy_macs is None else (usual.input_size, usual.classes)

    def of(growth: int) -> DenseConfig:
        return DenseConfig("densenet", stem, 2 * growth, depths, growth)

    def macs(network: Config) -> int:
        return cost(network, size, classes).macs

    target = macs(config)
    above = next(growth for growth in itertools.count(1) if macs(of(growth)) >= target)
    return min((of(growth) for growth in {max(1, above - 1), above}), key=lambda each: abs(macs(each) - target))


def run_lesion(
    name: str,
    networks: dict[str, Config],
    recipe: Recipe,
    load: Callable[[int], ImageData],
    seeds: Sequence[int],
    device: str,
    draws: int,
    images: int,
    show: Callable[[str], None],
) -> dict[str, Any]:
    """Train every network from every seed and lesion it; plain JSON values.

    Args:
        name: of the residual network.
        networks: by their kind, as `subjects` gives them.
        recipe: how they are trained.
        load: seed -> images at the recipe's resolution, a part of them held out.
        seeds: of weights, order of the images, held-out part, and choice of the units to drop.
        device: ``cpu`` or ``cuda``.
        draws: random choices for each number of units to drop, and of swaps.
        images: error is measured on at most so many of the held-out images.
        show: gets a line a training.

    Raises:
        ValueError: if a training fails.
    """
    measured: dict[str, list[dict[str, Any]]] = {kind: [] for kind in networks}
    for seed, (kind, config) in itertools.product(seeds, networks.items()):
        data = load(seed).to(device)
        found: list[Lesions] = []
        began = time.perf_counter()

        def study(trainer: Trainer, seed: int = seed, found: list[Lesions] = found) -> None:
            def error() -> float:
                return 100 - trainer.evaluate_on(trainer.data.val_images[:images], trainer.data.val_labels[:images])[0]

            found.append(lesions(trainer.model, error, draws, seed))

        score = train_proxy(config, recipe, data, seed=seed, device=device, then=study)
        if not found:
            raise ValueError(f"the {kind} network, seed {seed}, was not trained: {score.reason}")
        lost = found[-1]
        show(f"{kind:<9} seed {seed}  error {lost.error:6.2f} %  one unit dropped {_mean_single(lost):6.2f} %  "
             f"{time.perf_counter() - began:6.0f} s")  # fmt: skip
        measured[kind].append({"seed": seed, "seconds": score.seconds} | dataclasses.asdict(lost))
    return {
        "network": name,
        "recipe": recipe.to_json(),
        "data": data.name,
        "data_key": data.key,
        "classes": data.classes,
        "images": min(images, len(data.val_labels)),
        "seeds": list(seeds),
        "draws": draws,
        "environment": {
            "device": device_name(device),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "date": time.strftime("%Y-%m-%d"),
        },
        "networks": [
            {
                "kind": kind,
                "config": config.to_json(),
                "cost": dataclasses.asdict(cost(recipe.proxy(config, data.classes), recipe.resolution, data.classes)),
                "lesions": measured[kind],
            }
            for kind, config in networks.items()
        ],
    }


def _mean_single(lost: Lesions) -> float:
    errors = [error for _, error in lost.single if error is not None]
    return sum(errors) / max(1, len(errors))
