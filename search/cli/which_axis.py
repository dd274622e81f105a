"""python -m search pays: which axis pays? From one network, more is spent in one direction at a time.

The networks are those of `space.solving.directions`; they are trained as a sweep is (`search.cli.sweep`): same
storage, resuming, workers, status. Costs differ, so the run has the mode frontier and the costliest network as its
budget.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from search.cli.arguments import check, split
from search.cli.options import add_printing, add_running, add_scoring, add_start
from search.cli.request import Request, request
from search.cli.sweep import repeats_of
from space import CONVENTION, Budget, cost
from space.shell.command import Parser
from space.solving.axes import SMALL_INPUT, Target
from space.solving.directions import DIRECTIONS, spend
from space.solving.resize import solve_width
from space.solving.solve import measure_at
from space.solving.sweeps import DirectionSweep
from space.solving.vary import start_named

PROG = "python -m search pays"
STARTS = {"imagenet": "resnet50", "cifar": "wrn_16_8"}


def pays_parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog=PROG,
        description="Which axis pays? Starting from one network, spend more on depth, width, cardinality, growth rate "
        "or resolution, and train each. " + CONVENTION + ".",
    )
    add = made.add_argument
    add("--budget", help="solve the start's widths for this, such as 1.8GFLOPs (as it is)")
    add(
        "--factors", nargs="+", type=float, default=[0.5, 2.0, 4.0], metavar="F", help="multiples of its cost (0.5 2 4)"
    )
    add("--directions", nargs="+", default=list(DIRECTIONS), metavar="NAME", help=f"some of {', '.join(DIRECTIONS)}")
    add("--input", type=int, default=224, help="input size that cost is counted at (%(default)s)")
    add("--classes", type=int, default=1000, help="classes that cost is counted at (%(default)s)")
    add("--name", help="directory under runs/ (default: made of the start, data and recipe)")
    add_start(add)
    add_scoring(made)
    add_running(made)
    printing = add_printing(made)
    printing("--dry-run", action="store_const", const=1, help="print the networks and what a run takes")
    return made


def request_of(options: argparse.Namespace, words: Sequence[str]) -> Request:
    """What is asked for: a sweep in mode frontier; no published network is scored beside it.

    Raises:
        ValueError: with one sentence, for what cannot be.
        OSError: if the start's file cannot be read.
    """
    small = options.input <= SMALL_INPUT
    name = options.start or STARTS["cifar" if small else "imagenet"]
    start = start_named(name)
    if options.budget is not None:
        start = solve_width(start, Budget.parse(options.budget).macs, measure_at(options.input, options.classes))
    directions = split(options.directions)
    spent = spend(
        start, options.factors, input_size=options.input, classes=options.classes, directions=list(directions)
    )
    for sentence in spent.left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    most = max(cost(each.config, each.input_size, options.classes).macs for each in spent.settings)
    found = request(
        options,
        words=tuple(words),
        target=Target(Budget.parse(str(most)), "frontier", options.input, options.classes),
        sweep=DirectionSweep(name, start, directions, tuple(sorted({float(each) for each in options.factors}))),
        trials=len(spent.settings),
        repeats=repeats_of(options.seeds),
        landmarks=("none",),
    )
    check(found)
    return found
