"""Landmarks of the user's own: those that a search was given, and those that a picture is given."""

import shutil
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from results import load_run
from results.__main__ import main
from space import LANDMARKS
from space.landmarks.own import read_landmarks


@pytest.fixture(scope="module")
def given(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose search was given a landmark."""
    directory = make_run(tmp_path_factory.mktemp("own") / "run", samples=3, landmarks=False)
    path = directory.parent / "first.csv"
    path.write_text("name,macs,params,top1_error\nmine,2G,5M,21.5\n")
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory / 'study.db'}")
    study = optuna.load_study(study_name="run", storage=storage)
    own = [each.to_json() for each in read_landmarks(path)]
    study.set_user_attr("settings", study.user_attrs["settings"] | {"own_landmarks": own})
    storage.remove_session()
    storage.engine.dispose()
    return directory


def test_a_run_knows_what_its_search_was_given(given: Path, master: Path) -> None:
    run = load_run(given)
    assert [each.name for each in run.own_landmarks] == ["mine"]
    assert run.landmarks["mine"].published.top1_error == 21.5
    assert run.landmarks.keys() - {"mine"} == LANDMARKS.keys()
    assert load_run(master).landmarks == LANDMARKS


def test_files_add_to_them_and_replace_them(given: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text("name,macs,params,top1_error\nmine,3G,6M,20.5\nhers,1G,2M,25\n")
    run = load_run(given, landmarks=[more])
    assert {each.name: each.macs for each in run.own_landmarks} == {"mine": 3 * 10**9, "hers": 10**9}


def test_on_the_command_line(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, more = tmp_path / "run", tmp_path / "more.csv"
    shutil.copytree(given, run)
    before = sorted(run.iterdir())
    more.write_text("name,macs\nhers,1G\n")
    assert main([str(run), "--landmark", str(more)]) == 2
    assert "more.csv, line 2: params is missing" in capsys.readouterr().err
    assert sorted(run.iterdir()) == before
    more.write_text("name,macs,params\nhers,1G,2M\n")
    assert main([str(run), "--landmark", str(more), "--plots", "frontier", "--format", "svg"]) == 0
    assert "written to " in capsys.readouterr().out
    assert (run / "frontier.svg").stat().st_size > 10_000


def test_damaged_settings_are_said(given: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(given, run)
    storage = optuna.storages.RDBStorage(f"sqlite:///{run / 'study.db'}")
    study = optuna.load_study(study_name="run", storage=storage)
    study.set_user_attr("settings", study.user_attrs["settings"] | {"own_landmarks": [{"name": "mine"}]})
    storage.remove_session()
    storage.engine.dispose()
    with pytest.raises(ValueError, match="is damaged: no landmark"):
        load_run(run)
