"""The command line of `python -m evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from evaluate.training.whole import RULES
from space import CONVENTION
from space.own_families import add_families
from space.shell.command import Parser, seed


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m evaluate`."""
    parser = Parser(prog="python -m evaluate", description="Measure networks: what they cost, how well they train.")
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="count|score|train|latency|zerocost|fidelity|expect|calibration|paths|lesion",
    )

    def command(name: str, summary: str, description: str = "", network: bool = True) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=summary, description=description or f"{summary}.")
        if network:
            one.add_argument("network", help="a published network's name, or the path of a configuration's JSON")
            add_families(one)
        return one

    def trains(one: argparse.ArgumentParser, recipe: str | None = None) -> None:
        one.add_argument(
            "--data",
            default="fractals",
            help="fractals, digits, a folder, or a name on the Hugging Face hub (%(default)s)",
        )
        one.add_argument(
            "--skip-broken", action="store_true",
            help="go on without images that cannot be decoded, and record them; without it they are listed",
        )  # fmt: skip
        by = "by data and device" if recipe is None else recipe
        one.add_argument("--recipe", default=recipe, help=f"a preset or a JSON file (default: {by})")
        one.add_argument("--device", default="auto", help="auto, cpu or cuda (%(default)s)")

    def seeded(one: argparse.ArgumentParser) -> None:
        one.add_argument("--seed", type=seed, default=0, help="for the weights and the held-out part (%(default)s)")

    def sized(one: argparse.ArgumentParser) -> None:
        one.add_argument("--input", type=int, metavar="SIZE", help="height and width of the image (224; CIFAR nets 32)")
        one.add_argument("--classes", type=int, metavar="N", help="number of classes (1000; CIFAR nets 10)")

    sized(command("count", "closed form against ptflops and torch", CONVENTION))

    score = command("score", "train the proxy of a network, print its score as JSON")
    trains(score)
    seeded(score)

    train = command("train", "train one network to the end of a recipe, with checkpoints; continues what was begun")
    train.formatter_class = argparse.RawDescriptionHelpFormatter
    train.epilog = RULES
    trains(train, "full")
    seeded(train)
    train.add_argument("--input", type=int, metavar="SIZE", help="height and width (the run's; 224, CIFAR nets 32)")
    train.set_defaults(classes=None)  # as many as the images have
    train.add_argument(
        "--name",
        help="directory under runs/train/, or under runs/RUN/trained/ for a network of runs/RUN/configs/ (default: of "
        "network, data, recipe and seed)",
    )
    train.add_argument("--test", action="store_true", help="score the test split too, once, at the end")

    latency = command("latency", "time and memory of inference")
    sized(latency)
    latency.add_argument("--batch", type=int, nargs="+", default=[1, 64], metavar="N", help="batch sizes (1 64)")
    latency.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (%(default)s)")
    latency.add_argument("--device", default="auto", help="auto, cpu or cuda (%(default)s)")

    zero = command("zerocost", "scores of the untrained proxy, from one batch")
    trains(zero)
    seeded(zero)

    fidelity = command(
        "fidelity",
        "how well the order of proxy scores agrees with the published errors",
        "Trains the proxies of all published networks whose errors can stand in one ranking; an interrupted run "
        "continues with the same command.",
        network=False,
    )
    trains(fidelity)
    fidelity.add_argument("--set", default="imagenet", help="imagenet or cifar (%(default)s)")
    fidelity.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings of each network (%(default)s)")
    fidelity.add_argument("--networks", nargs="+", metavar="NAME", help="some of the set's networks alone")
    fidelity.add_argument("--out", type=Path, metavar="DIR", help="(runs/fidelity/SET-DATA-RECIPE)")
    fidelity.add_argument(
        "--report", type=Path, metavar="DIR", help="train nothing: write the report of the scores in DIR anew"
    )

    expect = command(
        "expect",
        "the top-1 error that networks are expected to reach, with an interval; trains nothing",
        "From exact counts and the published errors of ImageNet (224x224, 1000 classes) or CIFAR (32x32, 10 or 100).",
        network=False,
    )
    expect.add_argument(
        "networks", nargs="+", metavar="NETWORK", help="published networks' names, or paths of JSON files"
    )
    sized(expect)
    expect.add_argument("--json", action="store_true", help="a JSON object a line, in the order asked")

    calibration = command(
        "calibration",
        "how good expected errors are on networks, families and recipes that the model has not seen",
        network=False,
    )
    calibration.add_argument("--set", default="imagenet", help="imagenet or cifar (%(default)s)")
    calibration.add_argument(
        "--fidelity", type=Path, nargs="+", metavar="FILE", help="fidelity.json of runs whose scores are assessed too"
    )
    calibration.add_argument("--json", action="store_true", help="print JSON instead of tables")

    paths = command(
        "paths",
        "a residual network as a collection of paths: how many, how long, and how much gradient comes over them",
        "Trains the network by the recipe, then measures gradients along random paths (arXiv:1605.06431, section 5).",
    )
    trains(paths)
    seeded(paths)
    paths.add_argument("--count", action="store_true", help="count the paths alone; trains nothing")
    paths.add_argument("--samples", type=int, default=256, metavar="N", help="paths of each length (%(default)s)")
    paths.add_argument(
        "--weights", type=Path, metavar="FILE", help="model.pt of python -m evaluate train, instead of a training now"
    )
    paths.add_argument("--json", action="store_true", help="print JSON instead of a table")
    paths.add_argument("--out", type=Path, metavar="DIR", help="(runs/paths/NETWORK-DATA-RECIPE-SEED)")

    lesion = command(
        "lesion",
        "what networks can do without: blocks dropped and reordered, with shortcuts, without them, and dense",
        "Trains a residual network, the same without shortcuts and a DenseNet alike, then drops and reorders blocks "
        "(arXiv:1605.06431, section 4).",
    )
    trains(lesion)
    lesion.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings of each network (%(default)s)")
    lesion.add_argument(
        "--dense", metavar="NAME", help="the DenseNet, by name or file (as many layers and as costly as the network)"
    )
    lesion.add_argument(
        "--images", type=int, default=1000, metavar="N", help="held-out images to measure errors on (%(default)s)"
    )
    lesion.add_argument("--draws", type=int, default=5, metavar="N", help="random choices of each number (%(default)s)")
    lesion.add_argument("--json", action="store_true", help="print JSON instead of tables")
    lesion.add_argument("--out", type=Path, metavar="DIR", help="(runs/lesion/NETWORK-DATA-RECIPE)")
    return parser
