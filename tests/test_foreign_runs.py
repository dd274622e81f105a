"""Runs that somebody else has made: reading one connects to no server, and what is begun from it is checked first."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from results import load_run
from results.__main__ import main as results
from results.report.data import report_data
from results.run.run import load_runs
from results.run.storage import study_url
from search.__main__ import main as search

SMALL = ["--budget", "100M", "--input", "32", "--classes", "10", "--recipe", "smoke", "--landmarks", "none"]


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """What listens where a run.json says that its study is; it never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        yield listening


@pytest.fixture
def foreign(master: Path, tmp_path: Path, server: socket.socket) -> Path:
    directory = tmp_path / "foreign"
    directory.mkdir()
    url = f"postgresql://me@127.0.0.1:{server.getsockname()[1]}/db"
    (directory / "run.json").write_text(json.dumps({"settings": {"name": "foreign"}, "storage": url}))
    return directory


@pytest.mark.parametrize(
    "words",
    [
        ["results", "RUN"],
        ["results", "show", "RUN"],
        ["results", "export", "RUN", "--to", "x.json"],
        ["results", "compare", "RUN", "RUN"],
        ["search", "status", "RUN"],
        ["search", *SMALL, "--name", "mine", "--warm-start", "RUN"],
    ],
)
def test_no_command_connects_to_a_server_that_was_not_named(
    words: list[str], foreign: Path, server: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGPASSWORD", "secret")
    before = sorted(foreign.iterdir())
    typed = [str(foreign) if word == "RUN" else word for word in words[1:]]
    assert (results if words[0] == "results" else search)(typed) == 2
    error = capsys.readouterr().err
    assert f"type --storage postgresql://me@127.0.0.1:{server.getsockname()[1]}/db" in error
    with pytest.raises(TimeoutError):  # nobody has knocked
        server.accept()
    assert sorted(foreign.iterdir()) == before
    assert not (tmp_path / "runs" / "mine").exists()


def test_what_the_user_names_is_used(tmp_path: Path) -> None:
    mine = "postgresql://me@host/db"
    assert study_url(tmp_path, mine, mine) == mine == study_url(tmp_path, None, mine)
    assert study_url(tmp_path, "sqlite:///elsewhere.db", None) == "sqlite:///elsewhere.db"
    assert study_url(tmp_path, 7, None) is None
    with pytest.raises(ValueError, match=r"type --storage 'postgresql://me@host/db%3Btouch x'$") as caught:
        study_url(tmp_path, "postgresql://me:secret@host/db;touch x", None)
    assert "secret" not in str(caught.value)


def test_of_several_runs_the_url_is_for_those_on_a_server(master: Path, foreign: Path) -> None:
    elsewhere = f"sqlite:///{master / 'study.db'}"  # stands for a server that answers
    own, other = load_runs([master, foreign], elsewhere)
    assert own.directory == master and other.directory == foreign and own.frame().equals(other.frame())


def test_the_page_of_a_run_on_a_server_names_it(master: Path, foreign: Path) -> None:
    run = load_run(foreign, f"sqlite:///{master / 'study.db'}")
    lines = [line for _, line in report_data(run).commands if line.startswith("python -m results")]
    assert lines and all("--storage postgresql://me@127.0.0.1:" in line for line in lines)


def test_a_wrong_run_to_begin_with_leaves_nothing_behind(
    master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    shutil.copytree(master, tmp_path / "damaged")
    (tmp_path / "damaged" / "study.db").write_bytes(b"no database")
    command = [*SMALL, "--trials", "0", "--name", "mine", "--plots", "none", "-q", "--warm-start"]
    for wrong, message in (
        ("empty", "study.db does not exist"),
        ("damaged", "is damaged"),
        ("none", "expected the"),
    ):
        assert search([*command, wrong]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "runs").exists()
    assert search([*command, str(master)]) == 0
    assert search([*command[:-1], "--seed", "1"]) == 2  # and a run of other settings shows the way
    error = capsys.readouterr().err
    assert "choose another --name (with --warm-start runs/mine it begins with what this one has found)" in error


@pytest.mark.parametrize("workers", ["0", "100000", "-1", "9" * 30])
def test_workers_are_bounded(
    workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for more, place in (
        ([], "on this machine, from 1 to "),
        (["--ray-address", "10.0.0.1:1"], "at once, from 1 to 4096"),
    ):
        assert search([*SMALL, "--workers", workers, *more]) == 2
        assert place in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
