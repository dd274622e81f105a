"""`python -m evaluate`: count a network with independent tools, or train its proxy and print the score."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from space import CONVENTION, Config, cost, landmark, load_config
from space.command import Parser, answer
from space.landmarks import LANDMARKS, TARGETS


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m evaluate`."""
    parser = Parser(prog="python -m evaluate", description="Measure networks: what they cost, how well they train.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="count|score")
    network = "a published network's name, or the path of a configuration's JSON"

    count = commands.add_parser("count", help="closed form against ptflops and torch", description=CONVENTION)
    count.add_argument("network", help=network)
    count.add_argument("--input", type=int, metavar="SIZE", help="height and width of the image (224; CIFAR nets 32)")
    count.add_argument("--classes", type=int, metavar="N", help="number of classes (1000; CIFAR nets 10)")

    score = commands.add_parser("score", help="train the proxy of a network, print its score as JSON")
    score.add_argument("network", help=network)
    score.add_argument("--data", default="digits", help="digits, or a folder of parquet files (default: digits)")
    score.add_argument("--recipe", help="a preset or a JSON file (default: by device)")
    score.add_argument("--seed", type=int, default=0, help="for the weights and the held-out part (default: 0)")
    score.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print. Returns the exit status."""
    options = make_parser().parse_args(arguments)

    def text() -> str:
        config = network(options.network)
        return count_text(config, options) if options.command == "count" else score_text(config, options)

    return answer("python -m evaluate", text)


def network(name: str) -> Config:
    """A published network by its name, or one from a file (what ends with .json or has a path separator).

    Raises:
        ValueError: if there is none.
    """
    if not name.endswith(".json") and Path(name).name == name:
        return landmark(name)
    try:
        return load_config(name)
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}; expected the JSON file of a configuration") from error


def count_text(config: Config, options: argparse.Namespace) -> str:
    """The closed form and what its witnesses say.

    Raises:
        ValueError: if the network cannot read such an input.
        RuntimeError: if ptflops cannot count it.
    """
    known = LANDMARKS.get(options.network)
    target = known.target if known else "cifar" if getattr(config, "stem", "") == "cifar" else "imagenet"
    size = TARGETS[target][0] if options.input is None else options.input
    classes = TARGETS[target][1] if options.classes is None else options.classes
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


def score_text(config: Config, options: argparse.Namespace) -> str:
    """Train the proxy; the score as JSON.

    Raises:
        ValueError: if the data, the recipe or the device is not to be had.
    """
    from evaluate.data import load_data
    from evaluate.train import default_recipe, find_recipe, resolve_device, train_proxy

    device = resolve_device(options.device)
    recipe = find_recipe(options.recipe) if options.recipe else default_recipe(device)
    data = load_data(options.data, recipe.resolution, options.seed, recipe.train_images)
    score = train_proxy(config, recipe, data, seed=options.seed, device=device)
    return json.dumps({"network": options.network, "recipe": recipe.to_json()} | score.to_json(), indent=1)


if __name__ == "__main__":
    sys.exit(main())
