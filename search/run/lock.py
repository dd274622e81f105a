"""One holder a run: a second search of the same run says who has it, and leaves.

What a holder holds is a lock of the operating system or of the database server, never the mere existence of a file:
it ends with the process, however that ends, so there is no stale lock and nothing to clean up by hand.

==============================  ==================================================================================
every run                       ``holder.lock`` in the run's directory (filelock)
a study in another SQLite file  also ``FILE.NAME.lock`` beside that file
a study in PostgreSQL           also an advisory lock of the server, held by a connection of its own; needs a session
                                of the server, so a pooler between the two has to pool sessions, not transactions
a study in another database     nothing more: searches from different directories are not kept apart
==============================  ==================================================================================

The lock in the directory works between machines too where a network file system passes ``flock`` on, as NFS does by
default; where the file system has no locks at all the search is refused.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout, lock_descriptor
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from results.run.storage import engine_url, parse_url, public_url, sqlite_file
from search.run.storage import connect_arguments, storage_errors

LOCK = "holder.lock"
LOOKS = 2  # times that `held_by` looks again: another one may have had the lock for an instant
PATIENCE = 1.0  # seconds: `held_by` elsewhere has the lock for an instant, a server needs one to see a dead holder


@dataclass(frozen=True)
class Holder:
    """The process that searches a run."""

    pid: int
    host: str
    since: datetime  # with time zone

    def __str__(self) -> str:
        since = self.since.astimezone()
        today = since.date() == datetime.now().astimezone().date()
        return f"process {self.pid} on host {self.host} since {since:{'%H:%M' if today else '%Y-%m-%d %H:%M'}}"

    def to_bytes(self) -> bytes:
        """One line of JSON."""
        return (json.dumps({"pid": self.pid, "host": self.host, "since": self.since.isoformat()}) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Holder | None:
        """Read `to_bytes`' form; None if it is anything else."""
        try:
            about = json.loads(content.partition(b"\n")[0])
            return cls(int(about["pid"]), str(about["host"]), datetime.fromisoformat(about["since"]).astimezone(UTC))
        except (ValueError, KeyError, TypeError):
            return None


# The server is told how to notice that a holder's machine has vanished (after 90 s; its own default is two hours), not
# to end a session that is idle while networks train, and who has it. What a version of it does not know is left out.
_SESSION = text(
    "SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES ('tcp_keepalives_idle', '60'), "
    "('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'), ('idle_session_timeout', '0'), "
    "('application_name', :label)) AS wanted (name, value) USING (name)"
)
_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_RELEASE = text("SELECT pg_advisory_unlock(:key)")
_OTHER = text(
    "SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "
    "AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND objsubid = 1 "
    "AND (CAST(classid AS bigint) << 32) | CAST(objid AS bigint) = :key"
)
_END = text("SELECT pg_terminate_backend(:pid)")


