"""The configurations of a run's frontier as files, and which of them may go again when they have left it.

Only what the run itself has written goes, so it keeps the digests of its files: a configuration that somebody has put
there or changed stays, and so does one that a training was begun from, which needs it to go on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from results.run.run import Run
from results.run.trained import DIRECTORY, REPORT
from space.shell.files import json_bytes
from space.shell.reading import read_bytes, read_text

CONFIGS = "configs"
WRITTEN = ".configs.json"  # in the run's directory: a file's name -> SHA-256 of what was written into it
_ID = re.compile(r"[0-9a-f]{12}")


def configuration_files(run: Run, trials: Collection[int]) -> dict[Path, bytes]:
    """``configs/<id>.json`` of each of the trials, and the list of what the run has written, as they are to be written.

    Args:
        run: of which.
        trials: their numbers.
    """
    configs = run.directory / CONFIGS
    members = [run.candidate(int(trial)) for trial in trials]
    files = {configs / f"{member.config.id}.json": json_bytes(member.to_json()) for member in members}
    digests = _ours(run.directory) | {path.name: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return files | {run.directory / WRITTEN: json_bytes(digests)}


def remove_configurations(directory: Path, keep: Collection[Path]) -> None:
    """Remove the configurations that the run has written before and that are none of `keep`.

    Nothing is removed through a link, or that is not as it was written, or that a training in the directory refers to.

    Args:
        directory: the run's.
        keep: paths of files.
    """
    ours = _ours(directory)
    old = [directory / CONFIGS / name for name in ours if directory / CONFIGS / name not in keep]
    if not old or (directory / CONFIGS).is_symlink():
        return
    trainings = _trainings(directory)
    for path in old:
        if not any(path.stem in text or not _ID.search(text) for text in trainings):
            path.unlink()


def _ours(directory: Path) -> dict[str, str]:
    """The configurations that the run has written and nobody has changed since, with their digests."""
    try:
        listed: Any = json.loads(read_text(directory / WRITTEN))
    except (OSError, ValueError, RecursionError):  # nothing is known: then nothing is ours
        return {}
    if not isinstance(listed, Mapping):
        return {}
    return {
        path.name: listed[path.name]
        for path in sorted((directory / CONFIGS).glob("*.json"))
        if path.name in listed and not path.is_symlink() and path.is_file() and _digest(path) == listed[path.name]
    }


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except OSError:
        return None


def _trainings(directory: Path) -> list[str]:
    """What names the network of each training in the run's directory: its report, else what it is called."""
    texts = []
    for training in sorted((directory / DIRECTORY).glob("*")):
        try:
            texts.append(training.name + read_text(training / REPORT))
        except (OSError, ValueError):  # not finished, or damaged
            texts.append(training.name)
    return texts
