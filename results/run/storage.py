"""Opens the study of a run for reading: no file is made or changed, and whatever is wrong is said in one sentence.

Also what a storage URL means, for reading and for writing alike, and how it is shown: never with a password.
"""

from __future__ import annotations

import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shlex import quote as quote_for_shell
from typing import Any
from urllib.parse import quote, quote_plus

import optuna
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from space.shell.reading import opened

EXAMPLES = "sqlite:///study.db or postgresql://user@host/database"
# Names of what must not be shown among the parameters of a URL; passfile is but a path.
_SECRET = re.compile(r"pass(?!file)|pwd|secret|token|odbc_connect", re.IGNORECASE)
_HIDDEN = "***"


def parse_url(url: str) -> URL:
    """Read a storage URL.

    Raises:
        ValueError: if it is not one; also if an unescaped "@" in a password would make the rest of it the host's name,
            which is shown.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # from None: its words may repeat the password
        raise ValueError(f"the storage is no URL: expected an SQLAlchemy URL such as {EXAMPLES}") from None
    if parsed.get_backend_name() != "sqlite" and "@" in f"{parsed.host}{parsed.database}":
        raise ValueError('the storage URL has more than one "@": in a name or a password, write it as %40')
    return parsed


def public_url(url: str) -> str:
    """A storage URL without passwords, fit for messages and files; it still opens where they come from elsewhere."""
    try:
        parsed = parse_url(url)
    except ValueError:
        return "the storage URL"
    query = {key: value for key, value in parsed.query.items() if not _SECRET.search(key)}
    return parsed._replace(password=None).set(query=query).render_as_string(hide_password=False)


def scrub(text: str, url: str | None) -> str:
    """The text of an error without what is secret in the URL of the storage that raised it."""
    try:
        parsed = parse_url(url or "")
    except ValueError:
        return text
    secrets = [parsed.password or ""]
    for key, value in parsed.query.items():
        if _SECRET.search(key):
            secrets += [value] if isinstance(value, str) else value
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret)):
            text = text.replace(form, _HIDDEN)
    return text


def engine_url(url: str) -> URL:
    """The URL as SQLAlchemy is given it: one of PostgreSQL that names no driver gets the one that is installed.

    Raises:
        ValueError: if it is no URL, or no driver of PostgreSQL is installed.
    """
    parsed = parse_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        drivers = [name for name in ("psycopg", "psycopg2") if find_spec(name)]
        if not drivers:
            raise ValueError(
                f"{public_url(url)}: no driver of PostgreSQL is installed; type pip install 'archfrontier[postgres]'"
            )
        parsed = parsed.set(drivername=f"postgresql+{drivers[0]}")
    return parsed


def optuna_url(url: str) -> str:
    """The URL as Optuna's RDBStorage is given it.

    Raises:
        ValueError: as `engine_url`.
    """
    # Optuna puts the version of its tables where a URL has braces: they have to be doubled.
    return engine_url(url).render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other databases.

    Raises:
        ValueError: if it is no URL, or names no file.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError(f"{url}: a database in memory ends with its process; expected a file: sqlite:///study.db")
    return Path(parsed.database)


def is_server(written: Any) -> bool:
    """Whether what a run.json says of its study is the URL of a server's database, as it was written there.

    Raises:
        ValueError: if it is a text, but no URL.
    """
    return isinstance(written, str) and sqlite_file(written) is None


def study_url(directory: Path, written: Any, named: str | None) -> str | None:
    """The URL that a run's study is read at; None for its own file.

    A run's directory may be somebody else's, and to connect to a server is to offer it one's password.

    Args:
        directory: of the run, for what is said.
        written: what its run.json says, of whatever type.
        named: what the user has named.

    Raises:
        ValueError: if run.json names a server and the user none; it says what to type.
    """
    if named is not None or not is_server(written):
        return named or (written if isinstance(written, str) else None)
    shown = public_url(written)
    raise ValueError(
        f"{directory}: its run.json says that the study is on a server, {shown}, and a password is sent to no server "
        f"that you have not named; if it is the right one, type --storage {quote_for_shell(shown)}"
    )


@contextmanager
def open_study(file: Path, url: str | None, wanted: list[str | None]) -> Iterator[tuple[optuna.Study, str]]:
    """The study, and where it is in words (a URL without its password).

    Args:
        file: the study's place unless there is a URL.
        url: of an Optuna storage. An SQLite file is opened as a file, so that a wrong path does not make an empty one.
        wanted: names of studies, the likeliest first; a storage of one study needs none.

    Raises:
        ValueError: if there is none, or it is damaged, or cannot be reached. What goes wrong inside of the ``with``
            block counts as damage, but for a ValueError that begins with where the study is.
    """
    path = file if url is None else sqlite_file(url)
    where = str(path) if path or url is None else public_url(url)
    if path:
        _check_file(path)
    with _one_sentence(where, url), _open(path, url) as storage:
        yield _choose(storage, wanted, where), where


def _check_file(path: Path) -> None:
    try:
        with opened(path) as file:
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
            storage = optuna.storages.RDBStorage(optuna_url(str(url)), skip_table_creation=True)
        else:
            target = f"file:{quote(str(file.resolve()))}?{_access(file)}"
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


def _access(file: Path) -> str:
    """How SQLite shall open a file that is only read, as a parameter of its URI."""
    if any(file.with_name(file.name + suffix).exists() for suffix in ("-journal", "-wal")):
        # A search is running, or was killed: what is in the journal belongs to the study, and only a connection that
        # may write can roll it back or take it in. SQLite is content to read where the file may not be written.
        return "mode=rw"
    with file.open("rb") as content:
        wal = content.read(20)[18:] == b"\2\2"
    # A database in WAL mode without its journal is complete, and nobody writes. Were it opened as any other, SQLite
    # would make journals beside it, which a read-only connection leaves there and a read-only directory forbids.
    return "immutable=1" if wal else "mode=ro"


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
def _one_sentence(where: str, url: str | None) -> Iterator[None]:
    """Turn whatever a damaged or unreachable storage raises into one sentence."""
    try:
        yield
    except ImportError as error:
        raise ValueError(f"{where}: its database driver is not installed ({error})") from error
    except ValueError as error:
        if str(error).startswith(where):
            raise
        raise ValueError(_damaged(where, url, error)) from None
    except (SQLAlchemyError, sqlite3.Error, optuna.exceptions.OptunaError, LookupError, TypeError) as error:
        raise ValueError(_damaged(where, url, error)) from None
    except (RuntimeError, AssertionError) as error:  # Optuna's words for a schema of another version
        raise ValueError(_damaged(where, url, error)) from None


def _damaged(where: str, url: str | None, error: Exception) -> str:
    what = f"{where} is damaged or cannot be read ({reason_of(error, url)})"
    if url is not None and sqlite_file(url) is None:
        return f"{what}: check the URL, and whether the server runs"
    return f"{what}: put a backup in its place or search anew"


def reason_of(error: Exception, url: str | None) -> str:
    """What a storage says of its failure: one line, nothing secret."""
    lines = str(error.__cause__ or error).splitlines()
    return scrub(lines[0].strip() if lines else type(error).__name__, url)
