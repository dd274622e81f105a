"""A run whose study is in a real PostgreSQL, which is started here where it is installed; passwords above all."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from results import load_run
from results.__main__ import main as results_main
from search.__main__ import main
from search.run.lock import hold
from tests.postgres_server import PASSWORD, Server, free_port, psycopg, running

ROOT = Path(__file__).resolve().parent.parent
WRONG = "Zq8wrong"
SMALL = [
    "--budget", "0.4G", "--data", "digits", "--recipe", "smoke", "--landmarks", "none", "--name", "x", "--plots",
    "none",
]  # fmt: skip


@pytest.fixture(scope="module")
def installed() -> Iterator[Server]:
    with running() as server:
        yield server


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
    for secret in (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), PASSWORD[:4], quote(PASSWORD[:4]), WRONG):
        assert not [content for content in contents if secret.encode() in content], secret


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_second_owner_in_another_directory(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    with hold(mine, server.url(), "x"):
        assert main([*SMALL, "--trials", "1", "--storage", server.url()]) == 2
    shown = capsys.readouterr()
    expected = f"run 'x' in {server.url(None)} is being searched by process {os.getpid()} on host {os.uname().nodename}"
    assert expected in shown.err
    assert len(shown.err.splitlines()) == 1
    assert_no_password(tmp_path, shown.out, shown.err)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
    assert not list(mine.iterdir())
    with hold(mine, server.url(), "x"), hold(tmp_path, server.url(), "y"):
        pass  # runs of other names do not mind


@pytest.mark.slow
def test_a_killed_owner_leaves_no_lock(server: Server, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from search.run.lock import hold\n"
        "with hold(Path(sys.argv[1]), sys.argv[2], 'x'):\n    print('mine', flush=True); sys.stdin.read()"
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
    with hold(tmp_path, server.url(), "x"):
        pass


LOCKS = "FROM pg_locks WHERE locktype = 'advisory'"


def test_a_lock_lost_with_its_connection_is_taken_again(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with hold(tmp_path, server.url(), "x") as mine:
        mine.check()
        before = server.sql(f"SELECT pid {LOCKS}")
        server.sql(f"SELECT pg_terminate_backend(pid) {LOCKS}")
        mine.check()
        after = server.sql(f"SELECT pid {LOCKS}")
        assert len(after) == 1
        assert after != before
        server.sql(f"SELECT pg_terminate_backend(pid) {LOCKS}")
        with hold(other, server.url(), "x"):
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
    with hold(tmp_path, server.url(), "x") as mine:
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
