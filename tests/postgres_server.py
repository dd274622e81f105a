"""A real PostgreSQL for tests: found, started and stopped here, with a password that is hard to write."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
import pytest

from search.run.storage import open_storage

psycopg = pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")

PASSWORD = "Zq7{x}@/%? &secret"  # what a URL, Optuna and a shell would each mistake for something else


def binaries() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in places if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


def servant() -> str | None:
    """Who runs the server: it refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


@dataclass
class Server:
    programs: Path
    directory: Path
    port: int

    def call(self, program: str, *arguments: str) -> None:
        user = servant()
        more = {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        with (self.directory / "output").open("a+b") as output:
            done = subprocess.run(
                [str(self.programs / program), *arguments], cwd=self.directory, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, timeout=60, check=False, **more,
            )  # fmt: skip
            output.seek(0)
            assert done.returncode == 0, output.read().decode(errors="replace")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        data, log = str(self.directory / "data"), str(self.directory / "log")
        self.call("pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", options)

    def stop(self) -> None:
        self.call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.directory / "data"))

    def url(self, password: str | None = PASSWORD, more: str = "") -> str:
        shown = "" if password is None else ":" + quote(password, safe="")
        return f"postgresql://me{shown}@127.0.0.1:{self.port}/studies{more}"

    def sql(self, command: str) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="me", password=PASSWORD, dbname="postgres", autocommit=True
        ) as connection:
            cursor = connection.execute(command)
            return cursor.fetchall() if cursor.description else []

    def finished(self) -> list[tuple[int, list[float], dict[str, Any]]]:
        """Number, values and attributes of the study's finished trials."""
        storage = open_storage(self.url())
        try:
            if "x" not in optuna.get_all_study_names(storage):
                return []
            trials = optuna.load_study(study_name="x", storage=storage).trials
            return [(each.number, each.values, each.user_attrs) for each in trials if each.state.is_finished()]
        finally:
            storage.remove_session()
            storage.engine.dispose()

    def unfinished(self) -> int:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="me", password=PASSWORD, dbname="studies"
        ) as connection:
            row = connection.execute("SELECT count(*) FROM trials WHERE state IN ('RUNNING', 'WAITING')").fetchone()
            return int(row[0])


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running() -> Iterator[Server]:
    """A server for the length of a ``with`` block; skips the test where there can be none."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and servant() is None:
        pytest.skip("PostgreSQL refuses to be run by root, and there is no other user")
    # Not under tmp_path, which only root may enter where root runs the tests.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        directory = Path(name)
        (directory / "password").write_text(PASSWORD)
        if user := servant():
            shutil.chown(directory, user)
            shutil.chown(directory / "password", user)
        server = Server(programs, directory, free_port())
        options = ["-U", "me", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]
        server.call("initdb", "-D", str(directory / "data"), "--pwfile", str(directory / "password"), *options)
        server.start()
        try:
            yield server
        finally:
            server.stop()
