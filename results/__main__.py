"""`python -m results RUN`: draws and writes everything of a run anew, from its study alone."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with status 2."""
        self.exit(2, f"{self.prog}: {message}; type {self.prog} --help\n")


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
    try:
        from results import frontier_table, load_run, write_outputs

        run = load_run(options.run, options.storage)
        paths = write_outputs(run)
        text = f"{frontier_table(run)}\n\nwritten: " + ", ".join(str(path) for path in paths)
    except (ValueError, OSError) as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return 130
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the flush at exit would fail again
        if not isinstance(error, BrokenPipeError):  # the reader has left, as `head` does: nothing is wrong
            return _refuse(f"the output cannot be written: {error.strerror}")
    return 0


def _refuse(reason: Exception | str) -> int:
    if isinstance(reason, OSError) and reason.strerror:
        place = reason.filename2 or reason.filename
        reason = f"{reason.strerror}{f': {place}' if place else ''}; the files that were there are kept"
    print("python -m results: " + " ".join(str(reason).split()), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
