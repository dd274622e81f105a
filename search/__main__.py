"""python -m search --budget 4.1GFLOPs: the main job."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from search.cli.arguments import check, plots_of, settings_of
from search.cli.options import parser
from space import CONVENTION
from space.shell.command import refuse, silence
from space.shell.interrupts import ignore_signals, interruptible, terminate_as_interrupt
from space.shell.words import amount

if TYPE_CHECKING:
    from evaluate.images.load import ImageData
    from evaluate.training.recipe import Recipe
    from search.propose.listed import Listed
    from search.propose.proposer import Proposer
    from search.run.settings import Settings
    from search.run.study import Search
    from search.workers.executor import Executor

RUNS = Path("runs")


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print. Exit status 2 with one sentence for anything that the user can mend, 130 for Ctrl-C."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["status"]:
        from search.cli.status import main as status

        return status(words[1:])
    if words[:1] == ["pays"]:
        from search.cli.which_axis import read

        args = read(words)
    else:
        args = parser().parse_args(words, argparse.Namespace(words=words))
    try:
        terminate_as_interrupt()
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


def prepare(args: argparse.Namespace) -> tuple[Settings, Recipe, str]:
    """The run's settings, its recipe and its device; what can be refused before anything heavy is loaded, is."""
    target, own = check(args)
    if args.dry_run is not None or not args.quiet:
        print(CONVENTION + ".", file=sys.stderr if args.json else sys.stdout, flush=True)

    from evaluate.training.device import resolve_device
    from evaluate.training.presets import default_recipe, find_recipe

    device = resolve_device(args.device)
    recipe = find_recipe(args.recipe, args.input) if args.recipe else default_recipe(device, args.data)
    return settings_of(args, target, own, recipe, device), recipe, device


def dry_run(args: argparse.Namespace) -> int:
    """Print sampled networks, what they cost, and what a run would take."""
    settings, recipe, device = prepare(args)
    if settings.sweep is not None:
        from search.cli.dry_run import dry_sweep

        dry_sweep(settings, recipe, device, repeats=args.repeats, workers=args.workers)
        return 0
    from search.cli.dry_run import dry_run as draw_and_time

    draw_and_time(
        settings, recipe, device, count=args.dry_run, trials=args.trials, repeats=args.repeats, workers=args.workers,
        as_json=args.json,
    )  # fmt: skip
    return 0


def executor_for(
    args: argparse.Namespace, settings: Settings, recipe: Recipe, data: ImageData, device: str
) -> Executor:
    """Where networks are measured: in this process, or on Ray."""
    from search.workers.evaluation import Evaluator

    evaluate = Evaluator(settings, recipe, data, device)
    if args.workers == 1 and not args.ray_address:
        from search.workers.executor import InProcess

        return InProcess(evaluate)
    from search.workers.ray_executor import OnRay

    return OnRay(
        evaluate, workers=args.workers, gpu_fraction=args.gpu_fraction, device=device, address=args.ray_address
    )


def search(args: argparse.Namespace) -> int:
    """The main job."""
    settings, recipe, device = prepare(args)
    from evaluate.fidelity.shipped import fidelity_of
    from evaluate.images.load import data_name, load_data
    from evaluate.training.proxy import check_data
    from results.run.run import load_runs
    from search.cli.console import fidelity_line, introduction
    from search.run.study import Search, environment

    data = load_data(settings.data, recipe.resolution, args.seed, recipe.train_images)
    check_data(recipe, data)
    known = fidelity_of(recipe, data.key, settings.target.kind)
    fidelity = fidelity_line(known, args.data, args.recipe or recipe.name, settings.target.kind)
    directory = RUNS / settings.name
    if not directory.exists():  # what is wrong with an earlier run is said before this one is made
        load_runs(args.warm_start, args.storage)
    with Search(directory, settings, args.storage) as run:
        versions = environment(device)
        notes = {"sentence": fidelity, "known": bool(known)}
        run.record(versions, data_name(args.data), data.key, notes, args.workers, data.broken_json())
        if not args.quiet:
            print(introduction(run.directory, settings, data, device, args.workers, fidelity), flush=True)
        executor = executor_for(args, settings, recipe, data, device)
        try:
            interrupted = feed(args, run, executor, data, versions)
        finally:
            executor.close()
        return finish(run, args, interrupted)


