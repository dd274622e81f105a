"""The command line of `python -m search`, and what its words mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from results.objective import OBJECTIVES
from results.plots import PLOTS, check_names
from search.settings import SAMPLERS, Settings, check_name, check_objective, check_sampler
from space import CONVENTION, FAMILIES, Budget, Config
from space.command import Parser
from space.design import DESIGN, MODES, Target, check_families
from space.landmarks import LANDMARKS, landmark
from space.limits import Limits
from space.own_landmarks import read_landmarks

if TYPE_CHECKING:
    from evaluate.recipe import Recipe

DEFAULT_TRIALS = 40
DEFAULT_SAMPLER = "tpe"
DEFAULT_REFINE = 0.0
WITHIN = 1.05  # landmarks that cost up to this times the budget are scored
NAMED_ALONE = ("regnetx",)  # scored if named: no family of the search, and seven more trainings at 4.1 G


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m search",
        description="Sample networks that cost a budget, score them by proxy training, draw the frontier. "
        + CONVENTION
        + ". To look at a run from another terminal: python -m search status RUN.",
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
    add("--families", nargs="+", default=list(DESIGN), metavar="FAMILY", help=f"some of {', '.join(DESIGN)} (all)")
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
        "5%% more than the budget, and auto is all families but regnetx (auto)",
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

    add = parser.add_argument_group("how to score").add_argument
    add(
        "--data",
        default="digits",
        help="digits (embedded), a folder of parquet files or of images, or a hub name (%(default)s)",
    )
    add("--recipe", help="how networks are trained: a preset or a JSON file (default: by data and device)")
    add("--seed", type=int, default=0, help="(%(default)s)")
    add(
        "--repeats",
        type=int,
        default=0,
        metavar="K",
        help="when all is done, train each network on the frontier K times more, from other seeds: it shows how "
        "certain the frontier is; in match mode the 5 best (%(default)s)",
    )

    add = parser.add_argument_group("how to propose").add_argument
    add("--sampler", default=DEFAULT_SAMPLER, metavar="NAME", help=f"{', '.join(SAMPLERS)} (%(default)s)")
    add(
        "--refine",
        type=float,
        default=DEFAULT_REFINE,
        metavar="PART",
        help="part of the later proposals that change one thing of a frontier member, from 0 to 1 (%(default)s)",
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

    add = parser.add_argument_group("where to run").add_argument
    add("--device", default="auto", help="auto, cpu or cuda (%(default)s)")
    add("--workers", type=int, default=1, metavar="N", help="networks at the same time; 2 or more need Ray (1)")
    add("--gpu-fraction", type=float, default=1.0, metavar="PART", help="part of a GPU that one network takes (1)")
    add("--ray-address", metavar="ADDRESS", help='join a Ray cluster: "auto" or "HOST:PORT"')
    add("--storage", metavar="URL", help="an Optuna storage instead of runs/NAME/study.db, such as postgresql://...")

    add = parser.add_argument_group("what to print").add_argument
    add("--dry-run", type=int, metavar="N", help="draw N networks, say what they and a run cost; nothing is recorded")
    add("--json", action="store_true", help="with --dry-run: one JSON object a line")
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
    return parser


def check(args: argparse.Namespace) -> None:
    """Raise ValueError for what can be refused before anything heavy is loaded."""
    if args.dry_run is not None and args.dry_run < 1:
        raise ValueError(f"--dry-run {args.dry_run}: expected how many networks to print, such as --dry-run 10")
    if args.trials < 0:
        raise ValueError(f"--trials {args.trials}: expected how many networks to sample, such as --trials 40")
    if args.repeats < 0:
        raise ValueError(f"--repeats {args.repeats}: expected how many more trainings, such as --repeats 2")
    if args.json and args.dry_run is None:
        raise ValueError("--json goes with --dry-run; a run writes runs/NAME/trials.csv")
    plots_of(args)
    if args.quiet and args.verbose:
        raise ValueError("--quiet and --verbose: expected one of them")
    if args.name is not None:
        check_name(args.name)
    check_sampler(args.sampler)
    if args.workers < 1:
        raise ValueError(f"--workers {args.workers}: expected how many networks to train at once, such as --workers 2")
    if not 0 < args.gpu_fraction <= 1:
        raise ValueError(f"--gpu-fraction {args.gpu_fraction:g}: expected a part of a GPU, such as --gpu-fraction 0.5")
    if (args.objective == "latency" or args.max_latency is not None) and (args.workers > 1 or args.ray_address):
        raise ValueError("latency is measured with nothing else running: leave out --workers and --ray-address")
    check_objective(args.objective, args.mode)
    target_of(args)
    read_landmarks(*args.landmark)


def split(words: list[str]) -> tuple[str, ...]:
    """Names given as several words, or separated by commas; each once."""
    return tuple(dict.fromkeys(name for word in words for name in word.split(",") if name))


def plots_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The pictures that a run leaves, by name."""
    return () if split(args.plots) == ("none",) else check_names("--plots", args.plots, tuple(PLOTS))


