"""`load_run`: opens what a search has written. Only reads: no file is made or changed."""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import optuna
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from results.frame import trials_frame
from space import Config, build, config_from_json, gflops

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

_SETTINGS = {"budget_macs": int, "mode": str, "data": str, "recipe": dict, "input_size": int, "classes": int}


@dataclass(frozen=True)
class Candidate:
    """A scored network, ready to be built."""

    config: Config
    macs: int  # at the run's input size and number of classes
    params: int
    proxy_top1: float  # percent
    trial: int
    input_size: int  # the run's target
    classes: int
    landmark: str | None = None

    def build(self, classes: int | None = None, input_size: int | None = None) -> nn.Module:
        """A fresh module that trains; for the run's target unless told otherwise.

        Raises:
            ValueError: if the input is too small for the network.
        """
        return build(self.config, classes or self.classes, input_size or self.input_size)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `space.load_config` reads the network from them."""
        return {
            "name": self.landmark or self.config.id,
            "family": self.config.family,
            "config": self.config.to_json(),
            "macs": self.macs,
            "params": self.params,
            "input_size": self.input_size,
            "classes": self.classes,
            "proxy_top1": self.proxy_top1,
            "trial": self.trial,
        }

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file, whole or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        from results.write import json_bytes, write_files

        write_files({Path(path): json_bytes(self.to_json())})


@dataclass(frozen=True, eq=False)
class Run:
    """A run as it was when it was read."""

    directory: Path
    settings: dict[str, Any]  # as the search stored them: budget_macs, mode, data, recipe, input_size, classes ...
    _frame: pd.DataFrame = field(repr=False)

    @property
    def budget_macs(self) -> int:
        """The limit of compute, in multiply-adds."""
        return int(self.settings["budget_macs"])

    @property
    def input_size(self) -> int:
        """Height and width that costs are counted at."""
        return int(self.settings["input_size"])

    @property
    def classes(self) -> int:
        """Number of classes that costs are counted at."""
        return int(self.settings["classes"])

    @property
    def data_name(self) -> str:
        """The images that networks were scored on: the last part of a path."""
        return Path(self.settings["data"]).name or str(self.settings["data"])

    @property
    def recipe_name(self) -> str:
        """The recipe that networks were trained with."""
        return str(self.settings["recipe"].get("name", "unnamed"))

    def frame(self) -> pd.DataFrame:
        """All trials, one a row; `results.frame.COLUMNS` says what the columns are."""
        return self._frame.copy()

    def frontier(self) -> pd.DataFrame:
        """The trials on the frontier, by cost: within the budget, nothing better for as little."""
        frame = self._frame
        return frame[frame["on_frontier"]].sort_values("macs").reset_index(drop=True)

    def best(
        self, max_macs: float | None = None, max_params: float | None = None, *, landmarks: bool = True
    ) -> Candidate:
        """The network with the highest proxy top-1 within the limits; the cheaper one of equals.

        Args:
            max_macs: multiply-adds of one image at the run's target; the run's budget unless given.
            max_params: trainable numbers.
            landmarks: whether published networks count too.

        Raises:
            ValueError: if no finished network fits.
        """
        frame = self._frame[self._frame["state"] == "complete"]
        frame = frame[frame["proxy_top1"].notna() & frame["macs"].notna() & frame["config"].notna()]
        if not landmarks:
            frame = frame[frame["kind"] != "landmark"]
        if frame.empty:
            raise ValueError(f"{self.directory}: no network is finished yet; let the search go on")
        limit = self.budget_macs if max_macs is None else max_macs
        fits = frame["macs"] <= limit
        if not fits.any():
            raise ValueError(
                f"nothing costs at most {gflops(limit)} multiply-adds; the cheapest is "
                f"{gflops(int(frame['macs'].min()))} (max_macs={int(frame['macs'].min())})"
            )
        frame = frame[fits]
        if max_params is not None:
            smaller = frame[frame["params"] <= max_params]
            if smaller.empty:
                least = int(frame["params"].min())
                raise ValueError(
                    f"nothing of at most {gflops(limit)} multiply-adds has at most {max_params:,.0f} parameters; "
                    f"the smallest has {least:,} (max_params={least})"
                )
            frame = smaller
        best = frame.sort_values(["proxy_top1", "macs", "trial"], ascending=[False, True, True]).iloc[0]
        return self.candidate(int(best["trial"]))

    def candidate(self, trial: int) -> Candidate:
        """The network of a trial.

        Raises:
            ValueError: if there is no such trial, or it is not finished.
        """
        rows = self._frame[self._frame["trial"] == trial].to_dict("records")
        if not rows or rows[0]["state"] != "complete":
            raise ValueError(f"{self.directory}: no finished trial has the number {trial}; trials.csv lists them")
        row = rows[0]
        return Candidate(
            config=config_from_json(json.loads(row["config"])),
            macs=int(row["macs"]),
            params=int(row["params"]),
            proxy_top1=float(row["proxy_top1"]),
            trial=trial,
            input_size=self.input_size,
            classes=self.classes,
            landmark=row["landmark"] if isinstance(row["landmark"], str) else None,
        )


def load_run(path: str | Path, storage: str | None = None) -> Run:
    """Read a run directory.

    Args:
        path: the run's directory, such as ``runs/NAME``.
        storage: an Optuna storage URL, for a run that keeps its study elsewhere and needs a password;
            otherwise run.json says where the study is, and without that it is study.db.

    Raises:
        ValueError: if there is no run, or its study is damaged or cannot be reached: one sentence that names it.
    """
    directory = Path(path)
    if not directory.is_dir():
        what = "is a file" if directory.exists() else "does not exist"
        raise ValueError(f"{directory} {what}: expected the directory of a run, such as runs/NAME")
    about = _run_file(directory / "run.json")
    stored = about.get("settings")
    name = stored.get("name") if isinstance(stored, dict) else None
    url = storage or about.get("storage")
    file = directory / "study.db" if not isinstance(url, str) else _sqlite_file(url)
    where = str(file) if file else make_url(url).render_as_string(hide_password=True)  # type: ignore[arg-type]
    if file:
        _check_file(file)
    with _one_sentence(where), _open(file, url) as opened:
        study = _choose(opened, [name, directory.resolve().name], where)
        settings = _checked(study.user_attrs.get("settings"), where)
        frame = trials_frame(study.get_trials(deepcopy=False), settings["budget_macs"])
    return Run(directory, settings, frame)


def _run_file(path: Path) -> dict[str, Any]:
    """run.json, or nothing: the study alone is enough."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}


