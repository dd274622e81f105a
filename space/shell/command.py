"""How every command starts and ends: complaints of one sentence, exit status 2, Ctrl-C, readers that leave early."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from space.shell.interrupts import ignore_signals, interruptible, terminate_as_interrupt, uninterrupted
from space.shell.names import visible

MOST_SEED = 2**31
INTERRUPTED = 130  # exit status, as shells have it for Ctrl-C
Call = Callable[[argparse.Namespace], str]


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


def start_command(
    parser: argparse.ArgumentParser, call: Call, arguments: Sequence[str] | None = None, stopped: str = "interrupted"
) -> int:
    """Start a command: parse its words, call what it is for, print what that returns.

    Args:
        parser: of the command; its `prog` begins every complaint.
        call: takes the options and returns what is printed at the end, or nothing if all has been printed.
        arguments: the words; those of the process unless given.
        stopped: what is said after Ctrl-C or SIGTERM.

    Returns:
        The exit status, as `answer` has it.
    """
    options = parser.parse_args(arguments)
    return answer(parser.prog, lambda: call(options), stopped)


def answer(prog: str, make: Callable[[], str], stopped: str = "interrupted") -> int:
    """Print what `make` returns, if anything, or in one sentence why it cannot.

    Returns:
        The exit status: 0; 2 for what the user can mend; 130 after Ctrl-C or SIGTERM; 1 if the reader of the output
        left before `make` was done.
    """
    try:
        terminate_as_interrupt()
        with interruptible():
            text = make()
    except BrokenPipeError:
        silence()
        return 1
    except (ValueError, OSError, RuntimeError) as error:
        return refuse(prog, error)
    except KeyboardInterrupt as stop:
        with uninterrupted():  # who types Ctrl-C once more has been heard
            print(f"{prog}: {visible(str(stop)) or stopped}", file=sys.stderr)
        return INTERRUPTED
    try:
        if text:
            print(visible(text, keep="\n\t"), flush=True)
    except OSError as error:
        silence()
        if not isinstance(error, BrokenPipeError):  # the reader has left, as `head` does: nothing is wrong
            return refuse(prog, f"the output cannot be written: {error.strerror}")
    return 0


def leave(status: int) -> NoReturn:
    """End the process of a command."""
    ignore_signals()
    sys.exit(status)


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
