"""`python -m results export RUN --to FILE`: takes a network of a run, of a configuration's file or a published one."""

from __future__ import annotations

import argparse
import json
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from space import LANDMARKS, Budget, Config, config_from_json, cost, gflops, landmark, load_config
from space.budget import parse_count
from space.own_families import add_families
from space.shell.command import Parser, seed, start_command
from space.shell.reading import read_text
from space.shell.scores import score_text

if TYPE_CHECKING:
    from results.run.run import Candidate

PROG = "python -m results export"


class Found(NamedTuple):
    """The network that the command line names."""

    network: Candidate | Config
    origin: str
    classes: int | None = None  # where the file says so
    input_size: int | None = None
    caveat: str | None = None  # how far the scores of its run can be trusted
    weights: Path | None = None  # of its training, where one has ended
    training: str = ""  # about those weights, or why there are none


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m results export`."""
    parser = Parser(
        prog=PROG,
        description="Writes a network to a file, after what was made has been read back and compared with the network "
        "itself. The file's ending says what is written: .safetensors weights; .onnx the network for onnxruntime and "
        "others; .pt2 a program of torch.export; .json the configuration; .py its code, which needs torch alone.",
    )
    parser.add_argument("run", metavar="RUN", help="a run's directory, a configuration's JSON, or a published network")
    parser.add_argument("--to", required=True, metavar="FILE", help=".safetensors, .onnx, .pt2, .json or .py")
    parser.add_argument("--storage", metavar="URL", help="where the study is, if not in the run's directory")
    add_families(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--trial", type=int, metavar="N", help="the network of this trial")
    which.add_argument(
        "--best", action="store_true", help="the network with the highest proxy top-1 within the limits (the default)"
    )
    parser.add_argument("--max-macs", metavar="N", help="of the best network, such as 2G (the run's budget)")
    parser.add_argument("--max-params", metavar="N", help="of the best network, such as 12M")
    parser.add_argument("--max-latency", type=float, metavar="MS", help="of the best network, milliseconds")
    parser.add_argument("--classes", type=int, metavar="N", help="number of classes (the run's; 1000, CIFAR nets 10)")
    parser.add_argument("--input", type=int, metavar="SIZE", help="height and width (the run's; 224, CIFAR nets 32)")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE",
        help="a state dict, such as the model.pt of python -m evaluate train (those of the network's finished training "
        "in its run, else untrained)",
    )  # fmt: skip
    parser.add_argument("--untrained", action="store_true", help="untrained weights, whatever was trained")
    parser.add_argument(
        "--with-preprocessing", action="store_true",
        help=".onnx and .pt2 of trained weights: takes uint8 images (n, height, width, 3), red green blue, as "
        "they come from a file, and gives probabilities",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed, default=0, help="of untrained weights (%(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, export, print. Returns the exit status."""
    return start_command(make_parser(), export, arguments)


def export(options: argparse.Namespace) -> str:
    """Write the file and say what it is of.

    Raises:
        ValueError: for a network or a file that cannot be.
        OSError: if a file cannot be read or written.
    """
    from results import describe
    from results.export import check_path, export_model

    check_path(Path(options.to))  # before anything is read
    if options.untrained and options.weights is not None:
        raise ValueError("--untrained and --weights: expected one of them")
    found = find(options)
    takes = options.weights is None and not options.untrained and Path(options.to).suffix != ".json"
    made = export_model(
        found.network,
        options.to,
        classes=found.classes if options.classes is None else options.classes,
        input_size=found.input_size if options.input is None else options.input,
        weights=found.weights if takes else options.weights,
        with_preprocessing=options.with_preprocessing,
        seed=options.seed,
        origin=found.origin,
    )
    about = made.about
    lines = [
        f"{about['name']} ({found.origin}): {about['family']} {describe(config_from_json(about['config']))}",
        f"{gflops(about['macs'])} multiply-adds, {about['params']:,} parameters at {about['input_size']}x"
        f"{about['input_size']}, {about['classes']} classes",
    ]
    if about.get("expected_error") is not None:
        low, high = about["interval"]
        lines.append(f"expected top-1 error {about['expected_error']:.1f} %, 95 % [{low:.1f}, {high:.1f}]")
    if about.get("proxy_top1") is not None:
        score = score_text(about["proxy_top1"], about["held_out"], 2)
        lines.append(f"proxy top-1 {score} %, of a short training that ranks networks")
    if found.caveat:
        lines.append(found.caveat)
    if takes and found.training:
        lines.append(found.training)
    return "\n".join([*lines, str(made)])


def find(options: argparse.Namespace) -> Found:
    """The network that is asked for.

    Raises:
        ValueError: if there is none, or not just one.
        OSError: if a file cannot be read.
    """
    name, path = str(options.run), Path(options.run)
    published = name in LANDMARKS
    if path.is_dir() and not published:
        return _of_run(options)
    for flag in ("trial", "best", "max_macs", "max_params", "max_latency", "storage"):
        if getattr(options, flag) not in (None, False):
            raise ValueError(f"--{flag.replace('_', '-')} is for the directory of a run: {name} is none")
    if path.is_file() and not published:
        return _of_file(path)
    expected = "the directory of a run, such as runs/NAME, or the JSON file of a configuration"
    if path.suffix == ".json" or len(path.parts) > 1:
        raise ValueError(f"{name} does not exist: expected {expected}")
    try:
        return Found(landmark(name), f"published network {LANDMARKS[name].label}" if published else "")
    except ValueError as error:
        raise ValueError(f"{error}, or give {expected}") from error


def _of_run(options: argparse.Namespace) -> Found:
    from results.run.load import load_run

    limits = (options.max_macs, options.max_params, options.max_latency)
    if options.trial is not None and limits != (None, None, None):
        raise ValueError("--trial names one network: expected it without --max-macs, --max-params and --max-latency")
    if options.max_latency is not None and not (math.isfinite(options.max_latency) and options.max_latency > 0):
        raise ValueError(f"--max-latency {options.max_latency:g}: expected milliseconds, such as --max-latency 5")
    macs = None if options.max_macs is None else Budget.parse(options.max_macs).macs
    params = None if options.max_params is None else parse_count(options.max_params, "--max-params")
    run = load_run(options.run, options.storage)
    if options.trial is None:
        candidate = run.best(macs, params, max_latency_ms=options.max_latency)
    else:
        candidate = run.candidate(options.trial)
    origin = f"trial {candidate.trial} of the run {run.directory.resolve().name}"
    weights, words = trained_in(run.directory, candidate.config.id, str(run.settings["data"]), candidate.trial)
    return Found(
        candidate, origin, caveat=run.trust if run.score.error else run.fidelity, weights=weights, training=words
    )


def trained_in(run: Path, config_id: str, data: str = "FOLDER", trial: int | None = None) -> tuple[Path | None, str]:
    """(weights of a network's training in a run, words about it), or (None, that it is untrained and what to type)."""
    from results.run.trained import trainings

    training = trainings(run)[0].get(config_id)
    if training is not None and training.weights.is_file():
        return training.weights, f"trained in full: {training}"
    config = run / "configs" / f"{config_id}.json"
    # of a network that is not on the frontier there is no file yet
    make = (
        ""
        if config.is_file() or trial is None
        else f"{PROG} {shlex.quote(str(run))} --trial {trial} --to {shlex.quote(str(config))}; "
    )
    return None, (
        f"UNTRAINED: no training of this network has ended in {run / 'trained'}; what it answers means nothing; type "
        f"{make}python -m evaluate train {shlex.quote(str(config))} --data {shlex.quote(data)}, then this again"
    )


def _of_file(path: Path) -> Found:
    """A configuration, with what the file says of it: a run's network keeps its score, a training's its target."""
    config = load_config(path)
    about: dict[str, Any] = json.loads(read_text(path, errors="replace"))
    origin = f"configuration file {path.name}"
    weights, words = None, ""
    if path.name == "config.json" and path.with_name("model.pt").is_file():
        weights, words = path.with_name("model.pt"), f"trained in full: {path.parent}"
    elif path.resolve().parent.name == "configs":
        weights, words = trained_in(path.resolve().parents[1], config.id)
    score, expected, interval = (about.get(name) for name in ("proxy_top1", "expected_error", "interval"))
    scored = type(score) is float or type(expected) is float
    if config.task is None or type(about.get("trial")) is not int or not scored:
        return Found(config, origin, weights=weights, training=words)

    from results.run.run import Candidate

    counted = cost(config, about["input_size"], about["classes"])
    latency, name, held_out = about.get("latency_ms"), about.get("name"), about.get("held_out")
    candidate = Candidate(
        config=config,
        macs=counted.macs,
        params=counted.params,
        proxy_top1=score if type(score) is float else None,
        expected_error=expected if type(expected) is float else None,
        interval=(float(interval[0]), float(interval[1])) if type(expected) is float and interval else None,
        trial=about["trial"],
        input_size=about["input_size"],
        classes=about["classes"],
        held_out=held_out if type(held_out) is int else None,
        landmark=name if name in LANDMARKS else None,
        latency_ms=latency if type(latency) is float else None,
    )
    return Found(candidate, f"{origin}, trial {candidate.trial} of its run", weights=weights, training=words)
