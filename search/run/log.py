"""`RunLog`: what happened in a run and when, in ``runs/NAME/log.jsonl``; one JSON object a line, never changed again.

The study is the only truth of a run. The log says how it came about: starts, retries, ends, what the device did.
Every line has

* ``time`` - wall clock, ISO 8601 in UTC. For people: clocks are set back and forth, so nothing is computed from it.
* ``elapsed`` - seconds since this start of the run, by a clock that only goes forwards.
* ``session`` - one word for each start of the run.
* ``event`` - begin, repeats (so many follow), start (a network is sent out), retry, finish, batch (so many networks
  of a run that trains nothing are in the study), end.
"""

from __future__ import annotations

import errno
import json
import math
import os
import platform
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from search.records import Event
from space.shell.reading import read_bytes

MOST_BYTES = 1 << 30

# As SQLAlchemy reads a URL, but up to the last "@": a password that should have been quoted is hidden whole.
_PASSWORD = re.compile(r"(://[^:/@\s]*:)\S*(?=@)|([?&]\w*(?:pass|pwd|secret|token)\w*=)[^&\s]*", re.IGNORECASE)


class RunLog:
    """One start of a run, writing. Each line is one write at the end of the file.

    A log that cannot be written costs no network: `begin` refuses to start, but later the trouble is kept in
    `trouble` and the next line is tried again. Whoever owns the log says it at the end.
    """

    def __init__(self, path: Path, watch: Callable[[dict[str, Any]], None] | None = None) -> None:
        """A new start. Nothing is written yet.

        Args:
            path: made by the first line; its directory is there.
            watch: is called with every event as `read_log` will give it, written or not.
        """
        self.path = path
        self.session = uuid.uuid4().hex[:8]
        self.trouble: str | None = None  # one sentence, once a line was lost
        self._watch = watch
        self._began = time.monotonic()
        self._keys: dict[str, int] = {}  # label -> key of what has been sent out

    def begin(
        self,
        *,
        versions: Mapping[str, str],
        device: str,
        command: Sequence[str],
        settings: Mapping[str, Any],
        storage: str | None,
        workers: int,
        trials: int,
        done: int,
        left: int,
    ) -> None:
        """The run starts or goes on.

        Args:
            versions: of Python and the packages, and what they run on.
            device: where networks are trained.
            command: the words of the command line. Passwords in URLs are not written, here or in any other event.
            settings: `Settings.to_json`.
            storage: as `public_url` shows it; None for the run's own file.
            workers: networks trained at the same time.
            trials: sampled networks asked for in the whole run.
            done: networks that earlier starts have finished.
            left: networks that this start has to do, landmarks among them; repeats are counted when they begin.

        Raises:
            OSError: if the line cannot be written.
        """
        self._write("begin", {
            "versions": dict(versions), "device": device, "command": list(command), "settings": dict(settings),
            "storage": storage, "workers": workers, "trials": trials, "done": done, "left": left,
            "host": platform.node(), "process": os.getpid(),
        })  # fmt: skip

    def repeats(self, count: int) -> None:
        """All networks are done; those on the frontier are trained again, `count` times together."""
        self._try("repeats", {"count": count})

    def start(self, key: int, kind: str, label: str, attributes: Mapping[str, Any]) -> None:
        """A network has been sent out, perhaps again; it may wait for a worker.

        Args:
            key: of the network, in this start of the run.
            kind: sample, landmark or repeat.
            label: how the console calls it; no two networks of a start share one.
            attributes: ``config_id``, ``family``, ``macs``, of a sample ``origin``, of a repeat ``repeat_of`` and
                ``seed``.
        """
        self._keys[label] = key
        about = {name: attributes.get(name) for name in ("config_id", "family", "macs", "origin")}
        about |= {name: attributes[name] for name in ("repeat_of", "seed") if name in attributes}
        self._try("start", {"key": key, "kind": kind, "label": label} | about)

    def retry(self, key: int, attempt: int, reason: str) -> None:
        """A worker was lost with the network, which is sent out again: the first time is attempt 1."""
        self._try("retry", {"key": key, "attempt": attempt, "reason": reason})

    def finish(self, trial: int, event: Event, config_id: str) -> None:
        """A network is in the study, as trial number `trial`."""
        self._try("finish", {
            "key": self._keys.pop(event.label, None),  # None: never sent out, another one was the same
            "trial": trial, "label": event.label, "config_id": config_id, "family": event.family,
            "macs": event.macs, "params": event.params,
        } | figures(event))  # fmt: skip

    def batch(self, count: int) -> None:
        """So many networks are in the study, none of them trained."""
        self._try("batch", {"count": count})

    def end(self, reason: str, sentence: str = "") -> None:
        """The start is over: ``done``, ``interrupted`` or ``error``, and what the user was told."""
        self._try("end", {"reason": reason, "sentence": sentence})

    def _try(self, event: str, values: dict[str, Any]) -> None:
        try:
            self._write(event, values)
        except OSError as error:
            self.trouble = (
                f"{self.path} lacks lines, it could not be written ({error.strerror}); "
                "the study has every finished network all the same"
            )

    def _write(self, event: str, values: dict[str, Any]) -> None:
        stamp = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "elapsed": round(time.monotonic() - self._began, 3),
            "session": self.session,
            "event": event,
        }
        entry = _public(stamp | values)
        if self._watch is not None:
            self._watch(entry)
        _append(self.path, json.dumps(entry, allow_nan=False).encode() + b"\n")


