"""python -m search --budget 4.1GFLOPs: the main job."""

from __future__ import annotations

import argparse
import json
import random
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from results.objective import OBJECTIVES, timing_text
from search.settings import SAMPLERS, Settings, check_name, check_objective
from space import CONVENTION, Budget, cost, gflops
from space.command import Parser, refuse, silence
from space.design import DESIGN, MODES, Target, check_families, draw
from space.landmarks import LANDMARKS, landmark

if TYPE_CHECKING:
    from evaluate.known import KnownFidelity

RUNS = Path("runs")
DEFAULT_TRIALS = 40
WITHIN = 1.05  # landmarks that cost up to this times the budget are scored


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m search",
        description="Sample networks that cost a budget, score them by proxy training, draw the frontier. "
        + CONVENTION
        + ".",
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
    add("--families", nargs="+", default=list(DESIGN), metavar="FAMILY", help=f"some of {', '.join(DESIGN)} (all)")
    add(
        "--mode",
        default="frontier",
        metavar="MODE",
        help="frontier: spend any part of the budget, most top-1 for least FLOPs; match: all of it (%(default)s)",
    )
    add(
        "--objective",
        default="macs",
        metavar="NAME",
        help=f"what the frontier holds against top-1, {' or '.join(OBJECTIVES)}: multiply-adds, or milliseconds of the "
        "whole network on this device at batch 1, which a busy machine makes noisy (%(default)s)",
    )
    add(
        "--data",
        default="digits",
        help="digits (embedded), a folder of parquet files or of images, or a hub name (%(default)s)",
    )
    add("--recipe", help="how networks are trained: a preset or a JSON file (default: by data and device)")
    add("--sampler", default="tpe", metavar="NAME", help=f"{', '.join(SAMPLERS)} (%(default)s)")
    add(
        "--landmarks",
        nargs="+",
        default=["auto"],
        metavar="NAME",
        help='published networks to score too; "auto": all that cost at most 5%% more than the budget; "none"',
    )
    add("--input", type=int, default=224, help="input size that the budget is counted at (%(default)s)")
    add("--classes", type=int, default=1000, help="classes that the budget is counted at (%(default)s)")
    add("--device", default="auto", help="auto, cpu or cuda (%(default)s)")
    add("--seed", type=int, default=0, help="(%(default)s)")
    add("--storage", metavar="URL", help="an Optuna storage instead of runs/NAME/study.db")
    add("--dry-run", type=int, metavar="N", help="only print N sampled networks and their cost; nothing is trained")
    add("--json", action="store_true", help="with --dry-run: one JSON object a line")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print. Exit status 2 with one sentence for anything that the user can mend, 130 for Ctrl-C."""
    args = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return dry_run(args) if args.dry_run is not None else search(args)
    except KeyboardInterrupt:
        print("interrupted before the first network; to start again, repeat the command.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        silence()
        return 1
    except (ValueError, OSError) as error:
        return refuse("python -m search", error)


def split(words: list[str]) -> tuple[str, ...]:
    """Names given as several words, or separated by commas; each once."""
    return tuple(dict.fromkeys(name for word in words for name in word.split(",") if name))


def target_of(args: argparse.Namespace) -> Target:
    """What the budget is counted at, checked."""
    if args.mode not in MODES:
        raise ValueError(f"--mode {args.mode!r}: expected one of {', '.join(MODES)}")
    target = Target(Budget.parse(args.budget), args.mode, args.input, args.classes)
    families = split(args.families)
    if not families:
        raise ValueError(f"--families names no family: expected some of {', '.join(DESIGN)}")
    check_families(families, target)
    return target


def dry_run(args: argparse.Namespace) -> int:
    """Print sampled networks and their cost."""
    if args.dry_run < 1:
        raise ValueError(f"--dry-run {args.dry_run}: expected how many networks to print, such as --dry-run 10")
    target = target_of(args)
    print(CONVENTION + ".", file=sys.stderr if args.json else sys.stdout)
    rng = random.Random(args.seed)
    for _ in range(args.dry_run):
        family, proposal = draw(target, rng, split(args.families))
        counted = cost(proposal.config, args.input, args.classes)
        if args.json:
            row = {"family": family, "config": proposal.config.to_json(), "macs": counted.macs,
                   "target_macs": proposal.target_macs, "params": counted.params}  # fmt: skip
            print(json.dumps(row))
        else:
            from results import describe

            print(f"{family:12} {gflops(counted.macs):>6}FLOPs of {gflops(proposal.target_macs):>6}  "
                  f"{counted.params / 1e6:6.1f}M params  {describe(proposal.config)}")  # fmt: skip
    return 0


def landmarks_for(words: list[str], target: Target) -> tuple[str, ...]:
    """The landmarks to score: those named, or all of the target's kind that cost at most 5 % more than the budget."""
    names = split(words)
    if names == ("none",):
        return ()
    if names != ("auto",):
        for name in names:
            landmark(name)
        return names
    costs = {
        name: cost(entry.config, target.input_size, target.classes).macs
        for name, entry in LANDMARKS.items()
        if entry.config is not None and entry.target == target.kind
    }
    return tuple(name for name, macs in costs.items() if macs <= WITHIN * target.budget.macs)


