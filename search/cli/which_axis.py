"""python -m search pays: which axis pays? From one network, more is spent in one direction at a time.

The networks are those of `space.solving.directions`; they are trained as a sweep is (`search.cli.sweep`): same
storage, resuming,
workers, status. Costs differ, so the run has the mode frontier and the costliest network as its budget.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from search.cli.options import add_printing, add_running, add_scoring, add_start, parser
from search.cli.sweep import take_seeds
from space import CONVENTION, Budget, cost
from space.shell.command import Parser, refuse
from space.solving.axes import SMALL_INPUT
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


def read(words: list[str]) -> argparse.Namespace:
    """The words as the arguments of a search; `settings_of` finds the sweep in `pays`.

    Raises:
        SystemExit: with status 2 and one sentence for what cannot be.
    """
    own = pays_parser().parse_args(words[1:])
    try:
        found = _found(own)
    except (ValueError, OSError) as error:
        sys.exit(refuse(PROG, error))
    defaults = parser().parse_args(["--budget", found["budget"]])
    return argparse.Namespace(**(vars(defaults) | vars(own) | found | {"words": words, "mode": "frontier"}))


def _found(own: argparse.Namespace) -> dict[str, Any]:
    small = own.input <= SMALL_INPUT
    name = own.start or STARTS["cifar" if small else "imagenet"]
    start = start_named(name)
    if own.budget is not None:
        start = solve_width(start, Budget.parse(own.budget).macs, measure_at(own.input, own.classes))
    directions = list(dict.fromkeys(each for word in own.directions for each in word.split(",") if each))
    spent = spend(start, own.factors, input_size=own.input, classes=own.classes, directions=directions)
    for sentence in spent.left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    most = max(cost(each.config, each.input_size, own.classes).macs for each in spent.settings)
    own.landmarks = ["auto"]
    take_seeds(own)
    factors = tuple(sorted({float(each) for each in own.factors}))
    sweep = DirectionSweep(name, start, tuple(directions), factors)
    return {"budget": str(most), "trials": len(spent.settings), "pays": sweep, "start": None, "seeds": None}
