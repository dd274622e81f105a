"""Training to the end: checkpoints, interruptions, the test split, several processes."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluate.__main__ import main
from evaluate.images.load import ImageData, LabelledImages, load_data
from evaluate.training.full import train_network
from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe
from space import build, landmark, load_config

ROOT = Path(__file__).parents[1]
RECIPE = dataclasses.replace(RECIPES["smoke"], name="short", epochs=4, evaluate_every=2, crop=True)
CONFIG = landmark("resnet18")


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


def train(data: ImageData, directory: Path, recipe: Recipe = RECIPE, **more: Any) -> dict[str, Any]:
    return train_network("resnet18", CONFIG, recipe, data, directory, device="cpu", **more)


def weights(directory: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(directory / "model.pt", weights_only=True)
    return loaded


def test_the_weights_are_the_networks_own(digits: ImageData, tmp_path: Path) -> None:
    lines: list[str] = []
    report = train(digits, tmp_path / "run", show=lines.append)
    assert report == json.loads((tmp_path / "run" / "train.json").read_text())
    assert [point["epoch"] for point in report["curve"]] == [2, 4] and len(lines) == 2
    assert report["test_top1"] is None and report["environment"]["processes"] == 1
    trained = load_config(tmp_path / "run" / "config.json")
    assert trained == RECIPE.proxy(CONFIG)
    model = build(trained, 10, 8)
    model.load_state_dict(weights(tmp_path / "run"))
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "checkpoint.pt", "config.json", "model.pt", "train.json",
    }  # fmt: skip


def test_an_interrupted_training_ends_as_if_it_had_not_been(digits: ImageData, tmp_path: Path) -> None:
    whole = train(digits, tmp_path / "whole", show=lambda line: None)

    def interrupt(line: str) -> None:
        if line.startswith("epoch    2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(digits, tmp_path / "broken", show=interrupt)
    assert not (tmp_path / "broken" / "model.pt").exists()
    lines: list[str] = []
    continued = train(digits, tmp_path / "broken", show=lines.append)
    assert lines[0] == "goes on after epoch 2 of 4" and lines[1].startswith("epoch    4/4")
    assert continued["curve"] == whole["curve"]
    for name, tensor in weights(tmp_path / "whole").items():
        assert torch.equal(tensor, weights(tmp_path / "broken")[name]), name


@pytest.mark.slow
def test_a_killed_training_goes_on(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(dataclasses.replace(RECIPE, epochs=400, evaluate_every=1).to_json()))
    command = [sys.executable, "-m", "evaluate", "train", "resnet18", "--recipe", str(recipe), "--device", "cpu",
               "--name", "killed"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    for _ in range(3):
        assert running.stdout.readline().startswith("epoch")
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    again = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert again.stdout is not None
    assert again.stdout.readline().startswith("goes on after epoch ")
    again.send_signal(signal.SIGINT)
    time.sleep(0)
    again.communicate(timeout=60)
    assert again.returncode in (130, -signal.SIGINT)


def test_a_finished_training_trains_no_further(digits: ImageData, tmp_path: Path) -> None:
    first = train(digits, tmp_path, show=lambda line: None)
    lines: list[str] = []
    assert train(digits, tmp_path, show=lines.append)["top1"] == first["top1"]
    assert lines == ["goes on after epoch 4 of 4"]


def test_another_training_is_refused_and_nothing_is_lost(digits: ImageData, tmp_path: Path) -> None:
    train(digits, tmp_path, show=lambda line: None)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(ValueError, match=r"another recipe.*choose another --name"):
        train(digits, tmp_path, dataclasses.replace(RECIPE, epochs=5))
    with pytest.raises(ValueError, match="another seed"):
        train(digits, tmp_path, seed=1)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"no checkpoint", None])
def test_a_damaged_checkpoint_is_named(damage: bytes | None, digits: ImageData, tmp_path: Path) -> None:
    train(digits, tmp_path, show=lambda line: None)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:2000] if damage is None else damage)
    with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged"):
        train(digits, tmp_path)


def test_the_test_split_is_scored_only_when_asked_for(digits: ImageData, tmp_path: Path) -> None:
    held_out = LabelledImages("digits", digits.val_images, digits.val_labels, digits.class_names, "", "")
    report = train(digits, tmp_path, test=held_out, show=lambda line: None)
    assert report["test_top1"] == pytest.approx(report["top1"])  # the same images here


def test_divergence_and_too_small_an_input_are_one_sentence(digits: ImageData, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"diverged.*lower learning rate"):
        train(digits, tmp_path / "a", dataclasses.replace(RECIPE, learning_rate=1e30))
    with pytest.raises(ValueError, match="too small"):
        train_network("x", landmark("densenet121"), dataclasses.replace(RECIPE, stem="keep"), digits, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "resnet18", "--recipe", "smoke", "--device", "cpu", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert "epoch    2/2" in out and "runs/train/resnet18-digits-smoke-seed1/model.pt" in out
    assert main(["train", "resnet18", "--recipe", "smoke", "--test"]) == 2
    assert capsys.readouterr().err.count("\n") <= 2  # what was read of the data, and one sentence
    assert main(["train", "resnet18", "--recipe", "smoke", "--name", "a/b"]) == 2
    assert "plain name" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_train_together(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m",
               "evaluate", "train", "resnet18", "--recipe", "smoke", "--device", "cpu", "--name", "two"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch    1/2") == done.stdout.count("weights in") == 1  # one of them prints
    report = json.loads((tmp_path / "runs/train/two/train.json").read_text())
    assert report["environment"]["processes"] == 2
    assert report["curve"][1]["train_loss"] < report["curve"][0]["train_loss"] and report["top1"] > 12
