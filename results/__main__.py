"""`python -m results RUN`: draws and writes everything of a run anew, from its study alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from results.plots import FORMATS, KINDS, PLOTS, View, check_names
from results.run.objective import COSTS
from space.own_families import add_families
from space.shell.command import Parser, leave, start_command

COMMANDS = {  # each with a parser of its own, in results/cli/NAME.py
    "show": "print the table, or write it as CSV, Parquet, JSON, LaTeX or Markdown",
    "compare": "several runs side by side",
    "export": "a network as weights, ONNX, an exported program, a configuration or a Python file",
    "published": "what the papers report, from the landmarks alone: needs no run",
    "block": "a block of a network beside its unrolled alternatives: needs no run",
}
THEMES = ("light", "dark")


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m results RUN`."""
    others = "; ".join(f"{name} ({what})" for name, what in COMMANDS.items())
    parser = Parser(
        prog="python -m results",
        description="Reads the study of a run and writes tables, configurations and pictures into its directory; "
        f"prints the frontier. Other commands, each with a --help: {others}.",
    )
    parser.add_argument("run", metavar="RUN", help="the run's directory, such as runs/NAME")
    parser.add_argument("--storage", metavar="URL", help="where the study is, if not in the run's directory")
    add_families(parser)
    plots = "; ".join(f"{name}: {what}" for name, what in PLOTS.items())
    parser.add_argument(
        "--plots", nargs="+", default=["all"], metavar="NAME", help=f"all, with the page, or some of: {plots}"
    )
    parser.add_argument(
        "--format", nargs="+", default=list(KINDS), metavar="KIND", help=f"some of {', '.join(FORMATS)} (png svg)"
    )
    parser.add_argument("--x", metavar="COST", help=f"{', '.join(COSTS)} on the x axis (the run's objective)")
    parser.add_argument("--trial", type=int, metavar="N", help="the network that is drawn (the best one)")
    parser.add_argument(
        "--landmark",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="landmarks of your own for the pictures, JSON or CSV (see space.own_landmarks), beside those of the run",
    )
    parser.add_argument("--theme", default="light", help=f"{' or '.join(THEMES)} (%(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, redraw, print. Returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] and words[0] in COMMANDS:
        command: int = import_module(f"results.cli.{words[0]}").main(words[1:])
        return command
    return start_command(make_parser(), redraw, words)


def redraw(options: argparse.Namespace) -> str:
    """Write everything of a run anew; the frontier and what was written.

    Raises:
        ValueError: for a run, a picture or a format that there is none of.
        OSError: if a file cannot be read or written.
    """
    plots = check_names("--plots", options.plots, tuple(PLOTS))
    kinds = check_names("--format", options.format, FORMATS)
    if options.theme not in THEMES:
        raise ValueError(f"--theme {options.theme!r}: expected one of {', '.join(THEMES)}")

    from results import frontier_table, load_run, write_outputs
    from results.report.write import written_text

    run = load_run(options.run, options.storage, options.landmark)
    view, left = View(options.x, options.trial), list[str]()
    whole = plots == tuple(PLOTS)
    paths = write_outputs(run, plots, kinds, view, options.theme, report=whole, said=left.append)
    if left and len(plots) == 1:
        raise ValueError(left[0])
    return "\n".join([frontier_table(run), "", *left, written_text(run.directory, paths)])


if __name__ == "__main__":
    leave(main())
