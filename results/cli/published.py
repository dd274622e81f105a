"""`python -m results published --out FILE`: the picture of what the papers report, from the landmarks alone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from results.plots import FORMATS
from space import LANDMARKS
from space.landmarks.networks import TARGETS
from space.landmarks.own import read_landmarks
from space.shell.command import Parser, start_command
from space.shell.words import amount

PROG = "python -m results published"
FAMILIES = tuple(dict.fromkeys(each.family for each in LANDMARKS.values()))


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m results published`."""
    parser = Parser(
        prog=PROG,
        description="Draws published top-1 error against multiply-adds for all landmarks of a target; the area is "
        "parameters, rings are the networks of ILSVRC 2012-2015. Needs no run; python -m space list has the numbers.",
    )
    parser.add_argument("--target", choices=tuple(TARGETS), default="imagenet", help="which landmarks (%(default)s)")
    parser.add_argument("--x", choices=("macs", "params"), default="macs", help="along the x axis (%(default)s)")
    parser.add_argument("--family", nargs="+", metavar="NAME", help=f"these alone, some of {', '.join(FAMILIES)} (all)")
    parser.add_argument(
        "--landmark",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="landmarks of your own beside them, JSON or CSV (see space.own_landmarks)",
    )
    add_picture(parser)
    return parser


def add_picture(parser: argparse.ArgumentParser) -> None:
    """The two options that say where a picture goes and how it looks."""
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help=f"its ending is the format: {', '.join(FORMATS)}"
    )
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="(%(default)s)")


def kind_of(out: Path) -> str:
    """The format that a file's ending tells.

    Raises:
        ValueError: if it tells none.
    """
    kind = out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        endings = ", ".join(f".{each}" for each in FORMATS)
        raise ValueError(f"--out {out}: expected a name that ends in one of {endings}")
    return kind


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, draw, write. Returns the exit status."""
    return start_command(make_parser(), published, arguments)


def published(options: argparse.Namespace) -> str:
    """Write the picture and say what is on it.

    Raises:
        ValueError: for another ending, an unknown family, or a file that holds no landmarks.
        OSError: if the file cannot be written.
    """
    kind = kind_of(options.out)
    for family in options.family or ():
        if family not in FAMILIES:
            raise ValueError(f"--family {family!r}: expected some of {', '.join(FAMILIES)}")
    own = read_landmarks(*options.landmark)
    chosen = (each for each in LANDMARKS.values() if not options.family or each.family in options.family)

    from results.plots.published import draw_published, published_plot
    from results.plots.style import THEMES, image
    from space.shell.files import write_files

    data = published_plot(options.target, (*chosen, *own), options.x)
    if not data.lines:
        raise ValueError(
            f"--family {' '.join(options.family)}: none of these has a published error on {options.target}"
        )
    write_files({options.out: image(draw_published(data, THEMES[options.theme]), kind)})
    count = sum(len(line.points) for line in data.lines)
    return f"{amount(count, 'network')}, {data.x_label} against {data.y_label}: {options.out}"