def _append(path: Path, line: bytes) -> None:
    """Write a line in one go at the end of a file; what was cut off there before stays a line of its own."""
    try:
        with path.open("ab+", buffering=0) as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def figures(event: Event) -> dict[str, Any]:
    """What is said of a network that has ended. What a duplicate took was spent before: it is missing."""
    evaluation = event.evaluation
    score, latency = evaluation.score, evaluation.latency
    trained = score if event.duplicate_of is None else None
    return {
        "kind": event.kind,
        "state": evaluation.state,
        "top1": None if score is None or evaluation.state == "failed" else score.top1,
        "epoch": score.curve[-1]["epoch"] if score is not None and score.curve else None,
        "seconds": None if trained is None else round(trained.seconds, 3),
        "images_per_second": None if trained is None else round(trained.images_per_second, 1),
        "peak_share": None if trained is None else trained.peak_share,
        "peak_memory": None if trained is None else trained.peak_memory,
        "latency": None if latency is None else latency.to_json(),
        "duplicate_of": event.duplicate_of,
        "slow": (evaluation.violation or 0) > 0,
        "rejected": event.kind == "sample" and (evaluation.violation or 0) > 0,  # no trial of --trials
        "reason": evaluation.reason,
        "trace": evaluation.trace,
    }


def read_log(path: Path) -> list[dict[str, Any]]:
    """The events of a log; see `read_lines`."""
    return read_lines(path)[0]


def read_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The events in the order in which they were written, and how many lines were left out; none if there is no log.

    Left out is a line that was cut off (killed, full disk, lost power), wherever later starts have put it, and one that
    is no event as `RunLog` writes it.

    Raises:
        OSError: if the file cannot be read.
    """
    try:
        content = read_bytes(path, MOST_BYTES)
    except FileNotFoundError:
        return [], 0
    events, left_out = [], 0
    for line in content.split(b"\n"):
        if not line:
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
            event = None
        if _is_event(event):
            events.append(event)
        else:
            left_out += 1
    return events, left_out


def _is_event(event: object) -> bool:
    """Whether it has what readers rely on."""
    if not isinstance(event, dict) or not all(_is_text(event.get(name)) for name in ("time", "session", "event")):
        return False
    fields = _FIELDS.get(event["event"], {})
    return (
        _is_time(event["time"])
        and _is_amount(event.get("elapsed"))
        and (event.get("key") is None or _is_count(event["key"]))
        and all(fits(event.get(name)) for name, fits in fields.items())
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_amount(value: object) -> bool:
    return _is_count(value) or (type(value) is float and 0 <= value < math.inf)


def _is_amount_or_none(value: object) -> bool:
    return value is None or _is_amount(value)


def _is_command(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


_FIELDS: dict[str, dict[str, Callable[[object], bool]]] = {
    "begin": {
        "workers": _is_count, "done": _is_count, "left": _is_count, "process": _is_count, "device": _is_text,
        "command": _is_command,
    },
    "repeats": {"count": _is_count},
    "batch": {"count": _is_count},
    "start": {"key": _is_count, "label": _is_text, "family": _is_text, "macs": _is_count},
    "retry": {"key": _is_count},
    "finish": {"seconds": _is_amount_or_none},
    "end": {"reason": _is_text, "sentence": _is_text},
}  # fmt: skip


def _public(value: Any) -> Any:
    """The value without passwords, and with None for numbers that JSON has no word for."""
    if isinstance(value, str):
        return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _public(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_public(each) for each in value]
    return value
