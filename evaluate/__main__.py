"""`python -m evaluate`: count a network, train it, time it, score it untrained; and how far scores can be trusted."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluate.arguments import make_parser
from space import CONVENTION, Config, cost, landmark, load_config
from space.command import answer
from space.landmarks import LANDMARKS, TARGETS

if TYPE_CHECKING:
    from evaluate.data import ImageData
    from evaluate.recipe import Recipe

TRAININGS, FIDELITIES = Path("runs/train"), Path("runs/fidelity")
TRAINED = "trained"  # of a run's networks, in the run's directory
ZERO_COST_BATCH = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print. Returns the exit status."""
    options = make_parser().parse_args(arguments)
    commands: dict[str, Callable[[argparse.Namespace], str]] = {
        "count": count,
        "score": score,
        "train": train,
        "latency": latency,
        "zerocost": zerocost,
        "fidelity": fidelity,
    }
    return answer("python -m evaluate", lambda: commands[options.command](options))


# ---------------------------------------------------------------------------------------------- what is given


def is_file(name: str) -> bool:
    """Whether a network's name is the path of a file."""
    return name.endswith(".json") or Path(name).name != name


def network(name: str) -> Config:
    """A published network by its name, or one from a file (what ends with .json or has a path separator).

    Raises:
        ValueError: if there is none.
    """
    if not is_file(name):
        return landmark(name)
    try:
        return load_config(name)
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}; expected the JSON file of a configuration") from error


def target(options: argparse.Namespace, config: Config) -> tuple[int, int]:
    """(input size, classes) as given, else those of the network's kind."""
    known = LANDMARKS.get(options.network)
    kind = known.target if known else "cifar" if getattr(config, "stem", "") == "cifar" else "imagenet"
    size, classes = TARGETS[kind]
    return size if options.input is None else options.input, classes if options.classes is None else options.classes


def recipe_and_data(options: argparse.Namespace, seed: int) -> tuple[Recipe, ImageData, str]:
    """(the recipe, its data, the device) as given; says what was read of the data."""
    from evaluate.data import load_data
    from evaluate.device import resolve_device
    from evaluate.presets import default_recipe, find_recipe
    from evaluate.train import check_data

    device = resolve_device(options.device)
    recipe = find_recipe(options.recipe) if options.recipe else default_recipe(device, options.data)
    data = load_data(options.data, recipe.resolution, seed, recipe.train_images)
    check_data(recipe, data)
    print(f"data {data.name}: {data.origin}", file=sys.stderr, flush=True)
    return recipe, data, device


# ---------------------------------------------------------------------------------------------- commands


def count(options: argparse.Namespace) -> str:
    """The closed form and what its witnesses say."""
    config = network(options.network)
    size, classes = target(options, config)
    ours = cost(config, size, classes)  # refuses what cannot be, before anything heavy is loaded

    from evaluate.counting import count_with_ptflops, count_with_torch

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
    recipe, data, device = recipe_and_data(options, options.seed)

    from evaluate.train import train_proxy

    result = train_proxy(config, recipe, data, seed=options.seed, device=device)
    return json.dumps({"network": options.network, "recipe": recipe.to_json()} | result.to_json(), indent=1)


def train(options: argparse.Namespace) -> str:
    """Train one network to the end, a line an epoch."""
    config = network(options.network)

    from evaluate.origin import proxy_of, run_of

    run, proxy = (run_of(options.network), proxy_of(options.network)) if is_file(options.network) else (None, None)
    recipe, data, device = recipe_and_data(options, options.seed)

    from evaluate.data import data_name, load_test
    from evaluate.full import train_network

    name = Path(options.network).stem if is_file(options.network) else options.network
    default = f"{name}-{data_name(options.data)}-{recipe.name}-seed{options.seed}"
    place = options.name or default
    if Path(place).name != place or place in (".", ".."):
        raise ValueError(f"--name {place!r}: expected a plain name without path separators, such as --name my-training")
    directory = (TRAININGS if run is None else run / TRAINED) / place
    test = load_test(options.data, recipe.resolution) if options.test else None
    speaks = os.environ.get("RANK", "0") == "0"  # one of torchrun's processes speaks for all
    if speaks and run is not None:
        print(f"trains a network of {run} from scratch, into {directory}", flush=True)
    report = train_network(
        name, config, recipe, data, directory, seed=options.seed, device=device, test=test, proxy=proxy,
        show=lambda line: print(line, flush=True),
    )  # fmt: skip
    if not speaks:
        return ""
    tested = "" if report["test_top1"] is None else f", test {report['test_top1']:.2f} %"
    lines = [f"top-1 {report['top1']:.2f} % of the held-out images{tested}; weights in {directory / 'model.pt'}"]
    if proxy is not None:
        lines += [f"{proxy}: not to be compared, for recipe, width, resolution and images may all differ"]
    return "\n".join(lines)


def latency(options: argparse.Namespace) -> str:
    """A table, a row a batch size."""
    config = network(options.network)
    size, classes = target(options, config)
    cost(config, size, classes)

    from evaluate.latency import latency_text, measure_latency

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
    recipe, data, device = recipe_and_data(options, options.seed)

    from evaluate.zerocost import zero_cost, zero_cost_text

    proxy = recipe.proxy(config)
    images, labels = data.train_images[:ZERO_COST_BATCH], data.train_labels[:ZERO_COST_BATCH]
    scores = zero_cost(proxy, images, labels, data.classes, seed=options.seed, device=device)
    name = f"{options.network}, as recipe {recipe.name} makes it for {data.name}"
    return zero_cost_text(name, scores, cost(proxy, recipe.resolution, data.classes))


def fidelity(options: argparse.Namespace) -> str:
    """Score the set's networks, a line each; write the report and its picture; print the table."""
    if options.seeds < 1:
        raise ValueError(f"--seeds {options.seeds}: expected how often each network is trained, such as --seeds 3")

    from evaluate.fidelity import fidelity_text, ranking_set, report, run_fidelity, write_fidelity

    networks = ranking_set(options.set)
    if options.networks:
        wanted = dict.fromkeys(name for word in options.networks for name in word.split(",") if name)
        known = {each.name: each for each in networks}
        if unknown := [name for name in wanted if name not in known]:
            raise ValueError(f"--networks {unknown[0]}: not in the set {options.set}, which has {', '.join(known)}")
        networks = tuple(known[name] for name in wanted)
    recipe, data, device = recipe_and_data(options, 0)

    from evaluate.data import data_name

    directory = options.out or FIDELITIES / f"{options.set}-{data_name(options.data)}-{recipe.name}"
    seeds = tuple(range(options.seeds))
    for event in run_fidelity(networks, recipe, data.to(device), seeds, device, directory):
        print(event.line(), flush=True)
    result = report(directory, seeds)
    paths = write_fidelity(result, directory)

    from results.plot_fidelity import write_fidelity_plot  # a command may use both sides; the packages do not

    paths += write_fidelity_plot(directory)
    return fidelity_text(result) + "\nwritten: " + ", ".join(str(path) for path in paths)


if __name__ == "__main__":
    sys.exit(main())
