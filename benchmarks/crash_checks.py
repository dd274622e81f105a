"""What must hold of a run's directory at any moment, whatever has killed the search. Reads files, trusts nobody.

The study is read from a copy by plain SQL, so that the next start of the search finds what the killed one left: its
journal is not taken in by who looks. `benchmarks.crash` and the tests use this.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from search.run.lock import held_by
from search.run.log import read_log

JOURNALS = ("", "-wal", "-journal")
ENDED = ("COMPLETE", "PRUNED", "FAIL")


@dataclass(frozen=True)
class Stored:
    """One trial as the storage has it."""

    number: int
    state: str
    start: str | None
    complete: str | None
    values: tuple[tuple[int, float | None, str], ...]
    params: tuple[tuple[str, float, str], ...]
    attributes: dict[str, Any]

    @property
    def kind(self) -> str | None:
        """What it is: sample or landmark."""
        return self.attributes.get("kind")


@dataclass
class Study:
    """What is in a run's study.db."""

    integrity: str = "ok"
    created: bool = False  # the run's settings are in it
    trials: list[Stored] = field(default_factory=list)


def read_study(directory: Path) -> Study:
    """The study of a run, as far as there is one.

    Raises:
        sqlite3.Error: if it cannot be read.
    """
    if not (directory / "study.db").exists():
        return Study()
    with tempfile.TemporaryDirectory() as elsewhere:
        for suffix in JOURNALS:
            file = directory / f"study.db{suffix}"
            if file.exists():
                shutil.copyfile(file, Path(elsewhere) / file.name)
        with closing(sqlite3.connect(Path(elsewhere) / "study.db")) as connection:
            return _study(connection)


def _study(connection: sqlite3.Connection) -> Study:
    found = Study("; ".join(str(row[0]) for row in connection.execute("PRAGMA integrity_check")))
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        found.integrity += f"; {len(broken)} rows refer to nothing"
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"trials", "trial_values", "trial_params", "trial_user_attributes", "study_user_attributes"} <= tables:
        return found
    found.created = bool(connection.execute("SELECT 1 FROM study_user_attributes WHERE key = 'settings'").fetchall())
    for key, *what in connection.execute(
        "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials ORDER BY number"
    ).fetchall():

        def rows(columns: str, table: str, key: int = key) -> tuple[Any, ...]:
            query = f"SELECT {columns} FROM {table} WHERE trial_id = ? ORDER BY 1"
            return tuple(connection.execute(query, (key,)).fetchall())

        values = rows("objective, value, value_type", "trial_values")
        params = rows("param_name, param_value, distribution_json", "trial_params")
        attributes = {name: json.loads(text) for name, text in rows("key, value_json", "trial_user_attributes")}
        found.trials.append(Stored(*what, values, params, attributes))
    return found


def broken_rules(directory: Path, seen: dict[int, Stored], total: int, landmarks: int) -> Iterator[str]:
    """What does not hold now, one sentence each; nothing if all is well.

    Args:
        directory: of the run; nobody searches it.
        seen: the trials of earlier looks by their number; those of this one are added.
        total: sampled networks that the run was asked for.
        landmarks: how many it has.
    """
    if (holder := held_by(directory)) is not None:
        yield f"the lock is held by {holder}"
    try:
        study = read_study(directory)
    except (sqlite3.Error, ValueError) as error:
        yield f"study.db cannot be read: {error}"
        return
    if study.integrity != "ok":
        yield f"study.db: {study.integrity}"
    now = {trial.number: trial for trial in study.trials}
    for number, before in seen.items():
        if number not in now:
            yield f"trial {number} is lost"
        elif now[number] != before:
            yield f"trial {number} has changed: {before} then, {now[number]} now"
    seen.update(now)
    yield from _broken_trials(study.trials, total, landmarks)
    yield from _broken_log(directory, now)
    for path in sorted(directory.rglob("*")):
        if path.is_file() and (trouble := _broken_file(path)):
            yield f"{path.relative_to(directory)} {trouble}"
    yield from _too_many_leftovers(directory)


