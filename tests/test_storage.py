"""The holder's storage: what a URL shows and means, one durable transaction a trial, readers beside the holder."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from results import load_run
from results.run.storage import engine_url, optuna_url, scrub, sqlite_file
from search.run import storage as storage_module
from search.run.storage import close_storage, connect_arguments, open_storage, public_url, storage_errors
from space import landmark

ROOT = Path(__file__).resolve().parent.parent

# --- URLs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me@host/db"),
        ("postgresql+psycopg://me:se%40cret@host:5432/db", "postgresql+psycopg://me@host:5432/db"),
        ("postgresql://host/db?user=me&password=secret", "postgresql://host/db?user=me"),
        ("postgresql://host/db?sslpassword=secret&sslmode=require", "postgresql://host/db?sslmode=require"),
        ("postgresql://host/db?passfile=%2Fhome%2Fme%2Fpass", "postgresql://host/db?passfile=%2Fhome%2Fme%2Fpass"),
        ("mysql://host/db?passwd=secret", "mysql://host/db"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dsecret", "mssql+pyodbc:///"),
        ("sqlite:///study.db", "sqlite:///study.db"),
        ("postgresql://me:a@secret@host/db", "the storage URL"),
        ("postgresql://me:a@b:secret@host:5432/db", "the storage URL"),
        ("postgresql://me:a@b/secret@host/db", "the storage URL"),
        ("me:secret", "the storage URL"),
    ],
)
def test_a_url_is_shown_without_its_passwords(url: str, shown: str) -> None:
    assert public_url(url) == shown
    assert "secret" not in shown


def test_what_drivers_say_is_shown_without_passwords() -> None:
    url = "postgresql://me:p%40ss@host/db?sslpassword=other"
    text = 'cannot connect with "password=p@ss sslpassword=other" to postgresql://me:p%40ss@host/db'
    assert scrub(text, url) == 'cannot connect with "password=*** sslpassword=***" to postgresql://me:***@host/db'
    assert scrub(text, None) == text
    assert scrub(text, "postgresql://me@host/db") == text
    with pytest.raises(ValueError, match=r"\*\*\*") as caught, storage_errors(public_url(url), url):
        raise sqlalchemy.exc.OperationalError("select", {}, Exception(text))
    assert "p@ss" not in str(caught.value)
    assert caught.value.__suppress_context__, "nor does a traceback show it"


def test_the_driver_of_postgresql_is_the_installed_one() -> None:
    pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")
    for url in ("postgresql://me:{x}@host/db", "postgres://me:{x}@host/db", "postgresql+psycopg://me:{x}@host/db"):
        assert engine_url(url).drivername == "postgresql+psycopg"
        assert optuna_url(url) == "postgresql+psycopg://me:%7Bx%7D@host/db"
    assert engine_url("mysql+pymysql://host/db").drivername == "mysql+pymysql"
    assert connect_arguments("postgresql://host/db?connect_timeout=3").keys() == {
        "keepalives_idle", "keepalives_interval", "keepalives_count",
    }  # fmt: skip


def test_without_a_driver_of_postgresql_it_is_said_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("psycopg", "psycopg2"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=r"^postgresql://me@host/db: .* pip install 'archfrontier\[postgres\]'$"):
        open_storage("postgresql://me:secret@host/db")


def test_what_is_no_file_is_refused() -> None:
    assert sqlite_file("postgresql://host/db") is None
    assert sqlite_file("sqlite:////a/b.db") == Path("/a/b.db")
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ValueError, match="in memory"):
            sqlite_file(url)
    with pytest.raises(ValueError, match="SQLAlchemy URL"):
        sqlite_file("nonsense")


# --- a study in a file -------------------------------------------------------------------------------------------


@contextmanager
def opened(file: Path) -> Iterator[optuna.Study]:
    storage = open_storage(file)
    try:
        yield optuna.load_study(study_name="run", storage=storage)
    finally:
        close_storage(storage)


def finished(number: int) -> FrozenTrial:
    return create_trial(
        state=TrialState.COMPLETE,
        values=[50.0 + number, 1e9],
        params={"width": 0.5, "kind": "a"},
        distributions={"width": FloatDistribution(0, 1), "kind": CategoricalDistribution(["a", "b"])},
        user_attrs={
            "kind": "sample", "macs": 10**9, "config_id": str(number), "params": 10**6, "activations": 10**6,
            "family": "resnet", "config": landmark("cifar_resnet20").to_json(),
        },
    )  # fmt: skip


@pytest.fixture
def directory(master: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(master, tmp_path / "runs" / "run"))


def engine(study: optuna.Study) -> sqlalchemy.Engine:
    return study._storage._backend.engine


def pragma(study: optuna.Study, name: str) -> object:
    with engine(study).connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def need_local(path: Path) -> None:
    if not storage_module._is_local(path):
        pytest.skip("the temporary directory is not known to be on a local disk: the journal is the rollback journal")


def test_a_trial_is_one_durable_transaction(directory: Path) -> None:
    need_local(directory)
    with opened(directory / "study.db") as study:
        commits: list[object] = []
        sqlalchemy.event.listen(engine(study), "commit", commits.append)
        study.add_trial(finished(0))
        assert len(commits) == 1
        assert (pragma(study, "journal_mode"), pragma(study, "synchronous")) == ("wal", 2)
    assert [each.name for each in directory.iterdir()] == ["study.db"], "closed, it is one plain file"
    with sqlite3.connect(directory / "study.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


@pytest.mark.parametrize(("schema", "advice"), [("v2.6.0.a", "storage upgrade"), ("v99.0.0.a", "updating optuna")])
def test_the_tables_of_another_optuna_are_refused_and_stay(directory: Path, schema: str, advice: str) -> None:
    with closing(sqlite3.connect(directory / "study.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))
        before = list(connection.iterdump())
    with pytest.raises(ValueError, match=advice) as error, storage_errors("study.db", None):
        open_storage(directory / "study.db")
    assert "\n" not in str(error.value)
    with closing(sqlite3.connect(directory / "study.db")) as connection:
        assert list(connection.iterdump()) == before


def test_elsewhere_than_on_a_local_disk_the_journal_is_the_rollback_journal(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(directory / "study.db") as connection:  # as a run that was moved there when it was killed
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    monkeypatch.setattr(storage_module, "LOCAL", frozenset())
    with opened(directory / "study.db") as study:
        study.add_trial(finished(0))
        assert (pragma(study, "journal_mode"), pragma(study, "synchronous")) == ("delete", 3)
        assert not (directory / "study.db-wal").exists()


def test_where_the_disk_is_unknown_it_is_not_local(tmp_path: Path) -> None:
    assert not storage_module._is_local(Path("/proc"))
    assert not storage_module._is_local(tmp_path / "no" / "such")


@pytest.mark.parametrize("name", ["a?b", "a{b}c", "a#b%20c", "a b&c=d"])
def test_a_directory_may_have_any_name(name: str, directory: Path) -> None:
    other = Path(shutil.move(directory, directory.parent / name))
    before = len(load_run(other).frame())
    with opened(other / "study.db") as study:
        study.add_trial(finished(0))
    assert len(load_run(other).frame()) == before + 1
    assert [each.name for each in other.parent.iterdir()] == [name]


def test_a_killed_owner_loses_no_finished_trial(directory: Path) -> None:
    expected = len(load_run(directory).frame())
    write = (
        "import sys, time; from pathlib import Path; from test_storage import finished, opened\n"
        "with opened(Path(sys.argv[1])) as study:\n"
        "    for number in range(1000):\n"
        "        study.add_trial(finished(number)); print(number, flush=True)\n"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with subprocess.Popen(
        [sys.executable, "-c", write, str(directory / "study.db")],
        env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout
        told = [child.stdout.readline() for _ in range(5)]
        assert "4\n" in told
        assert len(load_run(directory).frame()) >= expected + 5, "it is read while it runs"
        child.send_signal(signal.SIGKILL)
        told += child.stdout.readlines()
    least = expected + len(told)  # one more if it was killed before it could tell
    copy = shutil.copytree(directory, directory.parent / "copy")
    for each in (directory, copy):
        assert least <= len(load_run(each).frame()) <= least + 1
        assert list(load_run(each).frame()["config_id"])[expected:least] == [line.strip() for line in told]
        with opened(each / "study.db") as study:
            study.add_trial(finished(-1))
        assert [each.name for each in each.iterdir()] == ["study.db"]


def test_who_reads_does_not_hold_up_the_owner(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_local(directory)
    monkeypatch.setattr(storage_module, "SQLITE_SECONDS", 0)
    with opened(directory / "study.db") as study:
        reader = sqlite3.connect(f"file:{directory / 'study.db'}?mode=ro", uri=True)
        rows = reader.execute("select * from trials")
        rows.fetchone()
        study.add_trial(finished(0))
        close_storage(study._storage._backend)  # who reads meanwhile does not hinder that either
        rows.close()
        reader.close()


def test_reading_leaves_nothing_beside_the_study(directory: Path) -> None:
    expected = load_run(directory).frame()
    with sqlite3.connect(directory / "study.db") as connection:  # as a holder leaves it that somebody read at its end
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    before = (directory / "study.db").read_bytes()
    assert before[18:20] == b"\2\2"
    assert load_run(directory).frame().equals(expected)
    assert [each.name for each in directory.iterdir()] == ["study.db"]
    assert (directory / "study.db").read_bytes() == before


READ = """
import os, pwd, sys
from results import load_run
load_run(sys.argv[1])  # loads what reading needs, from directories that are perhaps closed to others
if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
assert not os.access(sys.argv[1], os.W_OK)
print(len(load_run(sys.argv[1]).frame()))
"""


@pytest.mark.parametrize("state", ["live", *(pytest.param(each, marks=pytest.mark.slow) for each in ("plain", "wal"))])
def test_a_directory_that_may_only_be_read(state: str, master: Path) -> None:
    expected = len(load_run(master).frame())
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:  # others may not enter pytest's directories
        directory = Path(shutil.copytree(master, Path(name) / "run"))
        if state == "wal":
            with sqlite3.connect(directory / "study.db") as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            connection.close()
        if state == "live":
            need_local(directory)
            stack.enter_context(opened(directory / "study.db")).add_trial(finished(0))
            expected += 1
        Path(name).chmod(0o755)
        for path in directory.iterdir():
            path.chmod(0o444)
        directory.chmod(0o555)
        stack.callback(directory.chmod, 0o755)
        before = sorted(directory.iterdir())
        done = subprocess.run([sys.executable, "-c", READ, str(directory)], cwd=ROOT, capture_output=True, text=True)
        assert done.stdout == f"{expected}\n", done.stderr
        assert sorted(directory.iterdir()) == before
