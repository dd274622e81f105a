"""What the words of the command line of `python -m search` mean; `search.cli.options` has them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.plots import PLOTS, check_names
from search.cli.sweep import check_sweep, sweep_of
from search.run.settings import Settings, check_objective, check_sampler, is_timed
from search.workers.ray_connection import need_ray
from space import FAMILIES, Budget, Config, family_of
from space.landmarks.networks import LANDMARKS, Landmark, landmark
from space.landmarks.own import read_landmarks
from space.limits import Limits
from space.own_families import digests
from space.shell.names import check_name, safe_name
from space.solving.axes import MODES, Target, check_families, searched

if TYPE_CHECKING:
    from evaluate.training.recipe import Recipe

MOST_WORKERS = 4096  # of a cluster
WITHIN = 1.05  # landmarks that cost up to this times the budget are scored


def check(args: argparse.Namespace) -> tuple[Target, tuple[Landmark, ...]]:
    """What the budget is counted at, and the user's own landmarks: each is read this once.

    Raises:
        ValueError: for what can be refused before anything heavy is loaded.
    """
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
        check_name("run name", args.name, "such as --name my-run")
    check_sampler(args.sampler)
    most = MOST_WORKERS if args.ray_address else max(16, 4 * (os.cpu_count() or 1))
    if not 1 <= args.workers <= most:
        where = "" if args.ray_address else " on this machine"
        raise ValueError(
            f"--workers {args.workers}: expected how many networks to train at once{where}, from 1 to {most}, such as "
            "--workers 2"
        )
    if args.workers > 1 or args.ray_address:
        need_ray()
    if not 0 < args.gpu_fraction <= 1:
        raise ValueError(f"--gpu-fraction {args.gpu_fraction:g}: expected a part of a GPU, such as --gpu-fraction 0.5")
    check_objective(args.objective, args.mode)
    if is_timed(args.objective, args.max_latency) and (args.workers > 1 or args.ray_address):
        raise ValueError("latency is measured with nothing else running: leave out --workers and --ray-address")
    target = target_of(args)
    check_sweep(args, target)
    return target, read_landmarks(*args.landmark)


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
    if args.sweep is not None or args.pays is not None:
        return target
    families = split(args.families)
    if not families:
        raise ValueError(f"--families names no family: expected some of {', '.join(searched())}")
    check_families(families, target)
    return target


def landmarks_for(words: list[str], target: Target) -> tuple[str, ...]:
    """The landmarks to score: those named, and those of each family named that fit.

    A landmark fits if it is of the target's kind and at most 5 % over budget and limits; "auto" names all families that
    are scored unasked.

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
            and (family_of(each.config).scored_unasked if name == "auto" else each.family == name)
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


def settings_of(
    args: argparse.Namespace, target: Target, own: Sequence[Landmark], recipe: Recipe, device: str
) -> Settings:
    """What makes this run the run that it is; `target` and `own` are what `check` gave."""
    from evaluate.images.load import data_name
    from evaluate.images.sources import without_broken
    from search.propose.warm import check as check_warm
    from search.workers.evaluation import timing_on

    parts = [str(target.budget), args.mode, data_name(args.data), recipe.name]
    parts += [f"{args.input}px"] if args.input != 224 else []
    parts += [args.objective] if args.objective != "macs" else []
    parts += [f"{limit}{word}" for limit, word in (
        (args.max_params, "params"), (args.max_activations, "activations"), (args.max_latency, "ms"),
    ) if limit is not None]  # fmt: skip
    sweep = sweep_of(args, target)
    parts += [sweep.title] if sweep else []
    name = args.name or safe_name(*parts)
    timed = is_timed(args.objective, args.max_latency)
    scored = [each.name for each in own if each.config and each.target == target.kind and near(each.config, target)]
    return Settings(
        name=name,
        budget_macs=target.budget.macs,
        mode=args.mode,
        families=split(args.families) if sweep is None else (sweep.config.family,),
        data=without_broken(args.data) if args.skip_broken else args.data,
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
        own_families=digests(split(args.families)) if sweep is None else {},
        sweep=sweep,
    )
