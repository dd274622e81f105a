"""`python -m results block NETWORK --out FILE`: the picture of a block beside its unrolled alternatives."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from results.cli.published import add_picture, kind_of
from space import LANDMARKS, landmark, load_config
from space.landmarks.networks import TARGETS
from space.own_families import add_families
from space.papers.blocks import of_stage
from space.shell.command import Parser, start_command

PROG = "python -m results block"


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m results block`."""
    parser = Parser(
        prog=PROG,
        description="Draws what one block of a network costs a position, convolution by convolution, beside its "
        "unrolled alternatives at equal width and at equal cost; python -m space block has the numbers.",
    )
    parser.add_argument("network", help="a published network's name, or the path of a configuration's JSON")
    add_families(parser)
    parser.add_argument("--stage", type=int, default=1, metavar="N", help="which of its stages (%(default)s)")
    add_picture(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, draw, write. Returns the exit status."""
    return start_command(make_parser(), draw, arguments)


def draw(options: argparse.Namespace) -> str:
    """Write the picture and say what is on it.

    Raises:
        ValueError: for another ending, and for a network or a stage that there is none of.
        OSError: if a file cannot be read or written.
    """
    kind = kind_of(options.out)
    name, path = options.network, Path(options.network)
    config = load_config(path) if path.is_file() and name not in LANDMARKS else landmark(name)
    size = TARGETS[config.kind][0] if config.task is None else config.task.input_size
    block = of_stage(config, options.stage, size)

    from results.plots.block import block_plot, draw_block
    from results.plots.style import THEMES, image
    from space.shell.files import write_files

    called = LANDMARKS[name].label if name in LANDMARKS else path.stem
    data = block_plot(f"{called}, stage {options.stage}, and its unrolled alternatives", config.family, block)
    write_files({options.out: image(draw_block(data, THEMES[options.theme]), kind)})
    return f"{block.name} and {len(data.bars) - 1} alternatives: {options.out}"
