"""`python -m results RUN`: draws and writes everything of a run anew, from its study alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from space.command import Parser, answer


def make_parser() -> argparse.ArgumentParser:
    """The command line of `python -m results`."""
    parser = Parser(
        prog="python -m results",
        description="Reads the study of a run and writes trials.csv, frontier.csv, configs/, frontier.png and .svg, "
        "published.png and .svg into its directory; prints the frontier.",
    )
    parser.add_argument("run", metavar="RUN", help="the run's directory, such as runs/NAME")
    parser.add_argument("--storage", metavar="URL", help="where the study is, if not in the run's directory")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, redraw, print. Returns the exit status."""
    options = make_parser().parse_args(arguments)

    def text() -> str:
        from results import frontier_table, load_run, write_outputs

        run = load_run(options.run, options.storage)
        paths = write_outputs(run)
        return f"{frontier_table(run)}\n\nwritten: " + ", ".join(str(path) for path in paths)

    return answer("python -m results", text)


if __name__ == "__main__":
    sys.exit(main())
