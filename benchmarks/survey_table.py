"""The file of `benchmarks.survey` as arrays, and what its networks look like to a model."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluate.training.recipe import Recipe
from evaluate.training.reference import Reference
from space import Budget, Config, DenseConfig, ResidualConfig, config_from_json, cost
from space.networks.dense import THOUSAND
from space.networks.layers import Conv, total

Floats = NDArray[np.float64]
INPUT, CLASSES = 224, 1000  # what the survey's budget is counted at
SURVEYED = ("resnet", "wide_resnet", "resnext", "densenet")  # the families that the survey was drawn from
PROXY_CLASSES = 10  # of the images that the survey trains on


@dataclass(frozen=True)
class Survey:
    """The networks of a survey that trained to the end, in the order of their indices."""

    heading: str
    budget: Budget
    recipe: Recipe
    configs: tuple[Config, ...]
    modes: tuple[str, ...]
    macs: Floats  # (networks,)
    epochs: tuple[int, ...]  # the scored ones
    curves: Floats  # (networks, epochs), top-1 in percent
    seconds: Floats  # (networks,), processor time of a whole training

    @property
    def reference(self) -> Reference:
        """Whose proxy costs what the recipe says."""
        return Reference(self.budget.macs, INPUT, CLASSES)

    @property
    def families(self) -> NDArray[np.str_]:
        """Of each network."""
        return np.array([config.family for config in self.configs])

    @property
    def outcomes(self) -> Floats:
        """What the surrogate learns: (networks, epochs + 1), top-1 at each scored epoch and log seconds."""
        return np.column_stack([self.curves, np.log(self.seconds)])


def read_survey(path: Path) -> Survey:
    """Read what `benchmarks.survey` wrote; failed trainings are left out.

    Raises:
        ValueError: if it is no such file, or holds no trained network.
    """
    heading, _, rest = path.read_text(encoding="utf-8").partition("\n")
    if not heading.startswith("#") or "recipe " not in heading:
        raise ValueError(f"{path}: expected a file that python -m benchmarks.survey wrote")
    rows = sorted(csv.DictReader(rest.splitlines()), key=lambda row: int(row["index"]))
    rows = [row for row in rows if row["state"] == "complete"]
    if not rows:
        raise ValueError(f"{path}: no network of it was trained to the end")
    curves = [json.loads(row["curve"]) for row in rows]
    return Survey(
        heading=heading.removeprefix("# "),
        budget=Budget.parse(heading.partition("budget ")[2].split()[0]),
        recipe=Recipe.from_json(json.loads(heading.partition("recipe ")[2])),
        configs=tuple(config_from_json(json.loads(row["config"])) for row in rows),
        modes=tuple(row["mode"] for row in rows),
        macs=np.array([float(row["macs"]) for row in rows]),
        epochs=tuple(epoch for epoch, _, _ in curves[0]),
        curves=np.array([[top1 for _, _, top1 in curve] for curve in curves]),
        seconds=np.array([float(row["cpu_seconds"]) for row in rows]),
    )


# ------------------------------------------------------------------------------------------------ features


def features(config: Config, recipe: Recipe, reference: Reference) -> dict[str, float]:
    """What is told of a network: names -> numbers; logarithms to base 2 where sizes are compared by ratio."""
    assert isinstance(config, ResidualConfig | DenseConfig)
    proxy = recipe.proxy(config, PROXY_CLASSES, reference)
    assert isinstance(proxy, ResidualConfig | DenseConfig)
    blocks = proxy.blocks(recipe.resolution, PROXY_CLASSES)
    small, whole = total(blocks), cost(config, INPUT, CLASSES)
    found = {f"is_{family}": float(config.family == family) for family in SURVEYED}
    for name, counted in (("", whole), ("proxy_", small)):
        for field in ("macs", "params", "activations"):
            found[name + field] = math.log2(getattr(counted, field))
    convolutions = (layer for block in blocks for layer in block.layers * block.copies if isinstance(layer, Conv))
    found["convolutions"] = math.log2(sum("downsample" not in layer.name for layer in convolutions))
    found["depth"] = math.log2(sum(config.depths))
    found["stem"] = math.log2(proxy.stem_width)
    if isinstance(proxy, DenseConfig):
        outer, inner = _dense_widths(proxy), (proxy.growth_rate * (proxy.bottleneck or 1),) * len(proxy.depths)
        groups, basic, theta = 1, not proxy.bottleneck, proxy.compression
        growth = proxy.growth_rate + proxy.extra_growth / THOUSAND
    else:
        outer, inner = proxy.widths, proxy.inner_widths
        groups, basic, theta, growth = proxy.groups[0], proxy.block == "basic", 0.0, 0.0
    found |= {
        "basic": float(basic),
        "groups": math.log2(groups),
        "group_width": math.log2(inner[0] / groups),
        "widening": math.log2(inner[-1] / outer[-1]),
        "compression": theta,
        "growth": growth,
    }
    for stage, depth in enumerate(config.depths):
        heads = (f"layer{stage + 1}.", f"features.denseblock{stage + 1}.", f"features.transition{stage + 1}")
        found |= {
            f"depth{stage + 1}": math.log2(depth),
            f"outer{stage + 1}": math.log2(outer[stage]),
            f"inner{stage + 1}": math.log2(inner[stage]),
            f"macs{stage + 1}": math.log2(total(block for block in blocks if block.name.startswith(heads)).macs),
        }
    return found


def _dense_widths(config: DenseConfig) -> tuple[int, ...]:
    """Channels at the end of each dense block."""
    channels, before, widths = config.stem_width, 0, []
    for depth in config.depths:
        extra = (before + depth) * config.extra_growth // THOUSAND - before * config.extra_growth // THOUSAND
        before += depth
        widths.append(channels + depth * config.growth_rate + extra)
        channels = max(1, math.floor(widths[-1] * config.compression + 1e-9))
    return tuple(widths)
