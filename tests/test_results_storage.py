"""Where the study of a run is looked for, and one sentence for each that cannot be read."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from results import load_run
from results.__main__ import main


@pytest.fixture
def directory(master: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(master, tmp_path / "runs" / "run"))


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_where_the_study_is(directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    shutil.move(directory / "study.db", elsewhere)
    with pytest.raises(ValueError, match=r"study\.db does not exist"):
        load_run(directory)
    assert not (directory / "study.db").exists()
    plain = tmp_path / "plain.db"
    shutil.copy(elsewhere, plain)
    about = {"settings": {"name": "run"}, "environment": {}, "storage": f"sqlite:///{plain}"}
    (directory / "run.json").write_text(json.dumps(about))
    assert load_run(directory).frame().equals(load_run(directory, f"sqlite:///{plain}").frame())
    plain.unlink()
    with pytest.raises(ValueError, match=r"plain\.db does not exist"):
        load_run(directory)
    assert not plain.exists(), "reading makes no file"


def damage(kind: str, directory: Path) -> str:
    path = directory / "study.db"
    content = path.read_bytes()
    match kind:
        case "no directory":
            shutil.rmtree(directory)
            return "does not exist"
        case "no file":
            path.unlink()
            return "study.db does not exist"
        case "a directory":
            path.unlink()
            path.mkdir()
            return "cannot be read"
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_bytes(b"this was a database once" * 1000)
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "first page":
            path.write_bytes(content[:4096])
        case "overwritten":
            path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
        case "other database":
            path.unlink()
            with sqlite3.connect(path) as connection:
                connection.execute("create table recipes (name text)")
            connection.close()
        case "missing table":
            with sqlite3.connect(path) as connection:
                connection.execute("drop table trial_user_attributes")
            connection.close()
        case "no study":
            path.unlink()
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
            storage.engine.dispose()
            return "no study"
        case "other study":
            path.unlink()
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
            optuna.create_study(storage=storage, study_name="mine")
            storage.engine.dispose()
            return "no run of archfrontier"
        case "bad attribute":
            with sqlite3.connect(path) as connection:
                connection.execute("update trial_user_attributes set value_json = '{'")
            connection.close()
    return "damaged"


DAMAGES = (
    "no directory", "no file", "a directory", "empty", "text", "cut", "first page", "overwritten", "other database",
    "missing table", "no study", "other study", "bad attribute",
)  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_cannot_be_read_is_named_in_one_sentence(
    kind: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = damage(kind, directory)
    before = contents(directory) if directory.exists() else {}
    assert main([str(directory)]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert str(directory) in error
    assert len(error.splitlines()) == 1
    assert (contents(directory) if directory.exists() else {}) == before


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/db", "postgresql://me:secret@127.0.0.1:1/db"])
def test_a_storage_that_cannot_be_reached(url: str, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(directory), "--storage", url]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "secret" not in error


def test_a_journal_of_a_killed_writer_is_rolled_back(directory: Path) -> None:
    expected = load_run(directory).frame()
    kill = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('pragma cache_size = 1')\n"
        "c.execute('begin')\n"
        "c.execute('delete from trial_user_attributes')\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", kill, str(directory / "study.db")], check=False)
    assert (directory / "study.db-journal").exists()
    assert load_run(directory).frame().equals(expected)


def test_a_file_is_no_run_directory(directory: Path) -> None:
    with pytest.raises(ValueError, match="is a file: expected the directory of a run"):
        load_run(directory / "study.db")
