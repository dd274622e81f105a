"""`python -m results compare RUN RUN ...`: what several runs found, as tables and as a picture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from results.cli.show import WIDTH, add_format, deliver, format_of
from results.plots import FORMATS as PICTURES
from results.run.objective import COSTS
from space.own_families import add_families
from space.shell.command import Parser, start_command

if TYPE_CHECKING:
    from results.analysis.comparison import Comparison

PROG = "python -m results compare"
TABLES = {
    "runs": "what each found",
    "coverage": "how much of the frontier of the run above the run at the left is at least as good as, for as little",
    "joint": "the frontier of all runs together",
}
THEMES = ("light", "dark")


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m results compare`."""
    parser = Parser(
        prog=PROG,
        description="Puts runs side by side: their best networks, the hypervolumes of their frontiers over one axis of "
        "costs, how much of each frontier the others cover, and the frontier of all together.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="directories of two or more runs")
    parser.add_argument("--storage", metavar="URL", help="where the study of a run on a server is")
    add_families(parser)
    parser.add_argument("--x", metavar="COST", help=f"{', '.join(COSTS)}: what networks cost (the runs' objective)")
    parser.add_argument("--anyway", action="store_true", help="compare runs whose scores or costs are not of one kind")
    tables = "; ".join(f"{name}: {what}" for name, what in TABLES.items())
    parser.add_argument("--table", choices=tuple(TABLES), metavar="NAME", help=f"one of {tables} (all; of files: runs)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help=f"the frontiers in a picture: {', '.join(PICTURES)}")
    parser.add_argument("--theme", choices=THEMES, default="light", help="of the picture (%(default)s)")
    add_format(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, read, compare, print or write. Returns the exit status."""
    return start_command(make_parser(), compared, arguments)


def compared(options: argparse.Namespace) -> str:
    """What is printed.

    Raises:
        ValueError: if the runs do not compare, in one sentence that names the difference.
        OSError: if a file cannot be written.
    """
    if len(options.runs) < 2:
        raise ValueError(f"only {options.runs[0]} is given: expected two or more runs")
    shape, kind = format_of(options), None
    if options.plot is not None:
        kind = options.plot.suffix.lower().lstrip(".")
        if kind not in PICTURES:
            raise ValueError(f"--plot {options.plot}: expected a name that ends in .{', .'.join(PICTURES)}")

    from results.analysis.comparison import compare, differences, names_of
    from results.export.tables import turned
    from results.run.load import load_runs

    runs = load_runs(options.runs, options.storage)
    names = names_of(runs)
    unlike = differences(runs, names)
    if unlike and not options.anyway:
        raise ValueError(f"{unlike[0]}; expected runs of one kind, or --anyway")
    found = compare(runs, names, options.x)
    lines = [f"not of one kind: {sentence}" for sentence in unlike]
    if kind is not None:
        lines.append(_picture(found, options.plot, kind, options.theme))
    tables = found.tables()
    if options.out is not None or shape != "text" or options.table is not None:
        if options.out is None:
            lines = []  # a table for a program alone
        return "\n".join([*lines, deliver(*tables[options.table or "runs"], options)])
    low, high = map(found.cost.text, found.axis)
    parts = [
        *lines,
        f"{TABLES['runs']}:\n{turned(*tables['runs'])}",
        *(f"{TABLES[name]}:\n{deliver(*tables[name], options, WIDTH)}" for name in ("coverage", "joint")),
        "hypervolume: the best top-1 at or below a cost, 0 where there is nothing, on average over the logarithmic "
        f"axis from {low} to {high}",
    ]
    return "\n\n".join(parts)


def _picture(found: Comparison, path: Path, kind: str, theme: str) -> str:
    from results.plots.compare import compare_data, draw_compare
    from results.plots.style import THEMES, image
    from space.shell.files import write_files

    write_files({path: image(draw_compare(compare_data(found), THEMES[theme]), kind)})
    return f"picture: {path}"
