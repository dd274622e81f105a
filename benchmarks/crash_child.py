"""A search in a child of this process, which has imported all that it needs; begun and waited for."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from pathlib import Path

from search.__main__ import main as search

PATIENCE = 120  # seconds for a search to end after a signal, or of itself
ESCAPED, OUTSIDE = 78, 77  # exit statuses: Ctrl-C left main as an exception; it came before main or after it


def begin(arguments: list[str], output: Path) -> int:
    """Fork a child that runs the command, as soon as it is about to begin."""
    ready, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        os.read(ready, 1)
        os.close(ready)
        return child
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    status = ESCAPED
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.write(tell, b"!")
        status = search(arguments)
    except KeyboardInterrupt as error:
        inside = any(frame.f_code is search.__code__ for frame, _ in traceback.walk_tb(error.__traceback__))
        status = ESCAPED if inside else OUTSIDE
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def ended(child: int, seconds: float) -> int | None:
    """The exit status of a child, minus the signal if one killed it; None if it still runs after the time."""
    deadline = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(0.002, left))


def patiently(child: int) -> int | None:
    """The exit status of a child; None if it did not end, and was killed."""
    status = ended(child, PATIENCE)
    if status is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return status
