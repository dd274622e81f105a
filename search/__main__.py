"""python -m search --budget 4.1GFLOPs: the main job."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from results.objective import timing_text
from search.arguments import landmarks_for, parser, split, target_of
from search.interrupts import ignore_signals, interruptible
from search.settings import SAMPLERS, Settings, check_name, check_objective
from space import CONVENTION
from space.command import refuse, silence

if TYPE_CHECKING:
    from evaluate.data import ImageData
    from evaluate.known import KnownFidelity
    from evaluate.recipe import Recipe
    from search.executor import Executor
    from search.study import Search

RUNS = Path("runs")


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print. Exit status 2 with one sentence for anything that the user can mend, 130 for Ctrl-C."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["status"]:
        from search.status import main as status

        return status(words[1:])
    args = parser().parse_args(words, argparse.Namespace(words=words))
    try:
        with interruptible():
            return _answer(args)
    except KeyboardInterrupt:
        return _interrupted()


def _answer(args: argparse.Namespace) -> int:
    try:
        return dry_run(args) if args.dry_run is not None else search(args)
    except BrokenPipeError:
        silence()
        return 1
    except (ValueError, OSError) as error:
        return refuse("python -m search", error)


def fidelity_line(known: Sequence[KnownFidelity], data: str, recipe: str) -> str:
    """What is known of the recipe's fidelity on these data, or what to type to learn it."""
    from evaluate.known import fidelity_sentence

    if known:
        return fidelity_sentence(known)
    command = shlex.join(["python", "-m", "evaluate", "fidelity", "--data", data, "--recipe", recipe])
    return f"fidelity unknown: type {command}"


def check(args: argparse.Namespace) -> None:
    """Raise ValueError for what can be refused before anything heavy is loaded."""
    if args.trials < 0:
        raise ValueError(f"--trials {args.trials}: expected how many networks to sample, such as --trials 40")
    if args.json and args.dry_run is None:
        raise ValueError("--json goes with --dry-run; a run writes runs/NAME/trials.csv")
    if args.quiet and args.verbose:
        raise ValueError("--quiet and --verbose: expected one of them")
    if args.name is not None:
        check_name(args.name)
    if args.sampler not in SAMPLERS:
        raise ValueError(f"--sampler {args.sampler!r}: expected one of {', '.join(SAMPLERS)}")
    if args.workers < 1:
        raise ValueError(f"--workers {args.workers}: expected how many networks to train at once, such as --workers 2")
    if not 0 < args.gpu_fraction <= 1:
        raise ValueError(f"--gpu-fraction {args.gpu_fraction:g}: expected a part of a GPU, such as --gpu-fraction 0.5")
    if (args.objective == "latency" or args.max_latency is not None) and (args.workers > 1 or args.ray_address):
        raise ValueError("latency is measured with nothing else running: leave out --workers and --ray-address")
    check_objective(args.objective, args.mode)


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
        landmarks=landmarks_for(args.landmarks, target),
        objective=args.objective,
        timing=timing_on(device) if timed else None,
        max_params=target.limits.max_params,
        max_activations=target.limits.max_activations,
        max_latency=args.max_latency,
        early_stopping=args.early_stopping,
        refine=args.refine,
        warm_start=check_warm(args.warm_start, name),
    )


def dry_run(args: argparse.Namespace) -> int:
    """Print sampled networks, what they cost, and what a run would take."""
    if args.dry_run < 1:
        raise ValueError(f"--dry-run {args.dry_run}: expected how many networks to print, such as --dry-run 10")
    check(args)
    target_of(args)
    print(CONVENTION + ".", file=sys.stderr if args.json else sys.stdout, flush=True)

    from evaluate.device import resolve_device
    from evaluate.presets import default_recipe, find_recipe
    from search.dry_run import dry_run as draw_and_time

    device = resolve_device(args.device)
    recipe = find_recipe(args.recipe) if args.recipe else default_recipe(device, args.data)
    settings = settings_of(args, recipe, device)
    draw_and_time(
        settings, recipe, device, count=args.dry_run, trials=args.trials, workers=args.workers, as_json=args.json
    )
    return 0


def executor_for(
    args: argparse.Namespace, settings: Settings, recipe: Recipe, data: ImageData, device: str
) -> Executor:
    """Where networks are measured: in this process, or on Ray."""
    from search.evaluation import Evaluator

    evaluate = Evaluator(settings, recipe, data, device)
    if args.workers == 1 and not args.ray_address:
        from search.executor import InProcess

        return InProcess(evaluate)
    from search.ray_executor import OnRay

    return OnRay(
        evaluate, workers=args.workers, gpu_fraction=args.gpu_fraction, device=device, address=args.ray_address
    )


