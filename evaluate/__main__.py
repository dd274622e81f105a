"""`python -m evaluate`: count, train, time networks, score them untrained, look into them; how far to trust scores."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluate.cli.calibration import calibration, expect
from evaluate.cli.options import (
    at_least_one,
    data_for,
    data_of,
    is_file,
    network,
    recipe_and_data,
    short,
    target,
    usual,
)
from evaluate.cli.parser import make_parser
from space import CONVENTION, Task, cost
from space.landmarks.networks import TARGETS
from space.shell.command import leave, start_command
from space.shell.files import json_bytes, write_files
from space.shell.names import check_name, safe_name
from space.shell.scores import score_text

TRAININGS, FIDELITIES = Path("runs/train"), Path("runs/fidelity")
PATHS, LESIONS = Path("runs/paths"), Path("runs/lesion")
Draw = Callable[[dict[str, Any]], dict[str, bytes]]  # content of a JSON file -> pictures by their names
TRAINED = "trained"  # of a run's networks, in the run's directory
ZERO_COST_BATCH = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print. Returns the exit status."""
    commands: dict[str, Callable[[argparse.Namespace], str]] = {
        "count": count,
        "score": score,
        "train": train,
        "latency": latency,
        "zerocost": zerocost,
        "fidelity": fidelity,
        "expect": expect,
        "calibration": calibration,
        "paths": paths,
        "lesion": lesion,
    }
    return start_command(make_parser(), lambda options: commands[options.command](options), arguments)


def count(options: argparse.Namespace) -> str:
    """The closed form and what the independent counts say."""
    config = network(options.network)
    size, classes = target(options, config)
    ours = cost(config, size, classes)  # refuses what cannot be, before anything heavy is loaded

    from evaluate.measures.counting import count_with_ptflops, count_with_torch

    rows = [
        ("closed form", ours.macs, ours.params),
        ("ptflops", *count_with_ptflops(config, size, classes)),
        ("torch", *count_with_torch(config, size, classes)),
    ]
    lines = [f"{options.network} at {size}x{size}, {classes} classes; {CONVENTION}", ""]
    lines.append(f"{'counted by':<12}{'MACs':>20}{'params':>16}")
    lines += [f"{name:<12}{macs:>20,}{params:>16,}" for name, macs, params in rows]
    agree = len({row[1:] for row in rows}) == 1
    return "\n".join([*lines, "", "all three agree" if agree else "they differ"])


def score(options: argparse.Namespace) -> str:
    """Train the proxy; the score as JSON."""
    config = network(options.network)
    recipe, data, device = recipe_and_data(options, options.seed, usual(options.network, config)[0])

    from evaluate.training.proxy import train_proxy

    result = train_proxy(config, recipe, data, seed=options.seed, device=device)
    about = {"network": options.network, "recipe": recipe.to_json()} | data.broken_json()
    return json.dumps(about | result.to_json() | {"standard_error": result.standard_error}, indent=1)


