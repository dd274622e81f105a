"""How fair proxies are: what the proxy of a network costs, against what it should, by a width factor and solved.

    python -m benchmarks.proxies [--networks 10000] [--out FILE.txt]        # two CPU cores: about 25 minutes

Random networks of each budget are drawn uniformly (frontier mode) and their proxies are counted, nothing is trained.
First table: multiply-adds of the proxy over those of the network, relative to the median ResNet, by a factor on all
widths rounded up to multiples of 4 and of the cardinality (what made proxies before they were solved), and solved.
Second table: how far solved proxies are from their due, and how many networks have none.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import platform
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe
from evaluate.training.reference import Reference
from space import Budget, Config, DenseConfig, ResidualConfig, cost
from space.solving.axes import Target, draw

TARGETS = (("40M", 32, 10), ("0.2G", 224, 1000), ("0.6G", 224, 1000), ("4.1G", 224, 1000), ("15G", 224, 1000))
WIDTHS = {"smoke": 0.125, "digits": 0.125, "cpu": 0.0625, "fast": 0.125, "faithful": 0.25}  # the factors of before
CLASSES = 10  # of the images that proxies are trained on
NEAR, FAR = 0.03, 0.1
KINDS = ("cardinality 64", "cardinality 32", "densenet", "all")


class Counted(NamedTuple):
    """One network and its two proxies."""

    kind: str  # a family, or resnext with its cardinality
    before: float  # multiply-adds of the proxy over those of the network
    after: float | None  # None: it has none
    due: float


def by_factor(config: Config, factor: float) -> Config:
    """Widths times `factor`, to whole multiples of 4 and of the cardinality: the proxies of before."""

    def near(value: int, multiple: int) -> int:
        return max(multiple, round(value * factor / multiple) * multiple)

    if isinstance(config, DenseConfig):
        growth, stem = max(1, round(config.growth_rate * factor)), max(4, round(config.stem_width * factor))
        return dataclasses.replace(config, growth_rate=growth, stem_width=stem)
    assert isinstance(config, ResidualConfig)
    groups = config.groups
    inner = tuple(near(width, math.lcm(4, number)) for width, number in zip(config.inner_widths, groups, strict=True))
    multiple = math.lcm(4, *groups) if config.block == "basic" else 4
    widths = tuple(near(width, multiple) for width in config.widths)
    if config.family.startswith("regnet"):  # their inner width is their width
        widths = inner
    stem = min(near(config.stem_width, multiple), widths[0])
    return dataclasses.replace(config, stem_width=stem, widths=widths, inner_widths=inner)


def count(budget: str, size: int, classes: int, name: str, first: int, networks: int) -> list[Counted]:
    """Draw networks `first` to `first + networks` and count their proxies."""
    recipe, target = RECIPES[name], Target(Budget.parse(budget), "frontier", size, classes)
    reference = Reference(target.budget.macs, size, classes)
    found = []
    for number in range(first, first + networks):
        config = draw(target, random.Random(f"proxies/{budget}/{number}"))[1].config
        macs = cost(config, size, classes).macs
        before = by_factor(dataclasses.replace(config, stem="cifar"), WIDTHS.get(name, 0.125))
        kind = config.family
        if config.family == "resnext" and isinstance(config, ResidualConfig):
            kind = f"cardinality {config.groups[0]}"
        found.append(
            Counted(
                kind,
                cost(before, recipe.resolution, CLASSES).macs / macs,
                _solved(recipe, config, reference, macs),
                min(1.0, (recipe.proxy_macs or 0) / reference.macs),
            )
        )
    return found


def _solved(recipe: Recipe, config: Config, reference: Reference, macs: int) -> float | None:
    try:
        return cost(recipe.proxy(config, CLASSES, reference), recipe.resolution, CLASSES).macs / macs
    except ValueError:
        return None


def spread(values: Sequence[float], middle: float) -> str:
    """Median and ends, relative to the median ResNet."""
    if not values:
        return "-"
    low, median, high = (value / middle for value in (min(values), statistics.median(values), max(values)))
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def tables(networks: int, workers: int) -> str:
    """Both tables."""
    names = list(RECIPES)
    chunk = max(1, networks // 20)
    with ProcessPoolExecutor(workers) as pool:
        pending = {
            (target, name): [
                pool.submit(count, *target, name, first, min(chunk, networks - first))
                for first in range(0, networks, chunk)
            ]
            for target in TARGETS
            for name in names
        }
        drawn = {key: [each for part in parts for each in part.result()] for key, parts in pending.items()}
    lines = [f"{'budget':7}{'recipe':10}{'':8}" + "".join(f"{kind:>24}" for kind in KINDS)]
    for (target, name), found in drawn.items():
        for way in ("before", "after"):
            values = [(each.kind, getattr(each, way)) for each in found if getattr(each, way) is not None]
            middle = statistics.median(value for kind, value in values if kind == "resnet")
            cells = [[value for own, value in values if kind in (own, "all")] for kind in KINDS]
            lines.append(f"{target[0]:7}{name:10}{way:8}" + "".join(f"{spread(cell, middle):>24}" for cell in cells))
    lines += [
        "",
        f"{'budget':7}{'recipe':10}{'networks':>9}{'refused':>9}{'within 3 %':>12}{'worst':>8}  refused by kind",
    ]
    for (target, name), found in drawn.items():
        misses = [abs(each.after / each.due - 1) for each in found if each.after is not None]
        near = sum(miss <= NEAR for miss in misses) / len(misses)
        refused = Counter(each.kind for each in found if each.after is None)
        words = ", ".join(f"{kind} {number}" for kind, number in refused.most_common(4))
        cells = f"{len(found):9,}{sum(refused.values()):9,}{100 * near:11.2f}%{100 * max(misses):7.1f}%"
        lines.append(f"{target[0]:7}{name:10}{cells}  {words}")
        assert max(misses) <= FAR
    return "\n".join(line.rstrip() for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Count, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxies", description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=10_000, help="of each budget and recipe (%(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)")
    parser.add_argument("--out", type=Path, help="a text file for the tables")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    text = tables(options.networks, options.workers)
    text = (
        f"{options.networks:,} networks of each budget and recipe, frontier mode, all searched families; Python "
        f"{platform.python_version()}, {options.workers} processes, {time.perf_counter() - began:.0f} s\n\n{text}"
    )
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