def fidelity_line(known: Sequence[KnownFidelity], data: str, recipe: str) -> str:
    """What is known of the recipe's fidelity on these data, or what to type to learn it."""
    from evaluate.known import fidelity_sentence

    if known:
        return fidelity_sentence(known)
    command = shlex.join(["python", "-m", "evaluate", "fidelity", "--data", data, "--recipe", recipe])
    return f"fidelity unknown: type {command}"


def search(args: argparse.Namespace) -> int:
    """The main job."""
    if args.trials < 0:
        raise ValueError(f"--trials {args.trials}: expected how many networks to sample, such as --trials 40")
    if args.json:
        raise ValueError("--json goes with --dry-run; a run writes runs/NAME/trials.csv")
    if args.name is not None:
        check_name(args.name)
    target = target_of(args)
    landmarks = landmarks_for(args.landmarks, target)
    if args.sampler not in SAMPLERS:
        raise ValueError(f"--sampler {args.sampler!r}: expected one of {', '.join(SAMPLERS)}")
    check_objective(args.objective, args.mode)
    print(CONVENTION + ".", flush=True)

    from evaluate.data import data_name, load_data
    from evaluate.device import resolve_device
    from evaluate.known import fidelity_of
    from evaluate.presets import default_recipe, find_recipe
    from evaluate.train import check_data
    from results import frontier_table, load_run, write_outputs
    from search.console import RunDisplay
    from search.evaluation import evaluator, timing_on
    from search.study import Search, environment

    device = resolve_device(args.device)
    recipe = find_recipe(args.recipe) if args.recipe else default_recipe(device, args.data)
    name = args.name or "-".join(
        [str(target.budget), args.mode, data_name(args.data), recipe.name]
        + ([f"{args.input}px"] if args.input != 224 else [])
        + ([args.objective] if args.objective != "macs" else [])
    )
    settings = Settings(
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
        landmarks=landmarks,
        objective=args.objective,
        timing=timing_on(device) if args.objective == "latency" else None,
    )
    data = load_data(args.data, recipe.resolution, args.seed, recipe.train_images).to(device)
    check_data(recipe, data)
    run = Search(RUNS / name, settings, args.storage)
    known = fidelity_of(recipe, data.key)
    fidelity = fidelity_line(known, args.data, args.recipe or recipe.name)
    run.record(environment(device), data_name(args.data), {"sentence": fidelity, "known": bool(known)})
    print(f"run {run.directory}: budget {target.budget} at {args.input}x{args.input}, {args.classes} classes")
    print(f"mode {args.mode}; families {', '.join(settings.families)}; sampler {args.sampler}; seed {args.seed}")
    origin = f" ({data.origin})" if data.origin else ""
    print(
        f"data {data.name}{origin}: {len(data.train_labels)} images to train, {len(data.val_labels)} held out of train"
    )
    print(f"device {device}")
    if settings.timing is not None:
        print(f"latency at batch 1 on {timing_text(settings.timing)}; leave the machine alone while it is measured")
    print(f"recipe {', '.join(f'{key} {value}' for key, value in recipe.to_json().items())}")
    print(fidelity)
    left, missing = run.landmarks_left(), run.samples_left(args.trials)
    done = len(run.finished("landmark")) + len(run.finished("sample"))
    print(f"{len(landmarks)} landmarks and {args.trials} sampled networks; {done} are done", flush=True)
    interrupted = False
    try:
        with RunDisplay(done + len(left) + missing, done, run.points(), target.budget.macs) as display:
            for event in run.run(args.trials, evaluator(settings, recipe, data, device)):
                display.show(event)
    except KeyboardInterrupt:
        interrupted = True
    result = load_run(run.directory, storage=args.storage)
    try:
        paths = write_outputs(result)
    except OSError as error:
        raise ValueError(
            f"{run.directory}: tables and pictures cannot be written ({error.strerror}); the study is kept. "
            f"Make room, then type python -m results {run.directory}"
        ) from error
    print()
    print(frontier_table(result))
    print("written: " + ", ".join(str(path) for path in paths))
    if interrupted:
        print(f"interrupted; finished networks are kept. To go on, repeat the command (run {name!r}).")
        return 130
    return 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
