"""Ctrl-C and SIGTERM: KeyboardInterrupt where the program is, and none of them is lost."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

AGAIN_IN = 0.01  # seconds


@contextmanager
def interruptible() -> Iterator[None]:
    """KeyboardInterrupt is raised again where Python drops it.

    Python shows and forgets what is raised in a finaliser or in a callback of the garbage collector. That is no rare
    case: the garbage collector runs before every network of a search.
    """
    shown = sys.unraisablehook

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_IN)
        else:
            shown(unraisable)

    alarm: Any = signal.signal(signal.SIGALRM, _interrupt)
    sys.unraisablehook = dropped
    try:
        yield
    finally:
        sys.unraisablehook = shown
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)


def terminate_as_interrupt() -> None:
    """From now on SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)


def ignore_signals() -> None:
    """Nothing is left to interrupt: what Python itself still does would only show a traceback."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until this is done, and are then forgotten; one before it begins is too."""
    before: dict[signal.Signals, Any] = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        ignore_signals()
    except KeyboardInterrupt:
        ignore_signals()
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
