"""Runs that somebody else has made: reading one connects to no server, and what is begun from it is checked first."""

import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluate.__main__ import main as evaluate
from results import load_run
from results.__main__ import main as results
from results.report.data import report_data
from results.run.load import load_runs
from results.run.storage import study_url
from search.__main__ import main as search
from search.cli.status import read_status

SMALL = [
    "--budget", "100M", "--input", "32", "--classes", "10", "--data", "digits", "--recipe", "smoke", "--landmarks",
    "none",
]  # fmt: skip


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


def test_lines_of_a_log_that_are_none_are_left_out_and_counted(master: Path, tmp_path: Path) -> None:
    shutil.copy(master / "study.db", tmp_path)
    stamp = {"time": "2026-01-01T00:00:00+00:00", "elapsed": 1.5, "session": "a", "event": "begin"}
    begin = stamp | {
        "workers": 2, "done": 0, "left": 3, "process": 1, "device": "cpu", "command": ["--budget", "1G"],
    }  # fmt: skip
    start = stamp | {"event": "start", "key": 1, "label": "x", "family": "resnet", "macs": 10}
    wrong = [
        *(begin | {name: value} for name, value in (
            ("workers", "many"), ("workers", -1), ("done", None), ("left", 1.5), ("command", "rm"), ("device", 3),
            ("time", 5), ("time", "yesterday"), ("time", "2026-01-01"), ("elapsed", "x"), ("elapsed", True),
            ("elapsed", -1), ("session", []), ("event", {}), ("process", [1]),
        )),
        *(start | {name: value} for name, value in (("key", []), ("key", "a"), ("macs", "1G"), ("label", None))),
        stamp | {"event": "finish", "key": {}}, stamp | {"event": "finish", "key": 1, "seconds": "long"},
        stamp | {"event": "repeats"}, stamp | {"event": "end"}, [], 7, None,
    ]  # fmt: skip
    lines = [json.dumps(begin), json.dumps(start), *map(json.dumps, wrong), "nonsense", "[" * 100_000, '{"time": "2']
    (tmp_path / "log.jsonl").write_text("\n".join(lines) + "\n")
    read = read_status(tmp_path)
    assert read.left_out == len(wrong) + 3 == read.to_json()["log_lines_left_out"]
    assert f"log.jsonl: {len(wrong) + 3} lines left out" in read.text()
    assert read.start is not None and read.start.begin == begin and read.start.labels == {1: start}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("score", "abc", "trial 3: its score is 'abc', expected an object"),
        ("score", {"top1": "high"}, "its score.top1 is 'high', expected a number"),
        ("score", {"top1": 1, "curve": [7]}, "its score.curve is [7], expected a list of epochs"),
        ("macs", "4G", "its macs is '4G', expected a whole number"),
        ("macs", 10**30, "expected a whole number"),
        ("latency", {"median_ms": []}, "its latency.median_ms is [], expected a number"),
        ("setting", {"name": 3}, "its setting.name is 3, expected a text"),
        ("kind", ["sample"], "its kind is ['sample'], expected a text"),
        ("duplicate_of", True, "its duplicate_of is True, expected a whole number"),
        ("params", None, "trial 3: its params is missing, expected a whole number"),
    ],
)
def test_attributes_of_another_type_are_one_sentence(
    name: str, value: object, message: str, master: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(master / "study.db", tmp_path)
    with sqlite3.connect(tmp_path / "study.db") as connection:
        connection.execute("delete from trial_user_attributes where trial_id = 4 and key = ?", (name,))
        connection.execute(
            "insert into trial_user_attributes (trial_id, key, value_json) values (4, ?, ?)", (name, json.dumps(value))
        )
    connection.close()
    assert results(["show", str(tmp_path)]) == 2 and search(["status", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count(message) == 2 and len(error.splitlines()) == 2


def test_settings_that_no_search_had_are_one_sentence(
    master: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(master / "study.db", tmp_path)
    settings = load_run(master).settings | {"max_params": 10**400}
    with sqlite3.connect(tmp_path / "study.db") as connection:
        sql = "update study_user_attributes set value_json = ? where key = 'settings'"
        connection.execute(sql, (json.dumps(settings),))
    connection.close()
    assert results(["show", str(tmp_path)]) == 2
    assert "damaged: its setting max_params is 1000" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "2147483648", "1" + "0" * 20, "9" * 5000, "x"])
def test_seeds_that_torch_or_numpy_would_refuse(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        lambda: search([*SMALL, f"--seed={seed}"]),
        lambda: evaluate(["score", "resnet18", f"--seed={seed}"]),
        lambda: results(["export", "resnet18", "--to", "x.json", f"--seed={seed}"]),
    ):
        with pytest.raises(SystemExit) as stop:
            command()
        assert stop.value.code == 2
        assert "expected a whole number from 0 to 2147483647" in capsys.readouterr().err
