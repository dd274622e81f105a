"""The files that are written of a run: all or none of them, and the command that writes them."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import results.report
import results.report.write
import space.shell.files
from results import load_run, write_outputs
from results.__main__ import main
from results.run.columns import COLUMNS
from results.run.run import Run
from space import cost, load_config


@pytest.fixture
def directory(master: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(master, tmp_path / "runs" / "run"))


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what is around them: drawing takes seconds."""
    monkeypatch.setattr(results.report.write, "_pictures", lambda *_: ({}, {"frontier.png": b"a picture"}))
    monkeypatch.setattr(results.report, "report_pictures", lambda *_: ())


def test_outputs(directory: Path) -> None:
    before = (directory / "study.db").read_bytes()
    run = load_run(directory)
    paths = write_outputs(run)
    assert (directory / "study.db").read_bytes() == before
    names = {str(path.relative_to(directory)) for path in paths}
    assert {"trials.csv", "frontier.csv", "frontier.png", "frontier.svg", "published.png", "published.svg"} < names
    assert "report.html" in names
    written = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    assert written == names | {"study.db", ".configs.json"}
    table = pd.read_csv(directory / "trials.csv")
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert len(table) == len(run.frame())
    frontier = pd.read_csv(directory / "frontier.csv")
    assert frontier["config_id"].tolist() == run.frontier()["config_id"].tolist()
    assert {path.stem for path in (directory / "configs").iterdir()} == set(frontier["config_id"])
    for row in frontier.to_dict("records"):
        path = directory / "configs" / f"{row['config_id']}.json"
        entry = json.loads(path.read_text())
        assert load_config(path).id == row["config_id"]
        assert {"name", "family", "config", "macs", "params"} <= set(entry)
        assert entry["macs"] == cost(load_config(path)).macs == row["macs"]
    assert (directory / "frontier.png").read_bytes().startswith(b"\x89PNG")
    assert b"</svg>" in (directory / "published.svg").read_bytes()


def drawn_with_old_members(directory: Path, monkeypatch: pytest.MonkeyPatch, count: int = 4) -> list[Path]:
    """Draw a run as if other networks were on its frontier. Returns their files that a redrawing would remove."""
    run = load_run(directory)
    left = run.networks()[~run.networks()["on_frontier"]].head(count).copy()
    with monkeypatch.context() as patch:
        patch.setattr(Run, "frontier", lambda *_: left)
        write_outputs(run)
    return [directory / "configs" / f"{name}.json" for name in left["config_id"]]


