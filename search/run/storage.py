"""The holder's storage: how it is opened and closed, and what it raises, in one sentence.

A finished trial is written by one transaction, and is durable when that returns: SQLite syncs at every commit
(``synchronous``), on which its promise against power loss rests (https://sqlite.org/pragma.html#pragma_synchronous);
it holds as far as the disk does not lie about syncs. On a disk of this machine the journal is a write-ahead log
(https://sqlite.org/wal.html): one sync a commit instead of five, and who reads the run never holds up its holder. That
journal needs memory shared by all who have the file open, so elsewhere (network file systems above all, where it
could damage the study) it is the rollback journal, with the one more sync after which no power loss can bring a
committed transaction's journal back.
"""

from __future__ import annotations

import json
import os
import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import TrialModel, TrialParamModel, TrialUserAttributeModel, TrialValueModel
from optuna.trial import FrozenTrial
from sqlalchemy import insert
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from results.run.storage import EXAMPLES, engine_url, optuna_url, public_url, reason_of, sqlite_file
from space.shell.reading import check_regular

__all__ = ["close_storage", "connect_arguments", "open_storage", "public_url", "storage_errors"]

LOCAL = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})
SQLITE_SECONDS = 30  # how long a commit waits for others that have the file
SERVER_SECONDS = 15  # how long a server may take to accept a connection


def open_storage(place: Path | str) -> RDBStorage:
    """The storage that a run is written to, tables made; `close_storage` ends it.

    Args:
        place: an SQLite file, or the URL of an Optuna storage.

    Raises:
        ValueError: if the URL is none, or lacks its driver.
        OSError: if the file is there, but is a pipe, a device or a directory.
        SQLAlchemyError: and what else `storage_errors` turns into a sentence.
    """
    file = place if isinstance(place, Path) else sqlite_file(place)
    if file is not None and file.exists():
        check_regular(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if file is not None:  # as a file: in a URL, a path with a question mark would be another path
            kwargs: dict[str, Any] = {"creator": partial(_connect, file.absolute()), "poolclass": QueuePool}
            return RDBStorage("sqlite://", engine_kwargs=kwargs)
        url = str(place)
        # pool_pre_ping: a training takes so long that the connection may be gone when it ends.
        kwargs = {"pool_pre_ping": True, "connect_args": connect_arguments(url)}
        return RDBStorage(optuna_url(url), engine_kwargs=kwargs)


def add_trials(storage: RDBStorage, study_id: int, trials: Sequence[FrozenTrial]) -> None:
    """Write finished trials in one transaction, into the tables that `Study.add_trial` writes one trial at a time.

    A trial that is written alone takes some 20 milliseconds, of which the commit is a small part.

    Args:
        storage: that nobody else writes this study in.
        study_id: of the study in it.
        trials: without system attributes and intermediate values; their numbers follow those of the study.

    Raises:
        SQLAlchemyError: and what else `storage_errors` turns into a sentence.
    """
    spaces: dict[BaseDistribution, str] = {}

    def text_of(distribution: BaseDistribution) -> str:
        if distribution not in spaces:
            spaces[distribution] = distribution_to_json(distribution)
        return spaces[distribution]

    with storage.scoped_session.session_factory.begin() as session:
        rows = [TrialModel(number=trial.number, study_id=study_id, state=trial.state) for trial in trials]
        for row, trial in zip(rows, trials, strict=True):
            row.datetime_start, row.datetime_complete = trial.datetime_start, trial.datetime_complete
        session.add_all(rows)
        session.flush()  # which gives them their ids
        values, params, attributes = [], [], []
        for row, trial in zip(rows, trials, strict=True):
            key = {"trial_id": row.trial_id}
            for objective, value in enumerate(trial.values or ()):
                number, kind = TrialValueModel.value_to_stored_repr(value)
                values.append(key | {"objective": objective, "value": number, "value_type": kind})
            for name, value in trial.params.items():
                space = trial.distributions[name]
                written = {"param_name": name, "param_value": space.to_internal_repr(value)}
                params.append(key | written | {"distribution_json": text_of(space)})
            attributes += [
                key | {"key": name, "value_json": json.dumps(value)} for name, value in trial.user_attrs.items()
            ]
        for table, found in (
            (TrialValueModel, values),
            (TrialParamModel, params),
            (TrialUserAttributeModel, attributes),
        ):
            if found:
                session.execute(insert(table), found)


def close_storage(storage: RDBStorage) -> None:
    """Close the connections; an SQLite study becomes one plain file again, which can be copied and read anywhere."""
    storage.remove_session()
    storage.engine.dispose()
    if storage.engine.dialect.name == "sqlite":
        try:  # with one connection, now that the pool is empty: no other may have the file
            with storage.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        except OperationalError:
            pass  # somebody reads it just now: it stays in WAL mode, which loses nothing
    storage.engine.dispose()


def connect_arguments(url: str) -> dict[str, Any]:
    """What the driver of a server's database is told unless the URL tells it."""
    parsed = engine_url(url)
    if parsed.get_driver_name() not in ("psycopg", "psycopg2"):
        return {}
    # Keepalives: an idle connection is not dropped on the way, and a server that vanished is noticed.
    wanted = {
        "connect_timeout": SERVER_SECONDS,
        "keepalives_idle": 60,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    return {key: value for key, value in wanted.items() if key not in parsed.query}


def _connect(file: Path) -> sqlite3.Connection:
    journal, synchronous = ("WAL", "FULL") if _is_local(file.parent) else ("DELETE", "EXTRA")
    connection = sqlite3.connect(file, timeout=SQLITE_SECONDS, check_same_thread=False)
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def _is_local(directory: Path) -> bool:
    """Whether the directory is known to be on a disk of this machine (Linux says so; elsewhere nothing is known)."""
    try:
        device = os.stat(directory).st_dev
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = {line.partition(" - ")[2].split()[0] for line in mounts if line.split()[2] == number}
    return bool(kinds) and kinds <= LOCAL


@contextmanager
def storage_errors(where: str, url: str | None = None) -> Iterator[None]:
    """Turn what the storage raises into one sentence that names it.

    Args:
        where: the storage in words: a path, or what `public_url` gives.
        url: the storage's URL, whose secrets are taken out of what the driver says; None for the run's own file.
    """
    try:
        yield
    except (ArgumentError, NoSuchModuleError):
        raise ValueError(f"--storage {where}: expected an SQLAlchemy URL such as {EXAMPLES}") from None
    except ImportError as error:
        raise ValueError(f"--storage {where}: its database driver is not installed ({error})") from error
    except (
        SQLAlchemyError,
        sqlite3.Error,
        optuna.exceptions.StorageInternalError,
        RuntimeError,
        AssertionError,
    ) as error:
        if isinstance(error, RuntimeError | AssertionError) and not _is_storage_error(error):
            raise
        advice = "If the file is damaged, put a backup in its place or choose another --name"
        reason = reason_of(error, url)
        if "disk is full" in reason:
            advice = "Make room, then repeat the command"
        elif "://" in where and not where.startswith("sqlite"):
            advice = "When the server answers, repeat the command"
        # from None: what the driver says in full may repeat the URL.
        raise ValueError(
            f"{where}: the study cannot be read or written ({reason}); everything finished before is kept. {advice}"
        ) from None


def _is_storage_error(error: Exception) -> bool:
    """Optuna reports a schema of another version as a RuntimeError, a damaged one as an AssertionError."""
    trace = error.__traceback__
    while trace:
        if "optuna/storages" in trace.tb_frame.f_code.co_filename.replace(os.sep, "/"):
            return True
        trace = trace.tb_next
    return False
