"""Beginning with earlier runs: their scores where they hold, their shapes where not."""

import json
import shutil
from pathlib import Path

import optuna
import pytest

from results import load_run
from search.__main__ import main
from search.propose.warm import check

BASE = ["--budget", "0.6G", "--data", "digits", "--recipe", "smoke", "--landmarks", "none", "--plots", "none", "-q"]


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four networks that the others begin with."""
    place = tmp_path_factory.mktemp("early")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert main([*BASE, "--name", "early", "--trials", "4"]) == 0
    return place / "runs"


@pytest.fixture(autouse=True)
def here(early: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(early, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)


def trials(name: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=f"sqlite:///runs/{name}/study.db").trials


def test_scores_are_taken_over_where_recipe_and_images_agree(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*BASE, "--name", "late", "--trials", "2", "--warm-start", "runs/early"]
    assert main(arguments) == 0
    assert "warm start from runs/early: 4 finished networks taken over with their scores" in capsys.readouterr().out
    early, late = trials("early"), trials("late")
    assert [trial.user_attrs["kind"] for trial in late] == ["warm"] * 4 + ["sample"] * 2
    for then, now in zip(early, late, strict=False):
        assert now.values == then.values
        assert now.params == then.params
        assert now.user_attrs["score"] == then.user_attrs["score"]
        assert now.user_attrs["from_run"] == "early"
    assert not {trial.user_attrs["config_id"] for trial in late[4:]} & {t.user_attrs["config_id"] for t in early}
    frame = load_run("runs/late").frame()
    assert list(frame["from_run"].dropna()) == ["early"] * 4
    assert frame["on_frontier"].any()

    assert main([*arguments[:-4], "--trials", "3", "--warm-start", "runs/early"]) == 0
    assert len(trials("late")) == 7, "taken over once"


def test_a_cheaper_budget_takes_what_it_can_afford() -> None:
    costs = sorted(trial.user_attrs["macs"] for trial in trials("early"))
    budget = str((costs[1] + costs[2]) // 2)
    assert main([*BASE[2:], "--budget", budget, "--name", "late", "--trials", "0", "--warm-start", "runs/early"]) == 0
    assert sorted(trial.user_attrs["macs"] for trial in trials("late")) == costs[:2]


def test_shapes_are_tried_where_scores_do_not_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    frontier = load_run("runs/early").frontier()
    recipe = json.loads(json.dumps(load_run("runs/early").settings["recipe"])) | {"name": "other", "batch_size": 128}
    (tmp_path / "other.json").write_text(json.dumps(recipe))
    arguments = [*BASE, "--recipe", "other.json", "--name", "late", "--warm-start", "runs/early"]
    assert main([*arguments, "--trials", str(len(frontier) + 1)]) == 0
    out = capsys.readouterr().out
    assert "other recipe, so its scores do not hold here" in out
    late = trials("late")
    assert [trial.user_attrs["origin"] for trial in late] == ["suggestion"] * len(frontier) + ["tpe"]
    assert {trial.user_attrs["config_id"] for trial in late[:-1]} == set(frontier["config_id"])


def test_scores_on_other_held_out_images_do_not_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BASE, "--name", "late", "--seed", "1", "--trials", "0", "--warm-start", "runs/early"]) == 0
    assert "other seed, so its scores do not hold here" in capsys.readouterr().out
    assert not trials("late")


def test_a_run_cannot_begin_with_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BASE, "--name", "early", "--trials", "5", "--warm-start", "runs/early"]) == 2
    assert "cannot begin with itself" in capsys.readouterr().err
    assert main([*BASE, "--name", "late", "--trials", "1"]) == 0
    assert main([*BASE, "--name", "late", "--trials", "1", "--warm-start", "runs/early"]) == 2
    assert "warm_start" in capsys.readouterr().err, "a run that began without it is another run"


def test_a_link_to_itself_is_no_run(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ValueError, match="expected the directory of a run"):
        check([str(loop)], "new")