def test_configurations_that_left_the_frontier_go(
    no_pictures: None, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = drawn_with_old_members(directory, monkeypatch)
    assert all(path.exists() for path in old)
    write_outputs(load_run(directory))
    assert {path.stem for path in (directory / "configs").iterdir()} == set(load_run(directory).frontier()["config_id"])


def test_files_of_others_stay(no_pictures: None, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed, linked, gone, usual = drawn_with_old_members(directory, monkeypatch)
    configs = directory / "configs"
    (configs / "mine.json").write_text("{}")
    (configs / "0123456789ab.json").write_text("{}")
    changed.write_text(changed.read_text() + " ")
    linked.rename(directory / "elsewhere.json")
    linked.symlink_to(directory / "elsewhere.json")
    gone.unlink()
    gone.mkdir()
    write_outputs(load_run(directory))
    assert not usual.exists() and (directory / "elsewhere.json").exists()
    assert all(path.exists() for path in (changed, linked, gone, configs / "mine.json", configs / "0123456789ab.json"))


def test_nothing_is_removed_through_a_link(
    no_pictures: None, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = drawn_with_old_members(directory, monkeypatch)
    (directory / "configs").rename(tmp_path / "store")
    (directory / "configs").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "mine.json").write_text("{}")
    write_outputs(load_run(directory))
    assert all(path.exists() for path in (*old, tmp_path / "store" / "mine.json"))


@pytest.mark.parametrize("listed", ["", "[1]", '{"mine.json": 1}', "{" * 100_000])
def test_without_a_list_of_what_was_written_nothing_goes(no_pictures: None, directory: Path, listed: str) -> None:
    (directory / "configs").mkdir()
    (directory / "configs" / "mine.json").write_text("{}")
    (directory / ".configs.json").write_text(listed)
    write_outputs(load_run(directory))
    assert (directory / "configs" / "mine.json").exists()


def test_what_a_training_refers_to_stays(no_pictures: None, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished, begun, *rest = drawn_with_old_members(directory, monkeypatch)
    trained = directory / "trained"
    (trained / "named").mkdir(parents=True)
    (trained / "named" / "train.json").write_text(json.dumps({"config_id": finished.stem}))
    (trained / f"{begun.stem}-digits-full-seed0").mkdir()
    write_outputs(load_run(directory))
    assert finished.exists() and begun.exists() and not any(path.exists() for path in rest)
    (trained / "unknown").mkdir()  # begun under a name of its own: of which network nobody knows
    old = drawn_with_old_members(directory, monkeypatch)
    write_outputs(load_run(directory))
    assert all(path.exists() for path in old)


def redrawn(directory: Path, **some: Any) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in write_outputs(load_run(directory), **some)}


def test_a_redrawn_picture_is_equal(directory: Path) -> None:
    some = {"plots": ("frontier",), "report": False}
    assert redrawn(directory, **some) == redrawn(directory, **some)


@pytest.mark.slow
def test_redrawn_files_are_equal(directory: Path) -> None:
    assert redrawn(directory) == redrawn(directory)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("step", ["figure", "write", "replace"])
def test_a_full_disk_leaves_no_half_written_file(
    step: str,
    directory: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (directory / "frontier.png").write_bytes(b"the old picture")
    before = contents(directory)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "figure":
        monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    elif step == "write":
        calls = iter(range(100))
        monkeypatch.setattr(os, "fsync", lambda _: full() if next(calls) == 3 else None)
    else:
        monkeypatch.setattr(os, "replace", full)
    if step != "figure":
        request.getfixturevalue("no_pictures")
    assert main([str(directory)]) == 2
    error = capsys.readouterr().err
    assert "No space left" in error
    assert len(error.splitlines()) == 1
    assert contents(directory) == before
    assert not (directory / "configs").exists()


def test_an_unwritable_directory_is_one_sentence(
    no_pictures: None, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "trials.csv").mkdir()
    assert main([str(directory)]) == 2
    error = capsys.readouterr().err
    assert "trials.csv" in error
    assert len(error.splitlines()) == 1
    assert not list(directory.glob(".*"))


def test_write_files_makes_and_removes_directories(tmp_path: Path) -> None:
    space.shell.files.write_files({tmp_path / "a" / "b.txt": b"x"})
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"x"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):
        space.shell.files.write_files({tmp_path / "c" / "d.txt": b"x", tmp_path / "file" / "e.txt": b"x"})
    assert sorted(os.listdir(tmp_path)) == ["a", "file"]


def test_command_line(no_pictures: None, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(directory)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("config id")
    assert (directory / "frontier.png").read_bytes() == b"a picture"


def test_what_was_written_is_a_directory_and_a_few_names(
    no_pictures: None, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(directory)]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith(f"written to {directory}: trials.csv, frontier.csv, report.html, ")
    assert line.count(str(directory)) == 1 and "configurations in configs/" in line


def test_only_the_pictures_that_were_asked_for(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(directory), "--plots", "progress", "--format", "svg"]) == 0
    assert "trials.csv, frontier.csv, 1 picture, " in capsys.readouterr().out.splitlines()[-1]
    assert sorted(path.name for path in directory.iterdir()) == [
        ".configs.json", "configs", "frontier.csv", "progress.svg", "study.db", "trials.csv",
    ]  # fmt: skip


def test_a_run_without_any_finished_trial(
    make_run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_run(tmp_path / "run", samples=0, landmarks=False)
    assert main([str(made), "--format", "svg"]) == 0
    out = capsys.readouterr().out
    assert "no network within the budget is finished yet" in out
    for name in ("frontier", "axes", "distribution"):
        assert f"no picture {name}: " in out and not (made / f"{name}.svg").exists(), "a blank picture says nothing"
    assert (made / "published.svg").exists()
    assert main([str(made), "--plots", "axes"]) == 2
    assert "no picture axes: what scores follow needs 10 sampled networks" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no network is finished yet"):
        load_run(made).best()
    bare = make_run(tmp_path / "bare", samples=0, landmarks=False)
    assert len(load_run(bare).frame()) == 0
    assert write_outputs(load_run(bare), kinds=("svg",), report=False)


def test_names_with_odd_characters(master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "a $x^2$ #1 100%?ü run"
    shutil.copytree(master, odd)
    (odd / "run.json").write_text("not JSON")
    monkeypatch.setattr(results.report, "report_pictures", lambda *_: ())  # the page's other pictures take seconds
    assert odd / "report.html" in write_outputs(load_run(odd), ("frontier",))