def feed(args: argparse.Namespace, run: Search, executor: Executor, data: ImageData, versions: dict[str, str]) -> bool:
    """Measure what is missing. Returns whether it was interrupted."""
    from evaluate.training.recipe import Recipe
    from search.cli.console import NORMAL, QUIET, VERBOSE, RunDisplay
    from search.loop import Loop
    from search.propose.warm import warm_start
    from search.run.log import RunLog
    from search.rungs import rungs_of

    settings = run.settings
    for sentence in warm_start(run, args.warm_start, data.key, args.storage):
        print(sentence, flush=True)
    landmarks, missing = len(run.landmarks_left()), run.samples_left(args.trials)
    done = sum(len(run.finished(kind)) for kind in ("landmark", "sample", "repeat"))
    if not args.quiet:
        what = "sampled network" if settings.sweep is None else "setting"
        total = f"{amount(len(settings.landmarks), 'landmark')} and {amount(args.trials, what)}"
        total += f", then {args.repeats} more of each {settings.repeated}" if args.repeats else ""
        print(f"{total}; {done} are done", flush=True)
    proposer = proposer_for(run, data.classes)
    verbosity = QUIET if args.quiet else VERBOSE if args.verbose else NORMAL
    display = RunDisplay(
        done + landmarks + missing, done, run.points(), executor.slots, verbosity, labels_of(settings, args)
    )
    log = RunLog(run.directory / "log.jsonl", display.observe)
    log.begin(
        versions=versions, device=versions["device"], command=public_command(args), settings=settings.to_json(),
        storage=args.storage, workers=executor.slots, trials=args.trials, done=done, left=landmarks + missing,
    )  # fmt: skip
    rungs = rungs_of(Recipe.from_json(settings.recipe)) if settings.early_stopping else ()
    try:
        with display:
            for event in Loop(run, proposer, executor, log, rungs).run(args.trials, args.repeats):
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


def labels_of(settings: Settings, args: argparse.Namespace) -> list[str]:
    """The labels of what is known to come: landmarks, the settings of a sweep, and repeats of these."""
    number = len(settings.landmarks) + args.trials
    repeat = f" again, seed {settings.seed + args.repeats}" if args.repeats else ""
    settings_of_sweep = [f"#{number} {each.name}{repeat}" for each in settings.listed]
    return [*settings.landmarks, f"#{number}{repeat}", *settings_of_sweep]


def proposer_for(run: Search, classes: int) -> Proposer | Listed:
    """What says which network is next: a sampler, or the list of a sweep."""
    from search.propose.listed import Listed
    from search.propose.proposer import Proposer
    from search.propose.warm import suggestions

    settings = run.settings
    if settings.sweep is not None:
        return Listed(settings, [trial.user_attrs["setting"] for trial in run.finished("sample")], classes)
    return Proposer(
        settings.families,
        settings.target,
        sampler=settings.sampler,
        seed=settings.seed,
        refine=settings.refine,
        known=run.outcomes(),
        suggestions=suggestions(run),
    )


def public_command(args: argparse.Namespace) -> list[str]:
    """The words of the command line, the storage without its password."""
    from results.run.storage import public_url

    words = [str(word) for word in args.words]
    if args.storage:
        words = [word.replace(args.storage, public_url(args.storage)) for word in words]
    return words


def finish(run: Search, args: argparse.Namespace, interrupted: bool) -> int:
    """Write tables and pictures, show the frontier."""
    from results import frontier_table, load_run, write_outputs
    from results.plots import PLOTS
    from results.report.write import written_text
    from search.run.trials import MOST_MISSES

    result = load_run(run.directory, storage=args.storage)
    try:
        plots = plots_of(args)
        left: list[str] = []
        paths = write_outputs(result, plots, report=plots == tuple(PLOTS), said=left.append)
    except OSError as error:
        raise ValueError(
            f"{run.directory}: tables and pictures cannot be written ({error.strerror}); the study is kept. "
            f"Make room, then type python -m results {run.directory}"
        ) from error
    print()
    print("\n".join([frontier_table(result), "", *left, written_text(run.directory, paths)]))
    if run.misses >= MOST_MISSES:
        fastest = result.frame().loc[lambda frame: frame["state"] == "slow", "latency_ms"].min()
        print(
            f"the search ended early: {run.misses} sampled networks in a row were slower than --max-latency "
            f"{run.settings.max_latency:g}, the fastest took {fastest:.3f} ms: choose a higher --max-latency or a "
            "lower --budget, and another --name"
        )
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
