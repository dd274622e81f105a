"""The processes that a search has started, and whether they are gone: read from /proc."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path


def descendants(process: int) -> list[int]:
    """Processes that a process has started, these have started, and so on."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _status(int(entry.name))):
            parents[int(entry.name)] = int(fields[1])
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {process})


def workers(holder: int) -> list[int]:
    """Those that measure networks: what the server of processes has forked."""
    below = descendants(holder)
    return [each for each in below if (fields := _status(each)) and int(fields[1]) in below]


def gone(processes: Iterable[int], within: float) -> bool:
    """Whether all of them end in so many seconds; what only waits to be asked for its status has ended."""
    end = time.monotonic() + within
    while alive := [each for each in processes if (fields := _status(each)) and fields[0] != "Z"]:
        if time.monotonic() > end:
            break
        time.sleep(0.02)
    return not alive


def _status(process: int) -> list[str] | None:
    """State, parent and so on; None if there is no such process."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
