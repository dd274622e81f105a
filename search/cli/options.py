"""The command line of `python -m search`; `search.cli.arguments` says what its words mean."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from results.plots import PLOTS
from results.run.objective import OBJECTIVES
from search.cli.request import DEFAULT_DATA, DEFAULT_REFINE, DEFAULT_SAMPLER, UNTRAINED_REFINE, UNTRAINED_SAMPLER
from search.run.settings import SAMPLERS
from space import CONVENTION
from space.own_families import families_named
from space.shell.command import Parser, seed
from space.solving.axes import searched
from space.solving.vary import AXES

DEFAULT_TRIALS = 40


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m search",
        description="Sample networks that cost a budget, score them by proxy training, draw the frontier. "
        + CONVENTION
        + ". To look at a run from another terminal: python -m search status RUN. To compare what more compute buys in "
        "depth, width, cardinality or resolution: python -m search pays.",
    )
    add = parser.add_argument
    add("--budget", required=True, help='compute for one image: "4.1GFLOPs", "600M", "4.1e9"')
    add(
        "--trials",
        type=int,
        default=DEFAULT_TRIALS,
        metavar="N",
        help="sampled networks in the whole run, landmarks not counted; the same command continues a run (%(default)s)",
    )
    add("--name", help="directory under runs/ (default: made of budget, mode, data and recipe)")

    add = parser.add_argument_group("what to search").add_argument
    add(
        "--families",
        nargs="+",
        default=list(searched()),
        type=families_named,
        metavar="FAMILY",
        help=f"some of {', '.join(searched())} (all), or your own as FILE.py:NAME (see docs/own_family.md)",
    )
    add(
        "--mode",
        default="frontier",
        metavar="MODE",
        help="frontier: spend any part of the budget, most top-1 for least FLOPs; match: all of it (%(default)s)",
    )
    add("--max-params", metavar="N", help='limit beside the budget, solved for like it: "25M"')
    add("--max-activations", metavar="N", help='the same for the output elements of all convolutions: "11M"')
    add(
        "--max-latency",
        type=float,
        metavar="MS",
        help="milliseconds of the whole network on this device at batch 1; slower ones are not trained",
    )
    add(
        "--objective",
        default="macs",
        metavar="NAME",
        help=f"what the frontier holds against top-1, {' or '.join(OBJECTIVES)}: multiply-adds, or milliseconds of the "
        "whole network on this device at batch 1, which a busy machine makes noisy (%(default)s)",
    )
    add("--input", type=int, default=224, help="input size that the budget is counted at (%(default)s)")
    add("--classes", type=int, default=1000, help="classes that the budget is counted at (%(default)s)")
    add(
        "--landmarks",
        nargs="+",
        default=["auto"],
        metavar="NAME",
        help='published networks to score too: names, families, "auto" or "none"; of a family those that cost at most '
        "5%% more than the budget, and auto is all families but regnetx and regnety (auto)",
    )
    add(
        "--landmark",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="landmarks of your own, JSON or CSV (see space.own_landmarks): shown beside the published ones, and "
        "scored like them where they have a configuration",
    )

    add_sweep(parser)
    score = add_scoring(parser)
    score(
        "--score",
        metavar="NAME",
        help="what to go by: expected, the error that a network is expected to reach if it is trained as the published "
        "ones were (docs/expected.md), or proxy, the top-1 of its short training (what ranks better here)",
    )
    score(
        "--repeats",
        type=int,
        default=0,
        metavar="K",
        help="when all is done, train each network on the frontier K times more, from other seeds: it shows how "
        "certain the frontier is; in match mode the 5 best (%(default)s)",
    )

    add = parser.add_argument_group("how to propose").add_argument
    add(
        "--sampler",
        metavar="NAME",
        help=f"{', '.join(SAMPLERS)} ({DEFAULT_SAMPLER}; with --recipe none {UNTRAINED_SAMPLER})",
    )
    add(
        "--refine",
        type=float,
        metavar="PART",
        help="part of the later proposals that change one thing of a frontier member, from 0 to 1 "
        f"({DEFAULT_REFINE:g}; with --recipe none {UNTRAINED_REFINE:g})",
    )
    add(
        "--early-stopping",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="stop the training of a network that falls behind others near its cost (%(default)s)",
    )
    add(
        "--warm-start",
        nargs="+",
        default=[],
        metavar="RUN",
        help="directories of earlier runs to begin with: their scores where recipe, data and seed agree, else the "
        "shapes of their best networks",
    )

    add_running(parser)
    printing = add_printing(parser)
    printing(
        "--dry-run", type=int, metavar="N", help="draw N networks, say what they and a run cost; nothing is recorded"
    )
    printing("--json", action="store_true", help="with --dry-run: one JSON object a line")
    return parser


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """The options of a sweep: listed networks in place of samples."""
    add = parser.add_argument_group("what to train in place of samples").add_argument
    add(
        "--sweep",
        nargs="+",
        metavar="AXIS=VALUES",
        help="with --mode match: one network a value, or a pair of values of two axes, everything else solved to the "
        "budget, such as cardinality=1,2,4,8,32 (inner widths solved, outer ones kept), depth=10,16,28 (all widths "
        f"solved), widening=1,2,4 (depth solved); axes are {', '.join(AXES)}",
    )
    add_start(add)


def add_start(add: Callable[..., object]) -> None:
    """What every comparison from one network has, by a parser's or a group's `add_argument`."""
    add(
        "--start",
        metavar="NETWORK",
        help="the network that is changed: a landmark, or a JSON file with a configuration (by axis and input size)",
    )
    add(
        "--seeds",
        type=int,
        metavar="K",
        help="trainings of each network, from so many seeds; intervals and verdicts need two or more (1)",
    )


def add_scoring(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """How networks are scored; gives the group's own `add_argument`."""
    add = parser.add_argument_group("how to score").add_argument
    add(
        "--data",
        default=DEFAULT_DATA,
        help="fractals (made by a program), digits (embedded), a folder of parquet files or of images, or a hub name "
        "(%(default)s)",
    )
    add(
        "--skip-broken",
        action="store_true",
        help="go on without images that cannot be decoded, and record them; without it they are listed",
    )
    add(
        "--recipe",
        help="how networks are trained: a preset or a JSON file (default: by data and device); none: not at all, "
        "thousands are scored by their counts",
    )
    add("--seed", type=seed, default=0, help="(%(default)s)")
    return add


