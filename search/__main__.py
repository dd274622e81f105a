"""python -m search --budget 4.1GFLOPs: the main job."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from results.run.objective import UNTRAINED, by_expected
from search.cli.arguments import plots_of, request_of, settings_of
from search.cli.options import parser
from space import CONVENTION
from space.shell.command import leave, start_command
from space.shell.names import visible
from space.shell.words import amount

if TYPE_CHECKING:
    from evaluate.fidelity.shipped import KnownFidelity
    from evaluate.images.load import ImageData
    from evaluate.training.recipe import Recipe
    from search.cli.console import RunDisplay
    from search.cli.request import Request
    from search.propose.listed import Listed
    from search.propose.proposer import Proposer
    from search.run.log import RunLog
    from search.run.settings import Settings
    from search.run.study import Search
    from search.workers.executor import Executor

RUNS = Path("runs")
STOPPED = "interrupted; finished networks are kept. To go on, repeat the command."


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print. Exit status 2 with one sentence for anything that the user can mend, 130 for Ctrl-C."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["status"]:
        from search.cli.status import main as status

        return status(words[1:])
    if words[:1] == ["pays"]:
        from search.cli import which_axis

        return start_command(
            which_axis.pays_parser(), lambda options: answer(which_axis.request_of(options, words)), words[1:], STOPPED
        )
    made = parser()
    return start_command(made, lambda options: answer(request_of(made, options, words)), words, STOPPED)


def answer(request: Request) -> str:
    """Do what is asked for; what is printed at the end."""
    return search(request) if request.dry_run is None else dry_run(request, request.dry_run)


def prepare(request: Request) -> tuple[Settings, Recipe | None, str]:
    """The run's settings, its recipe (None: nothing is trained) and its device."""
    if request.dry_run is not None or not request.quiet:
        print(CONVENTION + ".", file=sys.stderr if request.json else sys.stdout, flush=True)

    from evaluate.training.device import resolve_device
    from evaluate.training.presets import default_recipe, find_recipe

    device = resolve_device(request.device)
    size = request.target.input_size
    if request.recipe == UNTRAINED:
        recipe = None
    else:
        recipe = find_recipe(request.recipe, size) if request.recipe else default_recipe(device, request.data)
    return settings_of(request, recipe, device), recipe, device


def dry_run(request: Request, count: int) -> str:
    """Print sampled networks, what they cost, and what a run would take."""
    settings, recipe, device = prepare(request)
    if recipe is None:
        from search.cli.dry_run import dry_untrained

        dry_untrained(settings, count=count, as_json=request.json)
        return ""
    from search.cli.executors import workers_of

    workers = workers_of(request, settings, recipe, device) or 1  # a dry run joins no cluster
    if settings.sweep is not None:
        from search.cli.dry_run import dry_sweep

        dry_sweep(settings, recipe, device, repeats=request.repeats, workers=workers)
        return ""
    from search.cli.dry_run import dry_run as draw_and_time

    draw_and_time(
        settings, recipe, device, count=count, trials=request.trials, repeats=request.repeats, workers=workers,
        as_json=request.json,
    )  # fmt: skip
    return ""


def search(request: Request) -> str:
    """The main job."""
    settings, recipe, device = prepare(request)
    from evaluate.fidelity.shipped import fidelity_of
    from evaluate.images.load import data_name, load_data
    from evaluate.training.proxy import check_data
    from results.run.load import load_runs
    from search.cli.console import fidelity_line, introduction
    from search.cli.executors import executor_for
    from search.cli.scoring import choose
    from search.run.study import Search, environment

    data, fidelity = None, ""
    known: Sequence[KnownFidelity] = ()
    if recipe is not None:
        data = load_data(settings.data, recipe.resolution, request.seed, recipe.train_images)
        check_data(recipe, data)
        known = fidelity_of(recipe, data.key, settings.target.kind)
        fidelity = fidelity_line(known, request.data, request.recipe or recipe.name, settings.target.kind)
    chosen = choose(request.score, settings, known)
    settings = replace(settings, score=chosen.score)
    directory = RUNS / settings.name
    if not directory.exists():  # what is wrong with an earlier run is said before this one is made
        load_runs(request.warm_start, request.storage)
    with Search(directory, settings, request.storage, () if request.score else ("score",)) as run:
        versions = environment(device)
        notes = {"sentence": fidelity, "known": bool(known)}
        name, key = (data_name(request.data), data.key) if data is not None else ("no images", "")
        more = {"trust": chosen.trust} | ({} if data is None else data.broken_json())
        said = "\n".join(filter(None, [chosen.told(run.settings), chosen.trust, fidelity]))
        executor = None
        if recipe is not None and data is not None:
            executor = executor_for(request, run.settings, recipe, data, device)
        try:
            slots = 1 if executor is None else executor.slots
            run.record(versions, name, key, notes, slots, more)
            if not request.quiet:
                print(introduction(run.directory, run.settings, data, device, slots, said), flush=True)
            interrupted = feed(request, run, executor, data, versions)
        finally:
            if executor is not None:
                executor.close()
        run.reconsider(settled=True)
        text = finish(run, request)
    if interrupted:
        print(text)
        raise KeyboardInterrupt(f"{STOPPED[:-1]} (run {settings.name!r}).")
    return text


