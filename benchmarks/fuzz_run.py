"""One reader on many inputs: what it accepts, what it refuses, what breaks it and what never ends."""

from __future__ import annotations

import faulthandler
import json
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from space.shell.names import visible

MANY, FEW = 100_000, 1_000  # inputs: of readers that take less than a millisecond, and of all others
FAST = 1e-3  # processor seconds an input
TIMED = 100  # inputs that are timed to tell which
LIMIT = 30.0  # seconds that one input may take, on a machine that does other things too
PACKAGES = ("space", "search", "evaluate", "results")
KEPT = 20  # findings that are kept of a reader


@dataclass(frozen=True)
class Reader:
    """Something that reads what a user or a damaged disk gives it."""

    name: str
    draw: Callable[[random.Random], Any]  # an input
    read: Callable[[Any], None]
    errors: tuple[type[Exception], ...] = (ValueError,)  # how it refuses


@dataclass
class Counts:
    """What became of the inputs of one reader."""

    reader: str
    seed: int
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    tracebacks: int = 0
    hangs: int = 0
    seconds: float = 0.0  # of the processor, all inputs together
    wanted: int | None = None  # inputs, once that is known
    findings: list[dict[str, str]] = field(default_factory=list)  # input, what broke, where

    def save(self, file: TextIO) -> None:
        """As JSON, in place of what an open file holds."""
        file.seek(0)
        file.write(json.dumps(asdict(self), indent=1))
        file.truncate()
        file.flush()

    @classmethod
    def load(cls, path: Path) -> Counts:
        """Read `save`'s file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


class Hang(BaseException):
    """An input took too long; no Exception, so that nothing on the way holds it for an error of its own."""


class Reached(BaseException):
    """The words were understood, and what they ask for is about to begin: that is not fuzzed."""


class Unclear(Exception):
    """A refusal that says nothing, or says it in letters that no terminal should be given."""


def check_message(text: str) -> None:
    """A refusal is one line that can be printed.

    Raises:
        Unclear: if it is not.
    """
    if not text.strip():
        raise Unclear("a refusal without a word")
    if visible(text) != text:
        raise Unclear(f"a refusal of several lines or with control characters: {text[:300]!r}")


def fuzz(
    reader: Reader, seed: int, inputs: int | None = None, counts: Counts | None = None, file: TextIO | None = None
) -> Counts:
    """Give a reader its inputs; the same seed gives the same ones.

    Args:
        reader: which.
        seed: of the inputs; input number n depends on it, on the reader's name and on n alone.
        inputs: how many; by default as many as its speed allows, see `MANY`.
        counts: of the inputs before; it goes on after them.
        file: where the counts are kept every 100 inputs.
    """
    counts = counts or Counts(reader.name, seed)
    counts.wanted = inputs or counts.wanted
    before = signal.signal(signal.SIGALRM, _too_long)
    begun = time.process_time() - counts.seconds
    try:
        while counts.wanted is None or counts.inputs < counts.wanted:
            if counts.inputs % 100 == 0:  # for what no signal can stop, such as a loop in C
                faulthandler.dump_traceback_later(40 * LIMIT, exit=True)
                counts.seconds = round(time.process_time() - begun, 2)
                if file is not None:
                    counts.save(file)
            if counts.inputs == TIMED and counts.wanted is None:
                counts.wanted = FEW if (time.process_time() - begun) / TIMED > FAST else MANY
            given = reader.draw(random.Random(f"{seed} {reader.name} {counts.inputs}"))
            counts.inputs += 1
            _one(reader, given, counts)
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
    counts.seconds = round(time.process_time() - begun, 2)
    if file is not None:
        counts.save(file)
    return counts


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Hang


def _one(reader: Reader, given: Any, counts: Counts) -> None:
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        reader.read(given)
        counts.accepted += 1
    except Reached:
        counts.accepted += 1
    except Hang:
        counts.hangs += 1
        _keep(counts, given, "hang")
    except reader.errors as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if _is_sentence(error):
            counts.refused += 1
        else:
            counts.tracebacks += 1
            _keep(counts, given, "traceback")
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException:
        signal.setitimer(signal.ITIMER_REAL, 0)
        counts.tracebacks += 1
        _keep(counts, given, "traceback")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _is_sentence(error: Exception) -> bool:
    """Whether a refusal is the program's own; a UnicodeDecodeError, as an example, has slipped out."""
    own = type(error) in (ValueError, RuntimeError) or type(error).__module__.split(".")[0] in PACKAGES
    return bool(str(error).strip()) and (own or (isinstance(error, OSError) and error.strerror is not None))


def _keep(counts: Counts, given: Any, what: str) -> None:
    """Note what broke, once for each place in the program."""
    kind, error, _ = sys.exc_info()
    frames = traceback.extract_tb(error.__traceback__) if error else []
    own = [frame for frame in frames if "site-packages" not in frame.filename and "benchmarks" not in frame.filename]
    where = f"{Path(own[-1].filename).name}:{own[-1].name}" if own else "?"
    said = f"{kind.__name__ if kind else ''}: {str(error)[:300]}"
    for each in counts.findings:
        if each["where"] == where and each["what"] == what and each["said"][:40] == said[:40]:
            return
    if len(counts.findings) < KEPT:
        last = f"{own[-1].filename}:{own[-1].lineno}" if own else ""
        counts.findings.append({"what": what, "where": where, "said": said, "line": last, "input": repr(given)[:600]})