def train(options: argparse.Namespace) -> str:
    """Train one network to the end, a line an epoch."""
    config = network(options.network)

    from evaluate.training.provenance import proxy_of, run_of

    run, proxy = (run_of(options.network), proxy_of(options.network)) if is_file(options.network) else (None, None)
    name = short(options.network)
    known = usual(options.network, config)
    size, classes = target(options, config)
    cost(config, size, classes)  # refuses too small an input before anything is read

    from evaluate.training.device import resolve_device
    from evaluate.training.presets import find_recipe
    from evaluate.training.whole import check_whole, introduction

    recipe = find_recipe(options.recipe, size)
    check_whole(name, config, recipe, size)

    from evaluate.images.load import data_name, load_test
    from evaluate.images.sizes import resizing, stored_sizes
    from evaluate.training.full import train_network

    device = resolve_device(options.device)
    data = data_for(options, recipe, options.seed)
    task = Task(size, data.classes)
    lines = introduction(name, config, task, known, resizing(stored_sizes(options.data), size))
    place = options.name or safe_name(name, data_name(options.data), recipe.name, f"seed{options.seed}")
    check_name("--name", place, "such as --name my-training")
    directory = (TRAININGS if run is None else run / TRAINED) / place
    test = load_test(data_of(options), recipe.resolution) if options.test else None
    speaks = os.environ.get("RANK", "0") == "0"  # one of torchrun's processes speaks for all
    if speaks:
        print("\n".join([*lines, f"from scratch, by recipe {recipe.name}, into {directory}"]), flush=True)
    report = train_network(
        name, replace(config, task=task), recipe, data, directory, seed=options.seed, device=device, test=test,
        proxy=proxy, run=None if run is None else run.resolve().name, show=lambda line: print(line, flush=True),
    )  # fmt: skip
    if not speaks:
        return ""
    tested = (
        "" if report["test_top1"] is None else f", test {score_text(report['test_top1'], report['test_images'], 2)} %"
    )
    top1 = score_text(report["top1"], report["held_out"], 2)
    lines = [f"top-1 {top1} % of the held-out images{tested}; weights in {directory / 'model.pt'}"]
    if proxy is not None:
        lines += [f"{proxy}: not to be compared, for recipe, widths, resolution and images may all differ"]
    return "\n".join(lines)


def latency(options: argparse.Namespace) -> str:
    """A table, a row a batch size."""
    config = network(options.network)
    size, classes = target(options, config)
    cost(config, size, classes)

    from evaluate.measures.latency import latency_text, measure_latency

    measured = [
        measure_latency(
            config, classes=classes, input_size=size, batch=batch, device=options.device, dtype=options.dtype
        )
        for batch in options.batch
    ]
    return latency_text(options.network, measured)


def zerocost(options: argparse.Namespace) -> str:
    """A table, a row a measure."""
    config = network(options.network)
    recipe, data, device = recipe_and_data(options, options.seed, usual(options.network, config)[0])

    from evaluate.measures.zero_cost import zero_cost, zero_cost_text

    proxy = recipe.proxy(config, data.classes)
    images, labels = data.train_images[:ZERO_COST_BATCH], data.train_labels[:ZERO_COST_BATCH]
    scores = zero_cost(proxy, images, labels, data.classes, seed=options.seed, device=device)
    name = f"{options.network}, as recipe {recipe.name} makes it for {data.name}"
    return zero_cost_text(name, scores, cost(proxy, recipe.resolution, data.classes))


def fidelity(options: argparse.Namespace) -> str:
    """Score the set's networks, a line each; write the report and its picture; print the table."""
    if options.report is not None:
        if options.recipe or options.networks or options.out or options.seeds != 1:
            raise ValueError("--report DIR stands alone: its scores say which networks, recipe and seeds they are of")
        return written_report(options.report, None)
    if options.seeds < 1:
        raise ValueError(f"--seeds {options.seeds}: expected how often each network is trained, such as --seeds 3")

    from evaluate.fidelity.run import ranking_set, run_fidelity

    networks = ranking_set(options.set)
    if options.networks:
        wanted = dict.fromkeys(name for word in options.networks for name in word.split(",") if name)
        known = {each.name: each for each in networks}
        if unknown := [name for name in wanted if name not in known]:
            raise ValueError(f"--networks {unknown[0]}: not in the set {options.set}, which has {', '.join(known)}")
        networks = tuple(known[name] for name in wanted)
    recipe, data, device = recipe_and_data(options, 0, TARGETS[options.set][0])

    from evaluate.images.load import data_name

    directory = options.out or FIDELITIES / safe_name(options.set, data_name(options.data), recipe.name)
    seeds = tuple(range(options.seeds))
    for event in run_fidelity(networks, recipe, data.to(device), seeds, device, directory):
        print(event.line(), flush=True)
    return written_report(directory, seeds)