def feed(
    request: Request, run: Search, executor: Executor | None, data: ImageData | None, versions: dict[str, str]
) -> bool:
    """Measure what is missing; without an executor nothing is trained. Returns whether it was interrupted."""
    from search.cli.console import NORMAL, QUIET, VERBOSE, RunDisplay
    from search.propose.warm import warm_start
    from search.run.log import RunLog

    settings = run.settings
    for sentence in warm_start(run, request.warm_start, "" if data is None else data.key, request.storage):
        print(sentence, flush=True)
    run.reconsider(settled=True)  # an earlier start may have been killed before it did
    landmarks, missing = len(run.landmarks_left()), run.samples_left(request.trials)
    done = sum(len(run.finished(kind)) for kind in ("landmark", "sample", "repeat"))
    if not request.quiet:
        what = "sampled network" if settings.sweep is None else "setting"
        total = f"{amount(len(settings.landmarks), 'landmark')} and {amount(request.trials, what)}"
        total += f", then {request.repeats} more of each {settings.repeated}" if request.repeats else ""
        print(f"{total}; {done} are done", flush=True)
    proposer = proposer_for(run, 0 if data is None else data.classes)
    verbosity = QUIET if request.quiet else VERBOSE if request.verbose else NORMAL
    slots = 1 if executor is None else executor.slots
    display = RunDisplay(
        done + landmarks + missing, done, run.points(), slots, verbosity, labels_of(settings, request),
        by_expected(settings.to_json()),
    )  # fmt: skip
    log = RunLog(run.directory / "log.jsonl", display.observe)
    log.begin(
        versions=versions, device=versions["device"], command=public_command(request), settings=settings.to_json(),
        storage=request.storage, workers=slots, trials=request.trials, done=done, left=landmarks + missing,
    )  # fmt: skip
    try:
        with display:
            work(request, run, proposer, executor, log, display)
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


def work(
    request: Request, run: Search, proposer: Proposer | Listed, executor: Executor | None, log: RunLog,
    display: RunDisplay,
) -> None:  # fmt: skip
    """Feed the run and show how it goes."""
    from evaluate.training.recipe import Recipe
    from search.loop import Loop
    from search.propose.listed import Listed
    from search.rungs import rungs_of
    from search.untrained import Untrained

    if executor is not None:
        rungs = rungs_of(Recipe.from_json(run.settings.recipe)) if run.settings.early_stopping else ()
        for event in Loop(run, proposer, executor, log, rungs).run(request.trials, request.repeats):
            display.show(event)
        return
    assert not isinstance(proposer, Listed)  # a sweep trains
    for count in Untrained(run, proposer, log).run(request.trials):
        display.batch(count, run.points())


def labels_of(settings: Settings, request: Request) -> list[str]:
    """The labels of what is known to come: landmarks, the settings of a sweep, and repeats of these."""
    number = len(settings.landmarks) + request.trials
    repeat = f" again, seed {settings.seed + request.repeats}" if request.repeats else ""
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


def public_command(request: Request) -> list[str]:
    """The words of the command line, the storage without its password."""
    from results.run.storage import public_url

    words = [str(word) for word in request.words]
    if request.storage:
        words = [word.replace(request.storage, public_url(request.storage)) for word in words]
    return words


def finish(run: Search, request: Request) -> str:
    """Write tables and pictures; the frontier, and what was written."""
    from results import frontier_table, load_run, write_outputs
    from results.plots import PLOTS
    from results.report.write import written_text
    from search.run.trials import MOST_MISSES

    result = load_run(run.directory, storage=request.storage)
    try:
        plots = plots_of(request)
        left: list[str] = []
        paths = write_outputs(result, plots, report=plots == tuple(PLOTS), said=left.append)
    except OSError as error:
        raise ValueError(
            f"{run.directory}: tables and pictures cannot be written ({error.strerror}); the study is kept. "
            f"Make room, then type python -m results {run.directory}"
        ) from error
    lines = ["", frontier_table(result), "", *left, written_text(run.directory, paths)]
    if run.misses >= MOST_MISSES:
        print(visible("\n".join(lines), keep="\n\t"), flush=True)
        fastest = result.frame().loc[lambda frame: frame["state"] == "slow", "latency_ms"].min()
        raise ValueError(
            f"the search ended early: {run.misses} sampled networks in a row were slower than --max-latency "
            f"{run.settings.max_latency:g}, the fastest took {fastest:.3f} ms: choose a higher --max-latency or a "
            "lower --budget, and another --name"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    leave(main())
