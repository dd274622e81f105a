"""`python -m space`: the published networks, and what a network costs. Counts on integers; needs no torch."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from space import CONVENTION, LANDMARKS, Config, Landmark, cost, gflops, landmark, load_config
from space.landmarks.networks import TARGETS
from space.landmarks.own import read_landmarks
from space.own_families import add_families
from space.papers.block_table import NUMBERS, block_sheet, by_numbers, network_sheet
from space.papers.blocks import KINDS
from space.papers.layer_table import layer_json, layer_table
from space.papers.tables import TABLES
from space.shell.command import Parser, leave, start_command
from space.shell.tables import align


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m space`."""
    parser = Parser(prog="python -m space", description=f"Networks and their exact cost. {CONVENTION}.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|show|block|table")
    every = commands.add_parser("list", help="all published networks with cost and error")
    show = commands.add_parser("show", help="the cost of one network")
    show.add_argument("network", help="a published network's name, or the path of a configuration's JSON")
    show.add_argument("--layers", action="store_true", help="every layer with its share of the cost")
    block = commands.add_parser(
        "block", help="one block beside its unrolled alternatives, at equal width and at equal cost"
    )
    block.add_argument("network", nargs="?", help="whose block, as in show; or give --width instead")
    block.add_argument("--stage", type=int, metavar="N", help="which of its stages (1)")
    for command in (show, block):
        add_families(command)
        command.add_argument("--input", type=int, metavar="SIZE", help="height and width of the image (224; CIFAR 32)")
        command.add_argument("--classes", type=int, metavar="N", help="number of classes (1000; CIFAR nets 10)")
    block.add_argument("--block", choices=KINDS[:3], help="the kind of a block by numbers (bottleneck)")
    for name, what in NUMBERS.items():
        block.add_argument(f"--{name}", type=int, metavar="N", help=what)
    papers = commands.add_parser("table", help="a paper's table, computed, beside what it prints")
    papers.add_argument("name", metavar="NAME", help=", ".join(TABLES))
    for command in (block, papers):
        command.add_argument("--markdown", action="store_true", help="Markdown instead of text")
    for command in (every, show, block, papers):
        command.add_argument("--json", action="store_true", help="JSON instead of text")
    for command in (every, show, block):
        command.add_argument(
            "--landmark",
            nargs="+",
            default=[],
            metavar="FILE",
            help="landmarks of your own: JSON with a config or figures, or a CSV of figures (see space.own_landmarks)",
        )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, count, print. Returns the exit status."""
    commands = {"list": list_all, "show": show_one, "block": show_block, "table": show_table}
    return start_command(make_parser(), lambda options: commands[options.command](options), arguments)


def list_all(options: argparse.Namespace) -> str:
    """All landmarks, as a table or as JSON.

    Raises:
        ValueError: for a file that holds no landmarks.
    """
    landmarks = _landmarks(options).values()
    if options.json:
        return json.dumps([_landmark_json(each) for each in landmarks], indent=1)
    rows = [
        (
            each.name,
            each.family,
            each.target,
            _short(each.macs),
            _short(each.params),
            _percent(each.published.top1_error),
            each.published.setting,
        )
        for each in landmarks
    ]
    header = ("name", "family", "target", "MACs", "params", "top-1 error %", "setting of the error")
    targets = "; ".join(f"{name} is {size}x{size}, {classes} classes" for name, (size, classes) in TARGETS.items())
    return f"{CONVENTION}; {targets}\n\n{align(header, rows, right=(3, 4, 5))}"


def show_one(options: argparse.Namespace) -> str:
    """One network, as text or as JSON.

    Raises:
        ValueError: for an unknown network, a wrong file, or a target that it cannot have.
    """
    name: str = options.network
    known = _landmarks(options).get(name)
    if known and known.config is None and _as_published(known, options):
        return json.dumps(_landmark_json(known), indent=1) if options.json else _landmark_text(known)
    called, config, size, classes = _network(options)
    data: dict[str, Any] = _landmark_json(known) if known else {"name": called, "family": config.family}
    data |= _counts(config, size, classes)
    if options.json:
        if options.layers:
            data["layers"] = [layer_json(layer) for layer in config.layers(size, classes)]
        return json.dumps(data, indent=1)
    lines = [
        f"{CONVENTION}; counted at {size}x{size} and {classes} classes",
        "",
        f"name         {data['name']}",
        f"family       {config.family}",
        f"config       {json.dumps(config.to_json())}",
        f"id           {config.id}",
        f"MACs         {data['macs']:,} ({gflops(data['macs'])})",
        f"params       {data['params']:,}",
        f"activations  {data['activations']:,}",
    ]
    lines += _figure_lines(known) if known else []
    if options.layers:
        lines += ["", layer_table(config, size, classes)]
    return "\n".join(lines)


def show_block(options: argparse.Namespace) -> str:
    """A block beside its alternatives, from a network or by numbers.

    Raises:
        ValueError: for what is no block, and for a mixture of the two ways to name one.
    """
    given = {name: getattr(options, name) for name in ("block", *NUMBERS) if getattr(options, name) is not None}
    if options.network is not None:
        if given:
            raise ValueError(f"--{next(iter(given))} is for a block by numbers: expected it without {options.network}")
        name, config, size, classes = _network(options)
        return network_sheet(name, config, 1 if options.stage is None else options.stage, size, classes).render(
            _kind_of(options)
        )
    for name in ("stage", "input", "classes"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} is for the block of a network: expected a network's name with it")
    if "width" not in given:
        raise ValueError("expected a network, such as resnet50, or a block by numbers: --width 256 --inner 64")
    return block_sheet(by_numbers(given.pop("block", "bottleneck"), given)).render(_kind_of(options))


def show_table(options: argparse.Namespace) -> str:
    """A paper's table.

    Raises:
        ValueError: if there is none of this name.
    """
    if options.name not in TABLES:
        raise ValueError(f"table {options.name!r}: expected one of {', '.join(TABLES)}")
    return TABLES[options.name]().render(_kind_of(options))


def _kind_of(options: argparse.Namespace) -> str:
    if options.json and options.markdown:
        raise ValueError("--json and --markdown: expected one of them")
    return "json" if options.json else "markdown" if options.markdown else "text"


def _network(options: argparse.Namespace) -> tuple[str, Config, int, int]:
    """The network that is named: what it is called, its configuration, its input size and number of classes."""
    known = _landmarks(options).get(options.network)
    config = known.network() if known else _read(options.network)
    size, classes = TARGETS[known.target if known else config.kind] if config.task is None else config.target()
    return (
        known.name if known else Path(options.network).stem,
        config,
        size if options.input is None else options.input,
        classes if options.classes is None else options.classes,
    )


def _landmarks(options: argparse.Namespace) -> dict[str, Landmark]:
    """The published networks, then those of the files that are given."""
    return LANDMARKS | {each.name: each for each in read_landmarks(*options.landmark)}


def _as_published(known: Landmark, options: argparse.Namespace) -> bool:
    """Whether nothing is asked for that only a configuration could answer."""
    targets = (None, known.input_size), (None, known.classes)
    return not options.layers and options.input in targets[0] and options.classes in targets[1]


def _read(name: str) -> Config:
    path = Path(name)
    if path.suffix != ".json" and len(path.parts) == 1 and not path.exists():
        try:
            return landmark(name)
        except ValueError as error:
            raise ValueError(f"{error}, or give the path of a configuration's JSON") from error
    try:
        return load_config(path)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ValueError(
            f"{name}: {reason}; expected the JSON file of a configuration, "
            "or the name of a published network (python -m space list shows all)"
        ) from error
    except ValueError as error:
        if isinstance(error.__cause__, json.JSONDecodeError):
            raise ValueError(
                f"{name} is no JSON ({error.__cause__}): expected a configuration as "
                "python -m space show resnet50 --json prints it"
            ) from error
        raise


def _counts(config: Config, size: int, classes: int) -> dict[str, Any]:
    return {
        "config": config.to_json(),
        "id": config.id,
        "input_size": size,
        "classes": classes,
        **dataclasses.asdict(cost(config, size, classes)),
    }


def _landmark_json(known: Landmark) -> dict[str, Any]:
    size, classes = known.input_size, known.classes
    if known.config is not None:
        return known.to_json() | _counts(known.config, size, classes)
    return known.to_json() | {"id": None, "input_size": size, "classes": classes, "activations": None}


def _landmark_text(known: Landmark) -> str:
    lines = [
        f"{CONVENTION}; at {known.input_size}x{known.input_size} and {known.classes} classes",
        "",
        f"name         {known.name}",
        f"family       {known.family}",
        "config       none: the space cannot express it",
        f"MACs         {_short(known.macs)}",
        f"params       {_short(known.params)}",
    ]
    return "\n".join(lines + _figure_lines(known))


def _figure_lines(known: Landmark) -> list[str]:
    header = ("published", "top-1 error %", "top-5", "CIFAR-100", "setting", "source")
    rows = [
        (
            "used" if number == 0 else "other",
            _percent(figure.top1_error),
            _percent(figure.top5_error),
            _percent(figure.c100_error),
            figure.setting,
            figure.source,
        )
        for number, figure in enumerate((known.published, *known.other))
    ]
    note = [f"note         {known.note}"] if known.note else []
    return [*note, "", align(header, rows, right=(1, 2, 3))]


def _short(count: int | None) -> str:
    if count is None:
        return "-"
    return f"{count / 1e9:.3f}G" if count >= 1e9 else f"{count / 1e6:.2f}M"


def _percent(error: float | None) -> str:
    return "-" if error is None else f"{error:.2f}"


if __name__ == "__main__":
    leave(main())
