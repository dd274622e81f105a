"""What the words of the command line of `python -m search` mean; `search.cli.options` has them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from results.plots import PLOTS, check_names
from results.run.objective import OBJECTIVES, UNTRAINED
from search.cli.request import (
    DEFAULT_DATA,
    DEFAULT_REFINE,
    DEFAULT_SAMPLER,
    UNTRAINED_REFINE,
    UNTRAINED_SAMPLER,
    Request,
    request,
)
from search.cli.sweep import repeats_of, sweep_of
from search.run.settings import Settings, check_objective, check_sampler, check_score, is_timed
from search.workers.ray_connection import need_ray
from space import FAMILIES, Budget, Config, family_of
from space.landmarks.networks import LANDMARKS, landmark
from space.landmarks.own import read_landmarks
from space.limits import Limits
from space.own_families import digests
from space.shell.names import check_name, safe_name
from space.solving.axes import MODES, Target, check_families, searched
from space.solving.vary import settings as vary_all

if TYPE_CHECKING:
    from evaluate.training.recipe import Recipe

MOST_WORKERS = 4096  # of a cluster
FAST = ("random", "qmc")  # samplers that take no time
WITHIN = 1.05  # landmarks that cost up to this times the budget are scored


def request_of(parser: argparse.ArgumentParser, options: argparse.Namespace, words: Sequence[str]) -> Request:
    """What a command line asks for, checked; each file that it names is read this once.

    Args:
        parser: that read the options.
        options: as they were read.
        words: of the command line.

    Raises:
        ValueError: for what can be refused before anything heavy is loaded.
        OSError: if a file cannot be read.
    """
    target = target_of(options)
    sweep = sweep_of(parser, options, target)
    if sweep is None:
        trials, repeats, landmarks = options.trials, options.repeats, options.landmarks
    else:
        repeats, trials = repeats_of(options.seeds), len(vary_all(sweep.config, dict(sweep.axes), target))
        landmarks = ["none"] if options.landmarks == ["auto"] else options.landmarks
    found = request(
        options,
        words=tuple(words),
        target=target,
        own=read_landmarks(*options.landmark),
        sweep=sweep,
        trials=trials,
        repeats=repeats,
        families=split(options.families) if sweep is None else (),
        landmarks=tuple(landmarks),
        **how_to_propose(options),
    )
    check(found)
    return found


def how_to_propose(options: argparse.Namespace) -> dict[str, Any]:
    """The sampler and the part of neighbours, by whether anything is trained where they are not named."""
    trains = options.recipe != UNTRAINED
    sampler = options.sampler or (DEFAULT_SAMPLER if trains else UNTRAINED_SAMPLER)
    refine = options.refine
    if refine is None:
        refine = DEFAULT_REFINE if trains or options.sampler else UNTRAINED_REFINE
    return {"sampler": sampler, "refine": refine}


def check(request: Request) -> None:
    """Refuse what cannot be, before anything heavy is loaded.

    Raises:
        ValueError: with one sentence.
    """
    if request.dry_run is not None and request.dry_run < 1:
        raise ValueError(f"--dry-run {request.dry_run}: expected how many networks to print, such as --dry-run 10")
    if request.trials < 0:
        raise ValueError(f"--trials {request.trials}: expected how many networks to sample, such as --trials 40")
    if request.repeats < 0:
        raise ValueError(f"--repeats {request.repeats}: expected how many more trainings, such as --repeats 2")
    if request.json and request.dry_run is None:
        raise ValueError("--json goes with --dry-run; a run writes runs/NAME/trials.csv")
    if request.score is not None:
        check_score(request.score)
    if request.recipe == UNTRAINED:
        check_untrained(request)
    plots_of(request)
    if request.quiet and request.verbose:
        raise ValueError("--quiet and --verbose: expected one of them")
    if request.name is not None:
        check_name("run name", request.name, "such as --name my-run")
    check_sampler(request.sampler)
    most = MOST_WORKERS if request.ray_address else max(16, 4 * (os.cpu_count() or 1))
    if request.workers is not None and not 1 <= request.workers <= most:
        where = "" if request.ray_address else " on this machine"
        raise ValueError(
            f"--workers {request.workers}: expected how many networks to train at once{where}, from 1 to {most}, "
            "such as --workers 2"
        )
    if request.ray_address:
        need_ray()
    if not 0 < request.gpu_fraction <= 1:
        raise ValueError(
            f"--gpu-fraction {request.gpu_fraction:g}: expected a part of a GPU, such as --gpu-fraction 0.5"
        )
    check_objective(request.objective, request.target.mode)
    if is_timed(request.objective, request.max_latency) and (request.workers not in (None, 1) or request.ray_address):
        raise ValueError("latency is measured with nothing else running: leave out --workers and --ray-address")


def check_untrained(request: Request) -> None:
    """Refuse what does not go with ``--recipe none``.

    Raises:
        ValueError: with one sentence.
    """
    if request.sweep is not None:
        raise ValueError("--recipe none trains nothing: a sweep needs a recipe")
    for flag, given in {
        "--data": request.data != DEFAULT_DATA, "--skip-broken": request.skip_broken, "--repeats": request.repeats > 0,
        "--early-stopping": request.early_stopping, "--workers": request.workers not in (None, 1),
        "--ray-address": bool(request.ray_address), "--objective": OBJECTIVES[request.objective].measured,
        "--max-latency": request.max_latency is not None,
    }.items():  # fmt: skip
        if given:
            raise ValueError(f"--recipe none trains and times nothing: leave out {flag}")
    if request.sampler not in FAST:
        raise ValueError(
            f"--sampler {request.sampler} learns too slowly for thousands of networks: expected one of "
            f"{', '.join(FAST)} with --recipe none"
        )


def split(words: Sequence[str]) -> tuple[str, ...]:
    """Names given as several words, or separated by commas; each once."""
    return tuple(dict.fromkeys(name for word in words for name in word.split(",") if name))


def plots_of(request: Request) -> tuple[str, ...]:
    """The pictures that a run leaves, by name."""
    return () if split(request.plots) == ("none",) else check_names("--plots", request.plots, tuple(PLOTS))


def target_of(options: argparse.Namespace) -> Target:
    """What the budget is counted at, checked."""
    if options.mode not in MODES:
        raise ValueError(f"--mode {options.mode!r}: expected one of {', '.join(MODES)}")
    limits = Limits.parse(options.max_params, options.max_activations)
    target = Target(Budget.parse(options.budget), options.mode, options.input, options.classes, limits)
    if options.sweep is not None:
        return target
    families = split(options.families)
    if not families:
        raise ValueError(f"--families names no family: expected some of {', '.join(searched())}")
    check_families(families, target)
    return target


def landmarks_for(words: Sequence[str], target: Target, every: bool = False) -> tuple[str, ...]:
    """The landmarks to score: those named, and those of each family named that fit.

    A landmark fits if it is of the target's kind and at most 5 % over budget and limits; "auto" names all families that
    are scored unasked, and `every` family where scoring takes no training.

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
            if each.config is not None
            and (every or family_of(each.config).scored_unasked if name == "auto" else each.family == name)
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


