"""`--sweep`: listed networks in place of samples. All else is the same run: storage, resuming, workers, log, repeats.

`space.solving.vary` makes the networks: one start with one or two axes set, the rest solved to the budget. Every
network is
trained from the same seeds, so that differences can be distinguished from seed variance (`results.plots.sweep_data`).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from search.cli.options import parser
from search.propose.listed import attributes_of
from space import Config, cost, gflops
from space.solving.axes import Target
from space.solving.sweeps import AxisSweep, Sweep
from space.solving.vary import default_start, parse_axes, start_named
from space.solving.vary import settings as vary_all

if TYPE_CHECKING:
    from search.run.settings import Settings

_FIXED = {  # options that say how to sample: default, flag
    "trials": "--trials", "families": "--families", "refine": "--refine", "early_stopping": "--early-stopping",
    "warm_start": "--warm-start", "sampler": "--sampler", "repeats": "--repeats", "max_params": "--max-params",
    "max_activations": "--max-activations", "max_latency": "--max-latency",
}  # fmt: skip


def check_sweep(args: argparse.Namespace, target: Target) -> None:
    """Refuse what does not go together, and translate ``--seeds`` to repeats.

    Args:
        args: of the command line; `trials`, `repeats` and `landmarks` are changed.
        target: what the budget is counted at.

    Raises:
        ValueError: with one sentence.
    """
    if args.sweep is None:
        for name in ("start", "seeds"):
            if getattr(args, name) is not None:
                raise ValueError(f"--{name} goes with --sweep, such as --sweep cardinality=1,2,4 --mode match")
        return
    if args.mode != "match":
        raise ValueError("--sweep goes with --mode match: every network costs the budget")
    defaults = parser().parse_args([f"--budget={args.budget}"])
    for name, flag in _FIXED.items():
        if getattr(args, name) != getattr(defaults, name):
            more = "; --seeds trains each network several times" if name == "repeats" else ""
            raise ValueError(f"{flag} does not go with --sweep, which says what is trained{more}")
    take_seeds(args)
    args.trials = len(vary_all(start_of(args, target)[1], parse_axes(args.sweep), target))


def take_seeds(args: argparse.Namespace) -> None:
    """``--seeds`` as repeats; no published network is scored beside a sweep unless it is named."""
    if args.seeds is not None and args.seeds < 1:
        raise ValueError(f"--seeds {args.seeds}: expected how often to train each network, such as --seeds 3")
    args.repeats = (args.seeds or 1) - 1
    if args.landmarks == ["auto"]:
        args.landmarks = ["none"]


def start_of(args: argparse.Namespace, target: Target) -> tuple[str, Config]:
    """The network that is changed, and its name."""
    name = args.start or default_start(list(parse_axes(args.sweep)), target)
    return name, start_named(name)


def sweep_of(args: argparse.Namespace, target: Target) -> Sweep | None:
    """What `Settings.sweep` keeps; None for a search."""
    if args.sweep is None:
        found: Sweep | None = args.pays
        return found
    axes = tuple((name, tuple(values)) for name, values in parse_axes(args.sweep).items())
    return AxisSweep(*start_of(args, target), axes)


def sweep_lines(settings: Settings, classes: int) -> list[str]:
    """The networks, a line each: what was solved, what it costs, and what its proxy costs.

    Args:
        settings: of the run.
        classes: of the images that proxies are trained on.
    """
    assert settings.sweep is not None
    listed = settings.listed
    start = cost(settings.sweep.config, settings.input_size, settings.classes)
    lines = [f"start {settings.sweep.start}: {gflops(start.macs)}FLOPs, {start.params / 1e6:.1f}M params"]
    wide = max(len(each.name) for each in listed)
    room = max(len(each.solved) for each in listed)
    for each in listed:
        full = cost(each.config, each.input_size, settings.classes)
        proxy = attributes_of(each, settings, classes)["setting"]["proxy_macs"]
        lines.append(
            f"  {each.name:{wide}}  {each.solved:{room}}  {gflops(full.macs):>6}FLOPs "
            f"({100 * (full.macs / each.target_macs - 1):+.1f} % of the target)  {full.params / 1e6:6.1f}M params  "
            f"proxy {gflops(proxy)}FLOPs"
        )
    return lines
