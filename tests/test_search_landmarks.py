"""`--landmark FILE`: networks of one's own, scored where they can be, and kept with the run."""

import dataclasses
import json
from pathlib import Path

import pytest

from evaluate.training.presets import RECIPES
from results import load_run
from search.__main__ import main
from search.cli.arguments import near, request_of, settings_of
from search.cli.options import parser
from search.run.settings import Settings
from space import Budget, landmark
from space.landmarks.networks import Landmark
from space.solving.axes import Target

CIFAR = ["--budget", "50M", "--input", "32", "--classes", "10", "--data", "digits",
    "--recipe", "smoke", "--families", "resnet",
         "--landmarks", "cifar_resnet20", "--name", "run", "--plots", "none"]  # fmt: skip
MINE = {"name": "mine", "config": dataclasses.replace(landmark("cifar_resnet20"), depths=(2, 2, 2)).to_json()}
LARGE = {"name": "large", "config": landmark("cifar_resnet110").to_json()}
OTHER = {"name": "other", "config": landmark("resnet18").to_json()}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.json").write_text(json.dumps([MINE, LARGE, OTHER]))
    Path("figures.csv").write_text("name,target,macs,params,top1_error\nfigures,cifar,40M,0.3M,7.5\n")


def chosen(*arguments: str) -> Settings:
    made, words = parser(), [*CIFAR, *arguments]
    return settings_of(request_of(made, made.parse_args(words), words), RECIPES["smoke"], "cpu")


def test_a_run_scores_what_it_can_and_keeps_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    command = [*CIFAR, "--landmark", "mine.json", "figures.csv", "--trials", "0"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "\n2 landmarks and 0 sampled networks" in out
    for line in (
        "landmark large is shown, not scored: it costs 253MFLOPs, more than 5 % over the budget or a limit",
        "landmark other is shown, not scored: it is for images as of imagenet, the budget is counted at 32 pixels",
        "landmark figures is shown, not scored: only its figures are known",
    ):
        assert line in out.splitlines()
    run = load_run("runs/run")
    assert [trial.user_attrs["landmark"] for trial in run.trials] == ["cifar_resnet20", "mine"]
    assert run.trials[1].user_attrs["kind"] == "landmark"
    assert run.trials[1].user_attrs["config"] == MINE["config"]
    assert run.trials[1].values[1] < run.trials[0].values[1], "six blocks, not nine"
    kept = [Landmark.from_json(each) for each in run.settings["own_landmarks"]]
    assert [each.name for each in kept] == ["mine", "large", "other", "figures"]
    assert (kept[3].macs, kept[3].published.top1_error, kept[3].config) == (40_000_000, 7.5, None)

    assert main(command) == 0, "the same command goes on"
    assert len(load_run("runs/run").trials) == 2
    assert main([*CIFAR, "--trials", "0", "--landmark", "mine.json"]) == 2
    assert "own_landmarks: mine,large,other,figures there, mine,large,other now" in capsys.readouterr().err


def test_words_may_be_repeated_and_what_is_no_landmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    both = chosen("--landmark", "mine.json", "--landmark", "figures.csv")
    assert both == chosen("--landmark", "mine.json", "figures.csv")
    assert both.landmarks == ("cifar_resnet20", "mine")
    assert [each.name for each in both.shown_landmarks] == ["large", "other", "figures"]
    assert both.landmark("mine").to_json() == MINE["config"]
    assert both.landmark("cifar_resnet20") == landmark("cifar_resnet20")
    assert Settings.from_json(json.loads(json.dumps(both.to_json()))) == both
    assert chosen("--landmarks", "none", "--landmark", "mine.json").landmarks == ("mine",)
    assert main([*CIFAR, "--landmark", "nothing.json"]) == 2
    assert "nothing.json" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_five_percent_over_the_budget_is_near() -> None:
    macs = 40_551_040  # of cifar_resnet20
    for budget, expected in ((macs, True), (round(macs / 1.04), True), (round(macs / 1.06), False)):
        assert near(landmark("cifar_resnet20"), Target(Budget(budget), "frontier", 32, 10)) is expected


def test_a_dry_run_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CIFAR, "--landmark", "mine.json", "--trials", "1", "--repeats", "3", "--dry-run", "1"]) == 0
    out = capsys.readouterr().out
    assert "2 landmarks would be scored:\nmine  " in out
    assert "\nlandmark large is shown, not scored: " in out
    assert "for 1 sampled network and 2 landmarks" in out
    assert out.rstrip().endswith(" for each network on the frontier")
