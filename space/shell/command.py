"""What the four command lines share: complaints of one sentence, exit status 2, and readers that leave early."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from space.shell.interrupts import interruptible
from space.shell.names import visible

MOST_SEED = 2**31


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with status 2."""
        self.exit(2, f"{self.prog}: {visible(message)}; type {self.prog} --help\n")


def seed(text: str) -> int:
    """A seed as argparse reads it: what torch and NumPy both take, with room for the seeds that follow it."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < MOST_SEED:
        raise argparse.ArgumentTypeError(f"{text[:50]!r}: expected a whole number from 0 to {MOST_SEED - 1}")
    return value


def answer(prog: str, make: Callable[[], str]) -> int:
    """Print what `make` returns, if anything, or in one sentence why it cannot. Returns the exit status."""
    try:
        with interruptible():
            text = make()
    except (ValueError, OSError, RuntimeError) as error:
        return refuse(prog, error)
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return 130
    try:
        if text:
            print(visible(text, keep="\n\t"), flush=True)
    except OSError as error:
        silence()
        if not isinstance(error, BrokenPipeError):  # the reader has left, as `head` does: nothing is wrong
            return refuse(prog, f"the output cannot be written: {error.strerror}")
    return 0


def refuse(prog: str, reason: object) -> int:
    """Say on stderr, in one line, what is wrong. Returns exit status 2."""
    if isinstance(reason, OSError) and reason.strerror:
        place = reason.filename2 or reason.filename
        reason = f"{f'{place}: ' if place else ''}{reason.strerror}; the files that were there are kept"
    print(f"{prog}: {visible(' '.join(str(reason).split()))}", file=sys.stderr)
    return 2


def silence() -> None:
    """Send what is left for a stdout that failed to nowhere, or the flush at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
