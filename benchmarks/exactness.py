"""Is the closed-form cost exact? Every landmark and random networks against three independent counts.

    python -m benchmarks.exactness [--random 1000] [--seed 0] [--no-landmarks]

For each network: `cost().params` against the built module, `cost().macs` against ptflops (aten backend, biases taken
off) and against half of torch's `FlopCounterMode`. Equal means equal: these are integers. Exit status 1 if any
differs. Random networks are small (widths to 64, up to 12 blocks, inputs of 32 to 96 pixels) so that thousands can be
built and executed; they reach every branch of both classes: option A and B, the stride in the 1x1, pre-activation,
groups, all stems, basic and bottleneck blocks, dense layers with and without bottleneck.
"""

from __future__ import annotations

import argparse
import math
import platform
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata

from evaluate.measures.counting import count_with_ptflops, count_with_torch
from space import FAMILIES, Budget, Config, DenseConfig, ResidualConfig, build, cost
from space.landmarks.networks import LANDMARKS
from space.solving.axes import Target, axes, propose, searched

# Two classes in every form that they can express; of families with a class of their own, what a search solves.
KINDS = (
    "residual",
    "dense",
    *(name for name in searched() if FAMILIES[name].config not in (ResidualConfig, DenseConfig)),
)
CHECKS = ("params = module", "MACs = ptflops", "MACs = torch")


@dataclass(frozen=True)
class Case:
    """A network and what it is counted at."""

    name: str
    config: Config
    input_size: int
    classes: int


@dataclass
class Line:
    """One line of the table."""

    group: str
    compared: int = 0
    differed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))


def landmark_cases() -> list[Case]:
    """Every landmark that has a configuration, at its own target."""
    return [
        Case(name, entry.config, entry.input_size, entry.classes)
        for name, entry in LANDMARKS.items()
        if entry.config is not None
    ]


def random_residual(rng: random.Random) -> ResidualConfig:
    """A small residual network; any combination of what the class can express."""
    block = rng.choice(("basic", "bottleneck"))
    shortcut = rng.choice(("A", "B"))
    stages = rng.randint(1, 4)
    stem_width = rng.randint(1, 24)
    groups = tuple(rng.choice((1, 1, 2, 3, 4, 8)) for _ in range(stages))
    if block == "basic":  # its groups split what the stage before gives, too
        groups = (groups[0],) * stages
        stem_width *= groups[0]
    widths: list[int] = []
    for g in groups:
        # option A never narrows
        multiple = g if block == "basic" else 1
        least = max([stem_width, *widths]) if shortcut == "A" else 1
        widths.append(math.ceil(rng.randint(least, max(least, 64)) / multiple) * multiple)
    return ResidualConfig(
        family=rng.choice(ResidualConfig.LABELS),
        stem=rng.choice(("imagenet", "cifar", "regnet")),
        stem_width=stem_width,
        block=block,
        depths=tuple(rng.randint(1, 3) for _ in range(stages)),
        widths=tuple(widths),
        inner_widths=tuple(g * rng.randint(1, max(1, 48 // g)) for g in groups),
        groups=groups,
        stride_in=rng.choice(("3x3", "1x1")),
        shortcut=shortcut,
        preactivation=rng.random() < 0.5,
    )


def random_dense(rng: random.Random) -> DenseConfig:
    """A small DenseNet."""
    return DenseConfig(
        family="densenet",
        stem=rng.choice(("imagenet", "cifar")),
        stem_width=rng.randint(2, 32),
        depths=tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 4))),
        growth_rate=rng.randint(1, 24),
        bottleneck=rng.choice((0, 0, 1, 2, 4)),
        compression=rng.choice((0.5, 1.0, round(rng.uniform(0.3, 1.0), 3))),
    )


def random_of_family(family: str, rng: random.Random) -> Config:
    """A small network as a search would solve it, of at most 3 blocks a stage."""
    target = Target(Budget(rng.randint(10_000_000, 60_000_000)), "match", rng.choice((32, 96)), 10)
    values = {axis.name: axis.draw(rng) for axis in axes(family, target)}
    shallow = {name: min(3, int(value)) for name, value in values.items() if name.startswith("depth")}
    return propose(family, values | shallow, target).config


def random_cases(kind: str, count: int, seed: int) -> list[Case]:
    """Random networks of one of `KINDS` at random targets; the same for the same seed."""
    rng = random.Random(f"{kind} {seed}")
    draw = {"residual": random_residual, "dense": random_dense}.get(kind, lambda rng: random_of_family(kind, rng))
    return [Case(f"{kind} {n}", draw(rng), rng.randint(32, 96), rng.randint(2, 200)) for n in range(count)]


def differences(case: Case) -> list[str]:
    """Which of `CHECKS` fail, with both numbers; empty if the closed form is exact."""
    import torch

    ours = cost(case.config, case.input_size, case.classes)
    with torch.device("meta"):
        model = build(case.config, case.classes, case.input_size)
    params = sum(parameter.numel() for parameter in model.parameters())
    ptflops, _ = count_with_ptflops(case.config, case.input_size, case.classes)
    flops, _ = count_with_torch(case.config, case.input_size, case.classes)
    pairs = ((ours.params, params), (ours.macs, ptflops), (ours.macs, flops))
    return [f"{check}: {a} and {b}" for check, (a, b) in zip(CHECKS, pairs, strict=True) if a != b]


def compare(group: str, cases: Iterable[Case]) -> Line:
    """Compare all; differences are printed as they are found."""
    line = Line(group)
    for case in cases:
        line.compared += 1
        for difference in differences(case):
            line.differed[difference.partition(":")[0]] += 1
            print(f"{case.name} at {case.input_size}, {case.classes} classes: {difference}\n  {case.config.to_json()}")
    return line


def main() -> int:
    """Compare, print the table. Returns 1 if anything differed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exactness", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--random", type=int, default=1000, metavar="N", help="random networks of each class (1000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help=f"some of {', '.join(KINDS)} (all)")
    parser.add_argument("--no-landmarks", action="store_true", help="random networks only")
    options = parser.parse_args()

    import torch

    torch.set_num_threads(1)  # single small images: more threads only wait for each other
    start = time.perf_counter()
    lines = [] if options.no_landmarks else [compare("landmarks", landmark_cases())]
    lines += [compare(f"random {kind}", random_cases(kind, options.random, options.seed)) for kind in options.kinds]
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, ptflops {metadata.version('ptflops')}"
    print(f"{versions}, seed {options.seed}, {time.perf_counter() - start:.0f} s")
    print(f"\n{'networks':<18}{'compared':>10}" + "".join(f"{check:>20}" for check in CHECKS))
    for line in lines:
        differed = "".join(f"{f'{line.differed[check]} differ':>20}" for check in CHECKS)
        print(f"{line.group:<18}{line.compared:>10}{differed}")
    return int(any(any(line.differed.values()) for line in lines))


if __name__ == "__main__":
    sys.exit(main())