def add_running(parser: argparse.ArgumentParser) -> None:
    """Where networks are trained."""
    add = parser.add_argument_group("where to run").add_argument
    add("--device", default="auto", help="auto, cpu or cuda (%(default)s)")
    add(
        "--workers",
        type=workers,
        metavar="N",
        help="networks at the same time, each in a process of its own, or in this one if it is 1; auto is one a CPU "
        "core or GPU, as far as memory holds, or all that a Ray cluster has (auto)",
    )
    add(
        "--gpu-fraction",
        type=float,
        default=1.0,
        metavar="PART",
        help="part of a GPU that one network takes, for --workers auto and for Ray (1)",
    )
    add(
        "--ray-address",
        metavar="ADDRESS",
        help='train on the machines of a Ray cluster: "auto" or "HOST:PORT"; needs Ray',
    )
    add("--storage", metavar="URL", help="an Optuna storage instead of runs/NAME/study.db, such as postgresql://...")


def workers(text: str) -> int | None:
    """``--workers`` as argparse reads it: a number, or None for auto."""
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text[:50]!r}: expected how many networks to train at once, such as 2, or auto"
        ) from None


def add_printing(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """What is printed and drawn; gives the group's own `add_argument`."""
    add = parser.add_argument_group("what to print").add_argument
    add(
        "--plots",
        nargs="+",
        default=["all"],
        metavar="NAME",
        help=f'pictures to leave: some of {", ".join(PLOTS)}; "all", with the page; or "none": python -m results draws '
        "them later (all)",
    )
    add("-q", "--quiet", action="store_true", help="only errors, the frontier and what was written")
    add("-v", "--verbose", action="store_true", help="also what is sent out, tried again and judged")
    return add
