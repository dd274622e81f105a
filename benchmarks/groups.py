"""What a proxy should give up where its cardinality does not fit: groups, channels a group, or the outer widths.

    python -m benchmarks.groups --data FOLDER --out DIRECTORY [--recipe cpu] [--seeds 2]     # resumable

ResNet-50 and -101 and the ResNeXts of Table 3 of arXiv:1611.05431, which cost the same and are the better the more
groups they have, are trained as proxies of one cost by each rule. A good rule orders them as they are published.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from benchmarks.machine import machine_line
from evaluate.fidelity.ranking_sets import RankedLandmark, ranking_set
from evaluate.images.load import load_data
from evaluate.training.presets import find_recipe
from evaluate.training.proxy import train_proxy
from space import ResidualConfig

GROUPS = {
    "ResNe(X)t-50": ("resnet50", "resnext50_2x40d", "resnext50_4x24d", "resnext50_8x14d", "resnext50_32x4d"),
    "ResNe(X)t-101": ("resnet101", "resnext101_2x40d", "resnext101_4x24d", "resnext101_8x14d", "resnext101_32x4d"),
}


@dataclass(frozen=True)
class FewerGroups(ResidualConfig):
    """Channels a group are kept, groups are given up."""

    def channels(self, stage: int, factor: float) -> int:
        """Channels a group that are wished for at a factor on the widths: its own."""
        return self.inner_widths[stage] // self.groups[stage]

    def of_widths(self, widths: Mapping[str, Any], factor: float) -> Self:
        """Whole groups of as many channels as the rule says, at least one group."""
        inner, groups = [], []
        for stage, width in enumerate(widths["inner_widths"]):
            most = min(width, self.channels(stage, factor))
            number = min(self.groups[stage], max(1, int(width / most + 0.5)))
            inner.append(number * most)
            groups.append(number)
        return dataclasses.replace(
            self, stem_width=widths["stem_width"], widths=widths["widths"], inner_widths=tuple(inner),
            groups=tuple(groups),
        )  # fmt: skip

    def stepped(self, name: str, stage: int, width: int, steps: int) -> int:
        """A channel: `of_widths` makes whole groups of them."""
        return width + steps


class Both(FewerGroups):
    """Groups and channels a group are given up alike."""

    def channels(self, stage: int, factor: float) -> int:
        """The factor's square root of its own."""
        return max(1, round(self.inner_widths[stage] // self.groups[stage] * math.sqrt(factor)))


class AllGroups(ResidualConfig):
    """Every group is kept, with a channel at least; what they cost is taken from the outer widths."""

    def of_widths(self, widths: Mapping[str, Any], factor: float) -> Self:
        """Inner widths of whole groups."""
        inner = tuple(
            number * max(1, int(width / number + 0.5))
            for width, number in zip(widths["inner_widths"], self.groups, strict=True)
        )
        return dataclasses.replace(self, stem_width=widths["stem_width"], widths=widths["widths"], inner_widths=inner)


RULES: dict[str, type[ResidualConfig]] = {
    "channels a group (the product)": ResidualConfig,
    "groups": FewerGroups,
    "both alike": Both,
    "outer widths": AllGroups,
}


def measure(path: Path, recipe_name: str, spec: str, seeds: int) -> None:
    """Train what is missing, a line of the file each."""
    recipe = find_recipe(recipe_name)
    data = load_data(spec, recipe.resolution, 0, recipe.train_images)
    known = {each.name: each for each in ranking_set("imagenet")}
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(line["rule"], line["network"], line["seed"]) for line in lines}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for seed in range(seeds):
            for name in (name for names in GROUPS.values() for name in names):
                config = known[name].config
                assert isinstance(config, ResidualConfig)
                grouped = max(config.groups) > 1
                for rule, kind in RULES.items():
                    if (rule, name, seed) in done or (not grouped and kind is not ResidualConfig):
                        continue
                    ruled = kind(
                        **{each.name: getattr(config, each.name) for each in dataclasses.fields(ResidualConfig)}
                    )
                    score = train_proxy(ruled, recipe, data, seed=seed, device="cpu")
                    proxy = recipe.proxy(ruled, data.classes)
                    assert isinstance(proxy, ResidualConfig)
                    line = {
                        "rule": rule, "network": name, "seed": seed, "top1": score.top1, "loss": score.loss,
                        "reason": score.reason, "proxy_macs": score.proxy_macs, "widths": proxy.widths,
                        "inner": proxy.inner_widths, "groups": proxy.groups,
                    }  # fmt: skip
                    print(json.dumps(line), file=file, flush=True)
                    print(f"{rule:32} {name:20} seed {seed}  {score.top1:.2f} %", flush=True)


def table(path: Path) -> str:
    """A row a rule: scores by cardinality, and pairs of one cost that are in the published order."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    known: dict[str, RankedLandmark] = {each.name: each for each in ranking_set("imagenet")}
    own = {(line["network"], line["seed"]): line for line in lines if line["rule"] == next(iter(RULES))}
    text = [f"{machine_line('cpu')}; top-1 in percent, mean over seeds; published errors below"]
    for title, names in GROUPS.items():
        text += [
            "",
            f"{title:34}" + "".join(f"{name.partition('_')[2] or '1x64d':>10}" for name in names) + "  right pairs",
        ]
        for rule in RULES:
            of = {(line["network"], line["seed"]): line for line in lines if line["rule"] == rule}
            scores: dict[str, list[float]] = {}
            for name in names:
                for seed in sorted({line["seed"] for line in lines}):
                    line = of.get((name, seed)) or (own.get((name, seed)) if name == names[0] else None)
                    if line is not None and line["reason"] is None:
                        scores.setdefault(name, []).append(line["top1"])
            means = {name: statistics.fmean(values) for name, values in scores.items()}
            pairs = [(a, b) for a in names for b in names if known[a].published_error > known[b].published_error]
            right = [means[b] > means[a] for a, b in pairs if a in means and b in means]
            cells = "".join(f"{means[name]:10.2f}" if name in means else f"{'-':>10}" for name in names)
            text.append(f"given up: {rule:24}" + cells + f"{sum(right):9} of {len(right)}")
        text.append(f"{'published error':34}" + "".join(f"{known[name].published_error:10.1f}" for name in names))
    return "\n".join(text)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.groups", description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fractals", help="as for python -m search (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="a directory for groups.jsonl and groups.txt")
    parser.add_argument("--recipe", default="cpu", help="a preset or a JSON file (%(default)s)")
    parser.add_argument("--seeds", type=int, default=2, help="of each network (%(default)s)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    path = options.out / "groups.jsonl"
    measure(path, options.recipe, options.data, options.seeds)
    text = table(path)
    (options.out / "groups.txt").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
