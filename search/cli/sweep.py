"""`--sweep`: listed networks in place of samples. All else is the same run: storage, resuming, workers, log, repeats.

`space.solving.vary` makes the networks: one start with one or two axes set, the rest solved to the budget. Every
network is trained from the same seeds, so that differences can be distinguished from seed variance
(`results.plots.sweep_data`).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from search.propose.listed import attributes_of
from space import cost, gflops
from space.solving.axes import Target
from space.solving.sweeps import AxisSweep
from space.solving.vary import default_start, parse_axes, start_named

if TYPE_CHECKING:
    from search.run.settings import Settings

_FIXED = {  # options that say how to sample: default, flag
    "trials": "--trials", "families": "--families", "refine": "--refine", "early_stopping": "--early-stopping",
    "warm_start": "--warm-start", "sampler": "--sampler", "repeats": "--repeats", "max_params": "--max-params",
    "max_activations": "--max-activations", "max_latency": "--max-latency",
}  # fmt: skip


def sweep_of(parser: argparse.ArgumentParser, options: argparse.Namespace, target: Target) -> AxisSweep | None:
    """The networks that ``--sweep`` lists; None without it.

    Args:
        parser: of the options, for what they are if nobody says otherwise.
        options: as they were read.
        target: what the budget is counted at.

    Raises:
        ValueError: with one sentence, for what does not go together.
    """
    if options.sweep is None:
        for name in ("start", "seeds"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} goes with --sweep, such as --sweep cardinality=1,2,4 --mode match")
        return None
    if options.mode != "match":
        raise ValueError("--sweep goes with --mode match: every network costs the budget")
    for name, flag in _FIXED.items():
        if getattr(options, name) != parser.get_default(name):
            more = "; --seeds trains each network several times" if name == "repeats" else ""
            raise ValueError(f"{flag} does not go with --sweep, which says what is trained{more}")
    axes = parse_axes(options.sweep)
    name = options.start or default_start(list(axes), target)
    return AxisSweep(name, start_named(name), tuple((axis, tuple(values)) for axis, values in axes.items()))


def repeats_of(seeds: int | None) -> int:
    """``--seeds`` as repeats.

    Raises:
        ValueError: for none.
    """
    if seeds is not None and seeds < 1:
        raise ValueError(f"--seeds {seeds}: expected how often to train each network, such as --seeds 3")
    return (seeds or 1) - 1


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