def written_report(directory: Path, seeds: Sequence[int] | None) -> str:
    """Write the report of a directory's scores and its picture; returns the tables."""
    from evaluate.fidelity.run import fidelity_text, report, write_fidelity
    from results.plots.fidelity import write_fidelity_plot  # a command may use both sides; the packages do not

    result = report(directory, seeds)
    paths = write_fidelity(result, directory) + write_fidelity_plot(directory)
    return fidelity_text(result) + "\nwritten: " + ", ".join(str(path) for path in paths)


def paths(options: argparse.Namespace) -> str:
    """Count the paths; measure the gradient by length on a trained network; write the report and its picture."""
    config = network(options.network)
    at_least_one(options, "samples")

    from evaluate.images.load import data_name
    from evaluate.paths.paths_report import counted, measured, paths_text, training_of
    from evaluate.training.device import resolve_device
    from results.plots.paths import paths_pictures

    if options.count:
        counts = {"network": options.network} | counted(config)
        return json.dumps(counts, indent=1) if options.json else paths_text(counts)
    seed, key = options.seed, None
    counted(config)  # refuses a network of one path before it is trained
    if options.weights is not None:
        if options.recipe:
            raise ValueError("--weights comes with the recipe of its training: leave --recipe away")
        recipe, seed, key = training_of(options.weights, config)
        device = resolve_device(options.device)
        data = data_for(options, recipe, seed)
    else:
        recipe, data, device = recipe_and_data(options, seed, usual(options.network, config)[0])
    if key not in (None, data.key):
        raise ValueError(f"--data {options.data}: not the images that {options.weights} was trained on")
    result = measured(
        options.network, config, recipe, data, seed=seed, device=device, samples=options.samples,
        weights=options.weights,
    )  # fmt: skip

    place = options.out or PATHS / safe_name(
        short(options.network), data_name(options.data), recipe.name, f"seed{seed}"
    )
    return written(options, result, paths_text(result), paths_pictures, place, "paths")


def lesion(options: argparse.Namespace) -> str:
    """Train three networks from every seed, drop and reorder what they are made of; write report and pictures."""
    config = network(options.network)
    dense = network(options.dense) if options.dense else None
    for name in ("seeds", "images", "draws"):
        at_least_one(options, name)
    recipe, first, device = recipe_and_data(options, 0, usual(options.network, config)[0])

    from evaluate.images.load import data_name, load_data
    from evaluate.paths.lesion_report import lesion_report, lesion_text
    from evaluate.paths.lesion_study import run_lesion, subjects
    from results.plots.lesion import lesion_pictures

    spec = data_of(options)
    result = lesion_report(
        run_lesion(
            options.network, subjects(config, recipe, first.classes, dense), recipe,
            lambda seed: first if seed == 0 else load_data(spec, recipe.resolution, seed, recipe.train_images),
            range(options.seeds), device, options.draws, options.images,
            lambda line: print(line, file=sys.stderr if options.json else sys.stdout, flush=True),
        )
    )  # fmt: skip

    place = options.out or LESIONS / safe_name(short(options.network), data_name(options.data), recipe.name)
    return written(options, result, lesion_text(result), lesion_pictures, place, "lesion")


def written(
    options: argparse.Namespace, result: dict[str, Any], text: str, draw: Draw, directory: Path, name: str
) -> str:
    """Write JSON, text and pictures of an experiment, whole or not at all; return what is to be printed."""
    content = json.loads(json_bytes(result))  # as a reader of the file finds it
    files = {directory / f"{name}.json": json_bytes(result), directory / f"{name}.txt": (text + "\n").encode()}
    files |= {directory / picture: image for picture, image in draw(content).items()}
    write_files(files)
    if options.json:
        return json.dumps(result, indent=1)
    return text + "\nwritten: " + ", ".join(str(path) for path in files)


if __name__ == "__main__":
    leave(main())