class ServerLock:
    """PostgreSQL's advisory lock for the name of a study, held by a session that does nothing else."""

    def __init__(self, url: str, name: str, holder: Holder, what: str, advice: str) -> None:
        self._url, self._what, self._advice = url, what, advice
        # 63 bytes at most, which everyone who may connect can read; the end makes it this lock's alone.
        since = int(holder.since.timestamp())
        self._label = f"archfrontier {holder.pid}@{holder.host[:20]} {since} {secrets.token_hex(4)}"
        digest = hashlib.sha256(b"archfrontier study " + name.encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._engine = create_engine(
            engine_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=connect_arguments(url)
        )
        self._connection: Connection | None = None

    def take(self) -> None:
        """Have the lock, or raise ValueError."""
        with storage_errors(public_url(self._url), self._url):
            connection = self._engine.connect()
            try:
                connection.execute(_SESSION, {"label": self._label})
                self._wait(connection)
            except BaseException:
                connection.close()
                raise
        self._connection = connection

    def _wait(self, connection: Connection) -> None:
        deadline = time.monotonic() + PATIENCE
        while not connection.scalar(_TAKE, {"key": self._key}):
            other = connection.execute(_OTHER, {"key": self._key}).first()
            if time.monotonic() > deadline:
                who = (other and _labelled(other.application_name)) or "another process"
                raise ValueError(f"{self._what} is being searched by {who}; {self._advice}")
            if other and other.application_name == self._label:
                # Our own session of before: the network lost it, which the server has not noticed yet.
                connection.execute(_END, {"pid": other.pid})
            time.sleep(PATIENCE / 20)

    def check(self) -> None:
        """As `Hold.check`."""
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
                return
            except SQLAlchemyError:  # the session is gone, and its lock with it
                self._connection.close()
                self._connection = None
        self.take()

    def release(self) -> None:
        """Give the lock back, if there is still a session that has it."""
        if self._connection is not None:
            with suppress(SQLAlchemyError), self._connection as connection:  # a session that is gone has no lock
                connection.execute(_RELEASE, {"key": self._key})
            self._connection = None


def _labelled(label: str) -> Holder | None:
    match = re.fullmatch(r"archfrontier (\d+)@(\S+) (\d+) \w+", label)
    return match and Holder(int(match[1]), match[2], datetime.fromtimestamp(int(match[3]), UTC))


class Hold:
    """That this process is the run's one holder, until the end of a ``with`` block, `release` or the process's end."""

    def __init__(self, directory: Path, storage_url: str | None, name: str) -> None:
        self._files: list[FileLock] = []
        self._server: ServerLock | None = None
        holder = Holder(os.getpid(), socket.gethostname(), datetime.now(UTC))
        try:
            watch = f"wait for it, or watch it with python -m search status {directory}"
            self._files.append(_lock_file(directory / LOCK, holder, f"run {name!r}", watch))
            if storage_url is not None:
                self._lock_storage(storage_url, name, holder)
        except BaseException:
            self.release()
            raise

    def _lock_storage(self, url: str, name: str, holder: Holder) -> None:
        """Lock the study where it is, since searches from several directories may share it."""
        what = f"run {name!r} in {public_url(url)}"
        advice = "wait for it, or choose another --name"
        if file := sqlite_file(url):
            if not file.parent.is_dir():  # the lock would make it
                raise ValueError(
                    f"{public_url(url)}: the study cannot be read or written there: there is no directory {file.parent}"
                )
            self._files.append(_lock_file(file.with_name(f"{file.name}.{name}.lock"), holder, what, advice))
        elif parse_url(url).get_backend_name() in ("postgresql", "postgres"):
            self._server = ServerLock(url, name, holder, what, advice)
            self._server.take()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def check(self) -> None:
        """Make sure that the run is still this process's own; to be called before something is written.

        The lock of a server is lost with its connection: then it is taken again, which fails if the server is gone
        or if another search has begun meanwhile. Other locks cannot be lost.

        Raises:
            ValueError: if it is not, or the server cannot be reached: one sentence.
        """
        if self._server is not None:
            self._server.check()

    def release(self) -> None:
        """Let others have the run."""
        if self._server is not None:
            self._server.release()
        while self._files:
            lock = self._files.pop()
            # While it is held: who has opened the file already sees, once it has the lock, that the file is gone.
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()


def hold(directory: Path, storage_url: str | None, name: str) -> Hold:
    """Be the one holder of a run.

    Args:
        directory: the run's, which exists.
        storage_url: where its study is, if not in the directory.
        name: of the run, which is that of its study.

    Raises:
        ValueError: if another process owns the run, the file system has no locks, or the server cannot be reached.
        OSError: if the lock's file cannot be written.
    """
    return Hold(directory, storage_url, name)


def held_by(directory: Path) -> Holder | None:
    """Who searches the run now; None if nobody does. Makes and changes nothing.

    Raises:
        OSError: if the run's lock is there, but cannot be read.
    """
    for attempt in range(100):  # a holder has its lock an instant before it has written who it is
        try:
            file = os.open(directory / LOCK, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe would keep us
        except FileNotFoundError:
            return None
        try:
            if lock_descriptor(file, blocking=False):
                return None  # closing the file gives the lock back
            holder = Holder.from_bytes(os.read(file, 4096))
        except OSError:
            return None  # no locks here, so no holder can have begun
        finally:
            os.close(file)
        if holder is not None and attempt >= LOOKS:
            return holder
        time.sleep(PATIENCE / 100)
    raise OSError(errno.EINVAL, "locked by a process that is no search", str(directory / LOCK))


def _lock_file(path: Path, holder: Holder, what: str, advice: str) -> FileLock:
    def write(file: int) -> None:
        # Over what a killed holder left, and only then cut: a reader never finds the file empty between the two.
        content = holder.to_bytes()
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, content)
        os.ftruncate(file, len(content))

    lock = FileLock(path, thread_local=False, fallback_to_soft=False, on_acquired=write)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        other = Holder.from_bytes(path.read_bytes())
        raise ValueError(f"{what} is being searched by {other or 'another process'}; {advice}") from None
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
            raise
        raise ValueError(
            f"{path.parent}: its file system has no locks ({error.strerror}), so two searches could write one run: "
            "start the search in a directory on a local disk"
        ) from error
    return lock