def _broken_trials(trials: list[Stored], total: int, landmarks: int) -> Iterator[str]:
    if [trial.number for trial in trials] != list(range(len(trials))):
        yield f"the numbers have gaps: {[trial.number for trial in trials]}"
    firsts: dict[str, Stored] = {}
    for trial in trials:
        if trial.state not in ENDED or trial.complete is None:
            yield f"trial {trial.number} is {trial.state}, ended {trial.complete}"
        if trial.state == "COMPLETE" and not trial.values:
            yield f"trial {trial.number} is complete without values"
        identity = trial.attributes.get("config_id")
        if identity is None or "macs" not in trial.attributes or trial.kind is None:
            yield f"trial {trial.number} is half-written: {sorted(trial.attributes)}"
            continue
        first = firsts.setdefault(identity, trial)
        if first is not trial and trial.attributes.get("duplicate_of") != first.number:
            yield f"trials {first.number} and {trial.number} are the same network, trained twice"
        elif first is not trial and (trial.state, trial.values) != (first.state, first.values):
            yield f"trial {trial.number}, the same network as {first.number}, has other values"
    kinds = Counter(trial.kind for trial in trials)
    if kinds["sample"] > total or kinds["landmark"] > landmarks:
        yield f"{kinds['sample']} sampled networks and {kinds['landmark']} landmarks, more than {total} and {landmarks}"
    names = Counter(trial.attributes.get("landmark") for trial in trials if trial.kind == "landmark")
    if any(count > 1 for count in names.values()):
        yield f"landmarks are counted twice: {names}"


def _broken_log(directory: Path, trials: dict[int, Stored]) -> Iterator[str]:
    """Every network that was reported as finished has to be in the study."""
    told: set[int] = set()
    for event in read_log(directory / "log.jsonl"):
        if event["event"] != "finish":
            continue
        number = event["trial"]
        trial = trials.get(number)
        if number in told:
            yield f"trial {number} was reported twice"
        told.add(number)
        if trial is None:
            yield f"trial {number} was reported as finished, and is not in the study"
        elif trial.attributes.get("config_id") != event["config_id"]:
            yield f"trial {number} was reported as another network"
        elif trial.state == "COMPLETE" and trial.values[0][1] != event["top1"]:
            yield f"trial {number} was reported with top-1 {event['top1']}, and has {trial.values}"


def torn_lines(directory: Path) -> int:
    """How many lines of the log were cut off."""
    log = directory / "log.jsonl"
    lines = [line for line in log.read_bytes().split(b"\n") if line] if log.exists() else []
    return len(lines) - len(read_log(log))


def _broken_file(path: Path) -> str | None:
    """What is wrong with a table, a picture or a JSON file that has its final name."""
    content = path.read_bytes()
    try:
        match path.suffix:
            case ".png" if not (content.startswith(b"\x89PNG\r\n\x1a\n") and content[-8:-4] == b"IEND"):
                return "is half a picture"
            case ".svg":
                ElementTree.fromstring(content)
            case ".json":
                json.loads(content)
            case ".csv":
                widths = {len(row) for row in csv.reader(content.decode().splitlines(), strict=True)}
                if len(widths) != 1 or not content.endswith(b"\n"):
                    return "is half a table"
    except (ValueError, csv.Error, ElementTree.ParseError) as error:
        return f"is damaged: {error}"
    return None


def leftovers(directory: Path) -> list[Path]:
    """Temporary files of processes that were killed while they wrote."""
    return sorted(directory.rglob(".*.tmp"))


def _too_many_leftovers(directory: Path) -> Iterator[str]:
    """Who writes in a directory first removes what others left there, so they can be of one process alone."""
    holders: dict[Path, set[str]] = {}
    for path in leftovers(directory):
        match = re.fullmatch(r".*-(\d+)\.tmp", path.name)
        holders.setdefault(path.parent, set()).add(match[1] if match else path.name)
    for parent, processes in holders.items():
        if len(processes) > 1:
            yield f"{parent.relative_to(directory)} has temporary files of processes {sorted(processes)}"
