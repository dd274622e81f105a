"""What a study's storage raises, in one sentence; and its URL as it may be shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError


def public_url(url: str) -> str:
    """A storage URL without its password, fit for messages and files."""
    try:
        return make_url(url)._replace(password=None).render_as_string(hide_password=False)
    except ArgumentError:
        return "the --storage URL"


@contextmanager
def storage_errors(where: str) -> Iterator[None]:
    """Turn what the storage raises into one sentence that names it."""
    try:
        yield
    except (ArgumentError, NoSuchModuleError) as error:
        raise ValueError(f"--storage {where}: expected an SQLAlchemy URL such as sqlite:///study.db") from error
    except ImportError as error:
        raise ValueError(f"--storage {where}: its database driver is not installed ({error})") from error
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError, AssertionError) as error:
        if isinstance(error, RuntimeError | AssertionError) and not _is_storage_error(error):
            raise
        first = str(error.__cause__ or error).splitlines()[0]
        raise ValueError(
            f"{where}: the study cannot be read or written ({first}); everything finished before is kept. "
            "If the file is damaged, put a backup in its place or choose another --name"
        ) from error


def _is_storage_error(error: Exception) -> bool:
    """Optuna reports a schema of another version as a RuntimeError, a damaged one as an AssertionError."""
    trace = error.__traceback__
    while trace:
        if "optuna/storages" in trace.tb_frame.f_code.co_filename.replace(os.sep, "/"):
            return True
        trace = trace.tb_next
    return False