def _sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL: it is opened as a file, so that a wrong path does not make an empty one."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError("the storage is no URL: expected one such as sqlite:///study.db") from error
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(16)
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist: expected the directory of a run with its study.db") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if header != b"SQLite format 3\0":
        raise ValueError(f"{path} is damaged, it is no SQLite database: put a backup in its place or search anew")


@contextmanager
def _open(file: Path | None, url: str | None) -> Iterator[optuna.storages.RDBStorage]:
    """The storage, for reading."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if file is None:
            storage = optuna.storages.RDBStorage(str(url), skip_table_creation=True)
        else:
            # What a killed writer left in its journal can only be rolled back by a connection that may write.
            left = any(file.with_name(file.name + suffix).exists() for suffix in ("-journal", "-wal"))
            target = f"file:{quote(str(file.resolve()))}?mode={'rw' if left else 'ro'}"
            storage = optuna.storages.RDBStorage(
                "sqlite://",
                engine_kwargs={"creator": lambda: sqlite3.connect(target, uri=True, timeout=30)},
                skip_table_creation=True,
            )
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _choose(storage: optuna.storages.RDBStorage, wanted: list[str | None], where: str) -> optuna.Study:
    names = optuna.get_all_study_names(storage)
    if not names:
        raise ValueError(f"{where} has no study in it: expected what python -m search writes")
    for name in wanted:
        if name in names:
            return optuna.load_study(study_name=name, storage=storage)
    if len(names) > 1:
        raise ValueError(f"{where} has {len(names)} studies, none of them called {wanted[-1]!r}")
    return optuna.load_study(study_name=names[0], storage=storage)


def _checked(settings: Any, where: str) -> dict[str, Any]:
    stored = settings if isinstance(settings, dict) else {}
    wrong = [key for key, kind in _SETTINGS.items() if not isinstance(stored.get(key), kind)]
    if wrong:
        raise ValueError(f"{where} is no run of archfrontier: its settings lack {', '.join(wrong)}")
    return stored


@contextmanager
def _one_sentence(where: str) -> Iterator[None]:
    """Turn whatever a damaged or unreachable storage raises into one sentence."""
    try:
        yield
    except ImportError as error:
        raise ValueError(f"{where}: its database driver is not installed ({error})") from error
    except ValueError as error:
        if str(error).startswith(where):
            raise
        raise ValueError(_damaged(where, error)) from error
    except (SQLAlchemyError, sqlite3.Error, optuna.exceptions.OptunaError, LookupError, TypeError) as error:
        raise ValueError(_damaged(where, error)) from error
    except (RuntimeError, AssertionError) as error:  # Optuna's words for a schema of another version
        raise ValueError(_damaged(where, error)) from error


def _damaged(where: str, error: Exception) -> str:
    lines = str(error.__cause__ or error).splitlines()
    reason = lines[0] if lines else type(error).__name__
    return f"{where} is damaged or cannot be read ({reason}): put a backup in its place or search anew"