def settings_of(request: Request, recipe: Recipe | None, device: str) -> Settings:
    """What makes this run the run that it is; without a recipe nothing is trained."""
    from evaluate.images.load import data_name
    from evaluate.images.sources import without_broken
    from search.propose.warm import check as check_warm
    from search.workers.evaluation import timing_on

    target, sweep = request.target, request.sweep
    parts = [str(target.budget), target.mode, *([data_name(request.data), recipe.name] if recipe else ["untrained"])]
    parts += [f"{target.input_size}px"] if target.input_size != 224 else []
    parts += [request.objective] if request.objective != "macs" else []
    parts += [f"{limit}{word}" for limit, word in (
        (request.max_params, "params"), (request.max_activations, "activations"), (request.max_latency, "ms"),
    ) if limit is not None]  # fmt: skip
    parts += [sweep.title] if sweep else []
    name = request.name or safe_name(*parts)
    timed = is_timed(request.objective, request.max_latency)
    scored = [
        each.name for each in request.own if each.config and each.target == target.kind and near(each.config, target)
    ]
    return Settings(
        name=name,
        budget_macs=target.budget.macs,
        mode=target.mode,
        families=request.families if sweep is None else (sweep.config.family,),
        data="none" if recipe is None else without_broken(request.data) if request.skip_broken else request.data,
        recipe={"name": UNTRAINED} if recipe is None else recipe.to_json(),
        input_size=target.input_size,
        classes=target.classes,
        sampler=request.sampler,
        seed=request.seed,
        landmarks=(*landmarks_for(request.landmarks, target, every=recipe is None), *scored),
        objective=request.objective,
        timing=timing_on(device) if timed else None,
        max_params=target.limits.max_params,
        max_activations=target.limits.max_activations,
        max_latency=request.max_latency,
        early_stopping=request.early_stopping,
        refine=request.refine,
        warm_start=check_warm(request.warm_start, name),
        own_landmarks=tuple(each.to_json() for each in request.own),
        own_families=digests(request.families) if sweep is None else {},
        sweep=sweep,
        score="proxy" if recipe else "expected",
    )
