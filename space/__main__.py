"""`python -m space`: the published networks, and what a network costs. Counts on integers; needs no torch."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from space import CONVENTION, LANDMARKS, Config, Landmark, cost, gflops, landmark, load_config
from space.command import Parser, answer
from space.landmarks import TARGETS
from space.layers import Conv, Layer, Linear, Pool
from space.own_landmarks import read_landmarks


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m space`."""
    parser = Parser(prog="python -m space", description=f"Networks and their exact cost. {CONVENTION}.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|show")
    every = commands.add_parser("list", help="all published networks with cost and error")
    show = commands.add_parser("show", help="the cost of one network")
    show.add_argument("network", help="a published network's name, or the path of a configuration's JSON")
    show.add_argument("--input", type=int, metavar="SIZE", help="height and width of the image (224; CIFAR nets 32)")
    show.add_argument("--classes", type=int, metavar="N", help="number of classes (1000; CIFAR nets 10)")
    show.add_argument("--layers", action="store_true", help="every layer with its share of the cost")
    for command in (every, show):
        command.add_argument("--json", action="store_true", help="JSON instead of text")
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
    options = make_parser().parse_args(arguments)
    return answer("python -m space", lambda: {"list": list_all, "show": show_one}[options.command](options))


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
    return f"{CONVENTION}; {targets}\n\n{table(header, rows, right=(3, 4, 5))}"


def show_one(options: argparse.Namespace) -> str:
    """One network, as text or as JSON.

    Raises:
        ValueError: for an unknown network, a wrong file, or a target that it cannot have.
    """
    name: str = options.network
    known = _landmarks(options).get(name)
    if known and known.config is None and _as_published(known, options):
        return json.dumps(_landmark_json(known), indent=1) if options.json else _landmark_text(known)
    config = known.network() if known else _read(name)
    kind = known.target if known else "cifar" if getattr(config, "stem", "") == "cifar" else "imagenet"
    default_size, default_classes = TARGETS[kind]
    size = default_size if options.input is None else options.input
    classes = default_classes if options.classes is None else options.classes
    data: dict[str, Any] = _landmark_json(known) if known else {"name": Path(name).stem, "family": config.family}
    data |= _counts(config, size, classes)
    if options.json:
        if options.layers:
            data["layers"] = [_layer_json(layer) for layer in config.layers(size, classes)]
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
        lines += ["", _layer_table(config, size, classes)]
    return "\n".join(lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Aligned plain text; the columns numbered in `right` are flushed right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), line(["-" * width for width in widths]), *map(line, rows)])


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
    return [*note, "", table(header, rows, right=(1, 2, 3))]


def _output(layer: Layer) -> tuple[int, ...]:
    match layer:
        case Conv():
            return layer.out_channels, layer.out_size, layer.out_size
        case Pool():
            return layer.channels, layer.out_size, layer.out_size
        case Linear():
            return (layer.out_features,)
        case _:
            return layer.channels, layer.size, layer.size


def _layer_json(layer: Layer) -> dict[str, Any]:
    macs, params, activations = layer.totals(1)
    record: dict[str, Any] = {"layer": layer.name, "kind": type(layer).__name__.lower(), "output": _output(layer)}
    if isinstance(layer, Conv):
        record |= {key: getattr(layer, key) for key in ("in_channels", "kernel", "stride", "groups")}
    return record | {"macs": macs, "params": params, "activations": activations}


def _layer_table(config: Config, size: int, classes: int) -> str:
    layers = config.layers(size, classes)
    whole = cost(config, size, classes)
    rows = []
    for layer in layers:
        macs, params, _ = layer.totals(1)
        shape = " x ".join(map(str, _output(layer)))
        rows.append((layer.name, _kind(layer), shape, f"{macs:,}", f"{params:,}", f"{100 * macs / whole.macs:.2f} %"))
    rows.append(("total", "", "", f"{whole.macs:,}", f"{whole.params:,}", "100.00 %"))
    return table(("layer", "kind", "output shape", "MACs", "params", "share"), rows, right=(3, 4, 5))


def _kind(layer: Layer) -> str:
    match layer:
        case Conv():
            groups = f", {layer.groups} groups" if layer.groups > 1 else ""
            stride = f"/{layer.stride}" if layer.stride > 1 else ""
            return f"conv {layer.kernel}x{layer.kernel}{stride}, {layer.in_channels} -> {layer.out_channels}{groups}"
        case Linear():
            return f"linear, {layer.in_features} -> {layer.out_features}"
        case Pool():
            return f"{layer.kind} pool"
        case _:
            return "norm"


def _short(count: int | None) -> str:
    if count is None:
        return "-"
    return f"{count / 1e9:.3f}G" if count >= 1e9 else f"{count / 1e6:.2f}M"


def _percent(error: float | None) -> str:
    return "-" if error is None else f"{error:.2f}"


if __name__ == "__main__":
    sys.exit(main())
