"""Opens the study of a run for reading: no file is made or changed, and whatever is wrong is said in one sentence."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import optuna
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError


@contextmanager
def open_study(file: Path, url: str | None, wanted: list[str | None]) -> Iterator[tuple[optuna.Study, str]]:
    """The study, and where it is in words (a URL without its password).

    Args:
        file: the study's place unless there is a URL.
        url: of an Optuna storage.
        wanted: names of studies, the likeliest first; a storage of one study needs none.

    Raises:
        ValueError: if there is none, or it is damaged, or cannot be reached. What goes wrong inside of the ``with``
            block counts as damage, but for a ValueError that begins with where the study is.
    """
    path = file if url is None else _sqlite_file(url)
    where = str(path) if path else make_url(url).render_as_string(hide_password=True)  # type: ignore[arg-type]
    if path:
        _check_file(path)
    with _one_sentence(where), _open(path, url) as storage:
        yield _choose(storage, wanted, where), where


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
