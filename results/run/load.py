"""`load_run`: opens what a search has written. Only reads: no file is made or changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from results.run.attributes import check_attributes, check_expected, check_settings
from results.run.frame import trials_frame
from results.run.objective import objective_of
from results.run.run import Run
from results.run.storage import is_server, open_study, study_url
from results.run.trained import add_trainings
from space.landmarks.networks import LANDMARKS, Landmark
from space.landmarks.own import read_landmarks
from space.own_families import check_known
from space.shell.reading import read_text

_SETTINGS = {"budget_macs": int, "mode": str, "data": str, "recipe": dict, "input_size": int, "classes": int}


def load_run(path: str | Path, storage: str | None = None, landmarks: Sequence[str | Path] = ()) -> Run:
    """Read a run directory.

    Args:
        path: the run's directory, such as ``runs/NAME``.
        storage: an Optuna storage URL, for a run that keeps its study on a server: run.json says where that is, but
            nothing connects to a server that is not named here. Without it the study is study.db, or another file that
            run.json names.
        landmarks: files of networks to show beside those of the run (see `space.landmarks.own`); of two with one name
            it is the one in a file that counts.

    Raises:
        ValueError: if there is no run, or its study is damaged or cannot be reached, or a file holds no landmarks: one
            sentence that names it.
    """
    directory = Path(path)
    if not directory.is_dir():
        what = "is a file" if directory.exists() else "does not exist"
        raise ValueError(f"{directory} {what}: expected the directory of a run, such as runs/NAME")
    more = {each.name: each for each in read_landmarks(*landmarks)}
    about = _run_file(directory / "run.json")
    stored = about.get("settings")
    name = stored.get("name") if isinstance(stored, dict) else None
    url = study_url(directory, about.get("storage"), storage)
    wanted = [name, directory.resolve().name]
    with open_study(directory / "study.db", url, wanted) as (study, where):
        attributes = study.user_attrs
        settings = _checked(attributes.get("settings"), where)
        own = _own_landmarks(settings, where) | more
        trials = study.get_trials(deepcopy=False)
        for trial in trials:
            check_attributes(trial)
        anew = check_expected(attributes.get("expected", {}))
        frame = trials_frame(trials, settings, objective_of(settings).column, LANDMARKS | own, anew)
        fidelity = str(attributes["fidelity"]["sentence"]) if "fidelity" in attributes else None
    notes = add_trainings(frame, directory)
    return Run(
        directory, settings, frame, fidelity, attributes.get("data_name"), attributes.get("data_key"), tuple(trials),
        about, tuple(own.values()), notes, None if "trust" not in attributes else str(attributes["trust"]),
    )  # fmt: skip


def load_runs(paths: Sequence[str | Path], storage: str | None = None) -> list[Run]:
    """Several runs; `storage` is meant for those that keep their study on a server.

    Raises:
        ValueError: as `load_run`.
    """
    return [
        load_run(path, storage if is_server(_run_file(Path(path) / "run.json").get("storage")) else None)
        for path in paths
    ]


def _run_file(path: Path) -> dict[str, Any]:
    """run.json, or nothing: the study alone is enough."""
    try:
        about = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}


def _own_landmarks(settings: dict[str, Any], where: str) -> dict[str, Landmark]:
    """Those that the search was given, by name."""
    try:
        own = [Landmark.from_json(each) for each in settings.get("own_landmarks", ())]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} is damaged: {error}") from error
    return {each.name: each for each in own}


def _checked(settings: Any, where: str) -> dict[str, Any]:
    stored = settings if isinstance(settings, dict) else {}
    wrong = [key for key, kind in _SETTINGS.items() if not isinstance(stored.get(key), kind)]
    if wrong:
        raise ValueError(f"{where} is no run of archfrontier: its settings lack {', '.join(wrong)}")
    check_known(stored.get("own_families", {}), where)
    try:
        check_settings(stored)
        objective_of(stored)
    except ValueError as error:
        raise ValueError(f"{where} is damaged: {error}") from error
    return stored