def target_of(args: argparse.Namespace) -> Target:
    """What the budget is counted at, checked."""
    if args.mode not in MODES:
        raise ValueError(f"--mode {args.mode!r}: expected one of {', '.join(MODES)}")
    limits = Limits.parse(args.max_params, args.max_activations)
    target = Target(Budget.parse(args.budget), args.mode, args.input, args.classes, limits)
    families = split(args.families)
    if not families:
        raise ValueError(f"--families names no family: expected some of {', '.join(DESIGN)}")
    check_families(families, target)
    return target


def landmarks_for(words: list[str], target: Target) -> tuple[str, ...]:
    """The landmarks to score: those named, and those of each family named that fit.

    A landmark fits if it is of the target's kind and at most 5 % over budget and limits; "auto" names all families but
    those of `NAMED_ALONE`.

    Raises:
        ValueError: for an unknown name, for one without a configuration, and for a family of which none fits.
    """
    names = split(words)
    if names == ("none",):
        return ()
    chosen: dict[str, None] = {}
    for name in names:
        if name != "auto" and name not in FAMILIES:
            landmark(name)
            chosen[name] = None
            continue
        found = [
            each.name
            for each in LANDMARKS.values()
            if (each.family not in NAMED_ALONE if name == "auto" else each.family == name)
            and each.config is not None
            and each.target == target.kind
            and near(each.config, target)
        ]
        if not found and name != "auto":
            raise ValueError(f"--landmarks {name}: no published network of this family is within the budget")
        chosen |= dict.fromkeys(found)
    return tuple(chosen)


def near(config: Config, target: Target) -> bool:
    """Whether a landmark is at most 5 % over the budget and the limits."""
    macs = target.budget.macs
    return target.limits.measure(macs, target.input_size, target.classes)(config) <= WITHIN * macs


def settings_of(args: argparse.Namespace, recipe: Recipe, device: str) -> Settings:
    """What makes this run the run that it is."""
    from evaluate.data import data_name
    from search.evaluation import timing_on
    from search.warm import check as check_warm

    target = target_of(args)
    parts = [str(target.budget), args.mode, data_name(args.data), recipe.name]
    parts += [f"{args.input}px"] if args.input != 224 else []
    parts += [args.objective] if args.objective != "macs" else []
    parts += [f"{limit}{word}" for limit, word in (
        (args.max_params, "params"), (args.max_activations, "activations"), (args.max_latency, "ms"),
    ) if limit is not None]  # fmt: skip
    name = args.name or "-".join(parts)
    timed = args.objective == "latency" or args.max_latency is not None
    own = read_landmarks(*args.landmark)
    scored = [each.name for each in own if each.config and each.target == target.kind and near(each.config, target)]
    return Settings(
        name=name,
        budget_macs=target.budget.macs,
        mode=args.mode,
        families=split(args.families),
        data=args.data,
        recipe=recipe.to_json(),
        input_size=args.input,
        classes=args.classes,
        sampler=args.sampler,
        seed=args.seed,
        landmarks=(*landmarks_for(args.landmarks, target), *scored),
        objective=args.objective,
        timing=timing_on(device) if timed else None,
        max_params=target.limits.max_params,
        max_activations=target.limits.max_activations,
        max_latency=args.max_latency,
        early_stopping=args.early_stopping,
        refine=args.refine,
        warm_start=check_warm(args.warm_start, name),
        own_landmarks=tuple(each.to_json() for each in own),
    )
