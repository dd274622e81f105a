"""A run whose study is in a real PostgreSQL, which is started here where it is installed; passwords above all."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
import pytest

from results import load_run
from results.__main__ import main as results_main
from search.__main__ import main
from search.lock import owner
from search.storage import open_storage

psycopg = pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "Zq7{x}@/%? &secret"  # what a URL, Optuna and a shell would each mistake for something else
WRONG = "Zq8wrong"
SMALL = ["--budget", "0.4G", "--recipe", "smoke", "--landmarks", "none", "--name", "x", "--plots", "none"]


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


@pytest.fixture(scope="module")
def installed() -> Iterator[Server]:
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


@pytest.fixture
def server(installed: Server) -> Server:
    """The server, with an empty database."""
    installed.sql("DROP DATABASE IF EXISTS studies WITH (FORCE)")
    installed.sql("CREATE DATABASE studies")
    return installed


def command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "search", *arguments]


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | more


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def assert_no_password(directory: Path, *texts: str) -> None:
    contents = [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
    contents += [text.encode() for text in texts]
    for secret in (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), "Zq7", WRONG):
        assert not [content for content in contents if secret.encode() in content], secret


def test_a_run_goes_on_and_is_read(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = command([*SMALL, "--trials", "2", "--storage", server.url()])
    first = subprocess.run(arguments, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=240)
    assert first.returncode == 0, first.stderr
    before = server.finished()
    assert len(before) == 2
    # The same run, its password from elsewhere: libpq's own ways work.
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert main([*SMALL, "--trials", "3", "--storage", server.url(None)]) == 0
    monkeypatch.delenv("PGPASSWORD")
    after = server.finished()
    assert after[:2] == before
    assert len(after) == 3
    run = tmp_path / "runs" / "x"
    assert not (run / "study.db").exists()
    (run / "frontier.csv").unlink()
    assert results_main([str(run), "--storage", server.url()]) == 0
    assert (run / "frontier.csv").exists()
    assert len(load_run(run, server.url()).frame()) == 3
    shown = capsys.readouterr()
    assert_no_password(tmp_path, first.stdout, first.stderr, shown.out, shown.err)


@pytest.mark.parametrize("case", ["wrong password", "no server", "password as a parameter", "unknown option", "@"])
def test_a_server_that_refuses_or_is_not_there(
    case: str, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = Server(server.programs, server.directory, free_port())
    url, reason = {
        "wrong password": (server.url(WRONG), "password authentication failed"),
        "no server": (nobody.url(), "refused"),
        "password as a parameter": (nobody.url(None, f"?password={quote(PASSWORD, safe='')}"), "refused"),
        "unknown option": (server.url(more="?no_such_option=1"), "no_such_option"),
        "@": (server.url().replace("%40", "@"), "write it as %40"),
    }[case]
    assert main([*SMALL, "--trials", "1", "--storage", url]) == 2
    shown = capsys.readouterr()
    assert reason in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "a run that never began leaves nothing"
    run = tmp_path / "runs" / "x"
    run.mkdir(parents=True)
    assert results_main([str(run), "--storage", url]) == 2
    read = capsys.readouterr()
    assert reason in read.err
    assert len(read.err.splitlines()) == 1
    assert_no_password(tmp_path, shown.out, shown.err, read.out, read.err)


def test_a_server_that_is_killed_in_the_middle(server: Server, tmp_path: Path) -> None:
    arguments = command([*SMALL, "--trials", "60", "--storage", server.url()])
    with subprocess.Popen(
        arguments, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            deadline = time.monotonic() + 120
            while len(before := server.finished()) < 2:
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            server.stop()
            try:
                out, error = child.communicate(timeout=120)
            finally:
                server.start()
        finally:
            child.kill()
    assert child.returncode == 2
    assert len(error.splitlines()) == 1, error
    assert "everything finished before is kept" in error
    assert_no_password(tmp_path, out, error)
    kept = server.finished()
    assert kept[: len(before)] == before
    assert main([*SMALL, "--trials", str(len(kept) + 1), "--storage", server.url()]) == 0
    after = server.finished()
    assert after[: len(before)] == before
    ids = [attributes["config_id"] for _, _, attributes in after]
    assert len(set(ids)) == len(ids) >= len(kept) + 1, "nothing is counted twice"
    assert server.unfinished() == 0


def test_a_second_owner_in_another_directory(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    with owner(mine, server.url(), "x"):
        assert main([*SMALL, "--trials", "1", "--storage", server.url()]) == 2
    shown = capsys.readouterr()
    expected = f"run 'x' in {server.url(None)} is being searched by process {os.getpid()} on host {os.uname().nodename}"
    assert expected in shown.err
    assert len(shown.err.splitlines()) == 1
    assert_no_password(tmp_path, shown.out, shown.err)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
    assert not list(mine.iterdir())
    with owner(mine, server.url(), "x"), owner(tmp_path, server.url(), "y"):
        pass  # runs of other names do not mind


def test_a_killed_owner_leaves_no_lock(server: Server, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from search.lock import owner\n"
        "with owner(Path(sys.argv[1]), sys.argv[2], 'x'):\n    print('mine', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), server.url()], env=environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        try:
            assert child.stdout
            assert child.stdout.readline().strip() == "mine"
        finally:
            child.kill()
    with owner(tmp_path, server.url(), "x"):
        pass


LOCKS = "FROM pg_locks WHERE locktype = 'advisory'"


def test_a_lock_lost_with_its_connection_is_taken_again(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with owner(tmp_path, server.url(), "x") as mine:
        mine.check()
        before = server.sql(f"SELECT pid {LOCKS}")
        server.sql(f"SELECT pg_terminate_backend(pid) {LOCKS}")
        mine.check()
        after = server.sql(f"SELECT pid {LOCKS}")
        assert len(after) == 1
        assert after != before
        server.sql(f"SELECT pg_terminate_backend(pid) {LOCKS}")
        with owner(other, server.url(), "x"):
            with pytest.raises(ValueError, match=r"^run 'x' in .* is being searched by process"):
                mine.check()
            assert server.sql(f"SELECT count(*) {LOCKS}") == [(1,)]
        mine.check()
        server.stop()
        try:
            with pytest.raises(ValueError, match="everything finished before is kept") as caught:
                mine.check()
            assert_no_password(tmp_path, str(caught.value))
        finally:
            server.start()
        mine.check()
    assert server.sql(f"SELECT count(*) {LOCKS}") == [(0,)]


def test_a_lock_that_a_lost_session_still_has_is_taken_from_it(server: Server, tmp_path: Path) -> None:
    with owner(tmp_path, server.url(), "x") as mine:
        [(pid, label)] = server.sql(f"SELECT pid, application_name FROM pg_stat_activity JOIN (SELECT pid {LOCKS}) l "
                                    "USING (pid)")  # fmt: skip
        [(key,)] = server.sql(f"SELECT (classid::bigint << 32) | objid::bigint {LOCKS}")
        with psycopg.connect(
            host="127.0.0.1", port=server.port, user="me", password=PASSWORD, dbname="studies", autocommit=True
        ) as lost:
            lost.execute("SELECT set_config('application_name', %s, false)", [label])
            server.sql(f"SELECT pg_terminate_backend({pid})")
            assert lost.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone() == (True,)
            mine.check()
            with pytest.raises(psycopg.OperationalError):
                lost.execute("SELECT 1")