def introduction(args: argparse.Namespace, run: Search, data: ImageData, device: str, fidelity: str) -> str:
    """What is searched, how, and how far the scores can be trusted."""
    settings = run.settings
    target = settings.target
    size = f"{target.input_size}x{target.input_size}"
    lines = [f"run {run.directory}: budget {target.budget} at {size}, {target.classes} classes"]
    if target.limits:
        lines.append(f"limits {target.limits}")
    how = [f"mode {settings.mode}", f"families {', '.join(settings.families)}", f"sampler {settings.sampler}"]
    how += [f"refine {settings.refine:g}"] if settings.refine else []
    how += ["early stopping"] if settings.early_stopping else []
    lines.append("; ".join([*how, f"seed {settings.seed}"]))
    origin = f" ({data.origin})" if data.origin else ""
    train, held_out = len(data.train_labels), len(data.val_labels)
    lines.append(f"data {data.name}{origin}: {train} images to train, {held_out} held out of train")
    workers = f", {args.workers} workers" if args.workers > 1 else ""
    lines.append(f"device {device}{workers}")
    if settings.timing is not None:
        limit = f"; at most {settings.max_latency:g} ms" if settings.max_latency is not None else ""
        timing = timing_text(settings.timing)
        lines.append(f"latency at batch 1 on {timing}{limit}; leave the machine alone while it is measured")
    lines.append(f"recipe {', '.join(f'{key} {value}' for key, value in settings.recipe.items())}")
    return "\n".join([*lines, fidelity])


def search(args: argparse.Namespace) -> int:
    """The main job."""
    check(args)
    target_of(args)
    if not args.quiet:
        print(CONVENTION + ".", flush=True)

    from evaluate.data import data_name, load_data
    from evaluate.device import resolve_device
    from evaluate.known import fidelity_of
    from evaluate.presets import default_recipe, find_recipe
    from evaluate.train import check_data
    from search.study import Search, environment

    device = resolve_device(args.device)
    recipe = find_recipe(args.recipe) if args.recipe else default_recipe(device, args.data)
    settings = settings_of(args, recipe, device)
    data = load_data(args.data, recipe.resolution, args.seed, recipe.train_images)
    check_data(recipe, data)
    known = fidelity_of(recipe, data.key)
    fidelity = fidelity_line(known, args.data, args.recipe or recipe.name)
    with Search(RUNS / settings.name, settings, args.storage) as run:
        versions = environment(device)
        notes = {"sentence": fidelity, "known": bool(known)}
        run.record(versions, data_name(args.data), data.key, notes, args.workers)
        if not args.quiet:
            print(introduction(args, run, data, device, fidelity), flush=True)
        executor = executor_for(args, settings, recipe, data, device)
        try:
            interrupted = feed(args, run, executor, data.key, versions)
        finally:
            executor.close()
        return finish(run, args.storage, interrupted)


def feed(args: argparse.Namespace, run: Search, executor: Executor, data_key: str, versions: dict[str, str]) -> bool:
    """Measure what is missing. Returns whether it was interrupted."""
    from evaluate.recipe import Recipe
    from search.console import NORMAL, QUIET, VERBOSE, RunDisplay
    from search.log import RunLog
    from search.loop import Loop
    from search.proposals import Proposer
    from search.rungs import rungs_of
    from search.warm import suggestions, warm_start

    settings = run.settings
    for sentence in warm_start(run, args.warm_start, data_key):
        print(sentence, flush=True)
    landmarks, missing = len(run.landmarks_left()), run.samples_left(args.trials)
    done = len(run.finished("landmark")) + len(run.finished("sample"))
    if not args.quiet:
        total = f"{len(settings.landmarks)} landmarks and {args.trials} sampled networks"
        print(f"{total}; {done} are done", flush=True)
    proposer = Proposer(
        settings.families,
        settings.target,
        sampler=settings.sampler,
        seed=settings.seed,
        refine=settings.refine,
        known=run.outcomes(),
        suggestions=suggestions(run),
    )
    verbosity = QUIET if args.quiet else VERBOSE if args.verbose else NORMAL
    display = RunDisplay(done + landmarks + missing, done, run.points(), executor.slots, verbosity)
    log = RunLog(run.directory / "log.jsonl", display.observe)
    log.begin(
        versions=versions, device=versions["device"], command=public_command(args), settings=settings.to_json(),
        storage=args.storage, workers=executor.slots, trials=args.trials, done=done, left=landmarks + missing,
    )  # fmt: skip
    rungs = rungs_of(Recipe.from_json(settings.recipe)) if settings.early_stopping else ()
    try:
        with display:
            for event in Loop(run, proposer, executor, log, rungs).run(args.trials):
                display.show(event)
    except KeyboardInterrupt:
        log.end("interrupted")
        return True
    except Exception as error:
        log.end("error", " ".join(str(error).split()))
        raise
    else:
        log.end("done")
        return False
    finally:
        if log.trouble:
            print(log.trouble, file=sys.stderr)


def public_command(args: argparse.Namespace) -> list[str]:
    """The words of the command line, the storage without its password."""
    from results.storage import public_url

    words = [str(word) for word in args.words]
    if args.storage:
        words = [word.replace(args.storage, public_url(args.storage)) for word in words]
    return words


def finish(run: Search, storage: str | None, interrupted: bool) -> int:
    """Write tables and pictures, show the frontier."""
    from results import frontier_table, load_run, write_outputs

    result = load_run(run.directory, storage=storage)
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
        print(f"interrupted; finished networks are kept. To go on, repeat the command (run {run.settings.name!r}).")
        return 130
    return 0


def _interrupted() -> int:
    """Say so. Who types Ctrl-C once more has been heard."""
    try:
        ignore_signals()
    except KeyboardInterrupt:
        return _interrupted()
    print("interrupted; finished networks are kept. To go on, repeat the command.", file=sys.stderr)
    return 130


if __name__ == "__main__":
    status = main()
    ignore_signals()
    sys.exit(status)
