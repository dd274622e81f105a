"""What each choice for small networks on a CPU is worth: milliseconds of one core a training step.

    python -m benchmarks.small_layers [--networks resnet18 resnet50 resnext50_32x4d densenet121] [--recipe cpu]

The same proxy, the same random images, one thread, in turn: as torch computes it; without counting batches in norms;
1x1 convolutions of few positions as matrix products; narrow norms folded (all three: `evaluate.training.small_layers`).
Beside it, what the system takes to give pages that the step before gave back, and what it takes once the process keeps
freed memory (`evaluate.training.memory.keep_freed_memory`). Times are of the processor, not of the clock: neighbours
disturb them less.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.machine import machine_line
from benchmarks.operators import CLASSES, random_images
from evaluate.training.device import threads
from evaluate.training.memory import keep_freed_memory
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import plan
from evaluate.training.small_layers import NarrowNorm, Pointwise, lighten, uncount
from evaluate.training.trainer import Trainer
from space import build, landmark

STEPS = 6  # an epoch


def without(kind: type[nn.Module], usual: type[nn.Module]) -> Callable[[nn.Module], None]:
    """`lighten`, but for one kind of layer."""

    def change(model: nn.Module) -> None:
        everything(model)
        for module in model.modules():
            if type(module) is kind:
                module.__class__ = usual

    return change


def everything(model: nn.Module) -> None:
    """As proxies are trained."""
    uncount(model)
    lighten(model)


VARIANTS: dict[str, Callable[[nn.Module], None]] = {
    "as torch": lambda model: None,
    "uncounted": uncount,
    "+products": without(NarrowNorm, nn.BatchNorm2d),
    "+folded": without(Pointwise, nn.Conv2d),
    "all": everything,
}


def trainer(name: str, recipe_name: str, change: Callable[[nn.Module], None]) -> Trainer:
    """A proxy with changed layers, ready for an epoch of `STEPS` steps."""
    recipe = dataclasses.replace(RECIPES[recipe_name], train_images=None)
    how = plan(landmark(name), recipe, CLASSES, "cpu")
    torch.manual_seed(0)
    model = build(how.proxy, CLASSES, recipe.resolution, zero_init_last=True)
    change(model)
    data = random_images(STEPS * recipe.batch_size, recipe.resolution)
    return Trainer(model, recipe, data, device="cpu", precision="fp32", seed=0)


def in_turn(trainers: dict[str, Trainer], rounds: int) -> dict[str, float]:
    """The least milliseconds of user time a step of each."""
    least = dict.fromkeys(trainers, float("inf"))
    for each in trainers.values():
        each.epoch()
    for _ in range(rounds):
        for label, each in trainers.items():
            began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            each.epoch()
            least[label] = min(least[label], resource.getrusage(resource.RUSAGE_SELF).ru_utime - began)
    return {label: 1000 * value / STEPS for label, value in least.items()}


def system(each: Trainer, epochs: int = 4) -> tuple[float, float]:
    """Pages that the system gives, and milliseconds that it takes for that, a step."""
    each.epoch()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(epochs):
        each.epoch()
    after = resource.getrusage(resource.RUSAGE_SELF)
    steps = epochs * STEPS
    return (after.ru_minflt - before.ru_minflt) / steps, 1000 * (after.ru_stime - before.ru_stime) / steps


def main(arguments: list[str] | None = None) -> None:
    """Print a row a network."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_layers", description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["resnet18", "resnet50", "resnext50_32x4d", "densenet121"])
    parser.add_argument("--recipe", default="cpu", choices=RECIPES, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="(%(default)s)")
    options = parser.parse_args(arguments)
    print(f"{machine_line('cpu')}; recipe {options.recipe}, 1 thread, least of {options.rounds} rounds; ms a step")
    print(f"{'network':<18}" + "".join(f"{label:>11}" for label in VARIANTS) + f"{'gain':>8}{'system ms (pages)':>33}")
    rows, alone = {}, {}
    with threads(1):
        for name in options.networks:
            alone[name] = trainer(name, options.recipe, everything)
            before = system(alone[name])
            rows[name] = (
                in_turn(
                    {label: trainer(name, options.recipe, change) for label, change in VARIANTS.items()}, options.rounds
                ),
                before,
            )
        keep_freed_memory()
        for name, (times, (pages, taken)) in rows.items():
            later, rest = system(alone[name])
            print(
                f"{name:<18}" + "".join(f"{times[label]:>11.1f}" for label in VARIANTS)
                + f"{times['as torch'] / times['all']:>7.2f}x"
                f"{taken:>9.1f} ({pages:>6,.0f}) > {rest:>4.1f} ({later:,.0f})"
            )  # fmt: skip


if __name__ == "__main__":
    main()
