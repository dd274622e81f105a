"""Training to the end: checkpoints, interruptions, the test split, several processes."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluate.__main__ import main
from evaluate.images.load import ImageData, LabelledImages, load_data
from evaluate.training.full import train_network
from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe
from results import load_run
from space import Task, build, cost, landmark, load_config
from space.shell.scores import standard_error

ROOT = Path(__file__).parents[1]
RECIPE = dataclasses.replace(
    RECIPES["smoke"], name="short", epochs=4, evaluate_every=2, crop=True, proxy_macs=None, stem="keep"
)
CONFIG = RECIPES["smoke"].proxy(landmark("resnet18"), 10)  # as its own network: small enough to be trained in a second


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with net.json, for digits as they are, and quick.json."""
    net = {"config": CONFIG.to_json(), "input_size": 8, "classes": 10}
    (tmp_path / "net.json").write_text(json.dumps(net))
    quick = {"name": "quick", "epochs": 2, "batch_size": 64, "learning_rate": 0.1, "train_images": 512, "crop": False}
    (tmp_path / "quick.json").write_text(json.dumps(quick))
    return tmp_path


QUICK = ["train", "net.json", "--data", "digits", "--recipe", "quick.json", "--device", "cpu"]


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
    assert trained == CONFIG
    model = build(trained)
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
def test_a_killed_training_goes_on(files: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(dataclasses.replace(RECIPE, epochs=400, evaluate_every=1).to_json()))
    command = [sys.executable, "-m", "evaluate", "train", "net.json", "--data", "digits",
               "--recipe", str(recipe), "--device", "cpu",
               "--name", "killed"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    while not running.stdout.readline().startswith("epoch    3"):
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    again = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert again.stdout is not None
    for _ in range(2):
        assert not again.stdout.readline().startswith("epoch")  # what is trained, and where to
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
    assert report["held_out"] == report["test_images"] == len(digits.val_labels)
    assert report["standard_error"] == pytest.approx(standard_error(report["top1"], report["held_out"]))


def test_divergence_and_too_small_an_input_are_one_sentence(digits: ImageData, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"diverged.*lower learning rate"):
        train(digits, tmp_path / "a", dataclasses.replace(RECIPE, learning_rate=1e30))
    with pytest.raises(ValueError, match="too small"):
        train_network("x", landmark("densenet121"), dataclasses.replace(RECIPE, stem="keep"), digits, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_command(files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(files)
    assert main([*QUICK, "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert "epoch    2/2" in out and "runs/train/net-digits-quick-seed1/model.pt" in out
    assert main([*QUICK, "--test"]) == 2
    assert capsys.readouterr().err.count("\n") <= 2  # what was read of the data, and one sentence
    assert main([*QUICK, "--name", "a/b"]) == 2
    assert "plain name" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_train_together(files: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m",
               "evaluate", *QUICK, "--name", "two"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch    1/2") == done.stdout.count("weights in") == 1  # one of them prints
    report = json.loads((tmp_path / "runs/train/two/train.json").read_text())
    assert report["environment"]["processes"] == 2
    assert report["curve"][1]["train_loss"] < report["curve"][0]["train_loss"] and report["top1"] > 12


# --- the network itself is trained, and its files say how -------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["smoke", "digits", "fractals", "cpu", "fast", "faithful"])
def test_recipes_of_proxies_are_refused(
    recipe: str, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    assert main(["train", "resnet18", "--recipe", recipe, "--data", "nowhere"]) == 2  # before images are looked for
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"recipe {recipe} would train another network than resnet18 at 224x224" in error
    assert (
        "stem cifar" in error
        and 'type --recipe full, or put "resolution": 224, "proxy_macs": null, "stem": "keep"' in error
    )
    assert not (files / "runs").exists()


def test_a_recipe_that_changes_the_network_is_refused_by_the_function_too(digits: ImageData, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"another network than resnet18 at 8x8 \(proxy_macs 100000\)"):
        train(digits, tmp_path / "a", dataclasses.replace(RECIPE, proxy_macs=100_000))
    config = dataclasses.replace(CONFIG, task=Task(16, 10))
    with pytest.raises(ValueError, match=r"at 16x16 \(resolution 8\)"):
        train_network("net", config, RECIPE, digits, tmp_path / "a", device="cpu")
    assert not (tmp_path / "a").exists()


def test_what_is_trained_is_said(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    assert main(QUICK) == 0
    counted = cost(CONFIG, 8, 10)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"trains net itself: 8x8, 10 classes, {counted.macs:,} multiply-adds, {counted.params:,} parameters",
        "from scratch, by recipe quick, into runs/train/net-digits-quick-seed0",
    ]
    (files / "net.json").write_text(json.dumps({"config": CONFIG.to_json(), "input_size": 12, "classes": 1000}))
    assert main([*QUICK, "--input", "16", "--name", "other"]) == 0
    said = capsys.readouterr().out
    assert f"16x16, 10 classes, {cost(CONFIG, 16, 10).macs:,} multiply-adds" in said
    assert (
        f"its head gets 10 classes, as the images have; with the 1,000 that the network is counted at it costs "
        f"{cost(CONFIG, 16, 1000).macs:,} multiply-adds" in said
    )
    assert f"at the 12x12 that it is counted at it costs {cost(CONFIG, 12, 10).macs:,} multiply-adds" in said
    assert "images are 8x8 pixels: enlarged to 16x16, which adds no detail" in said
    assert build(load_config("runs/train/other/config.json"))(torch.zeros(1, 3, 16, 16)).shape == (1, 10)


def test_a_found_network_is_trained_with_its_own_stem_at_its_own_size(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = make_run(Path("runs/mine"), samples=4, landmarks=False, budget="20M", input_size=96, classes=10)
    best = load_run(run).best()
    path = run / "configs" / f"{best.config.id}.json"
    best.save(path)
    quick = {"name": "quick", "epochs": 1, "batch_size": 16, "learning_rate": 0.01, "train_images": 32}
    (tmp_path / "quick.json").write_text(json.dumps(quick))
    assert (
        main(["train", str(path), "--data", "digits", "--recipe", "quick.json", "--device", "cpu", "--name", "t"]) == 0
    )
    assert f"96x96, 10 classes, {best.macs:,} multiply-adds" in capsys.readouterr().out
    trained = load_config(run / "trained" / "t" / "config.json")
    assert trained == best.config and trained.stem == "imagenet"  # type: ignore[attr-defined]
    assert cost(trained).macs == best.macs
    model = build(load_config(path))  # as the search wrote it
    model.load_state_dict(torch.load(run / "trained" / "t" / "model.pt", weights_only=True))


def test_every_file_says_how_images_are_put_to_the_network(digits: ImageData, tmp_path: Path) -> None:
    report = train(digits, tmp_path, run="mine", show=lambda line: None)
    config = json.loads((tmp_path / "config.json").read_text())
    task = load_config(tmp_path / "config.json").task
    assert task is not None and task.preprocessing is not None
    assert (task.input_size, task.classes, task.class_names) == (8, 10, tuple("0123456789"))
    pixels = digits.train_images[:512].float() / 255
    assert task.preprocessing.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist(), abs=1e-6)
    assert task.preprocessing.std == pytest.approx(pixels.std((0, 2, 3)).tolist(), abs=1e-6)
    assert config["preprocessing"]["channels"] == "RGB" and config["training"]["recipe"] == RECIPE.to_json()
    assert (config["training"]["data"], config["training"]["run"]) == ("digits", "mine")
    assert config["training"]["top1"] == report["top1"] and config["macs"] == cost(CONFIG, 8, 10).macs
    for key in ("preprocessing", "class_names", "input_size", "classes", "macs", "params", "recipe", "config"):
        assert report[key] == (config | {"recipe": RECIPE.to_json()})[key], key
    assert json.loads(weights(tmp_path)._metadata["network"]) == config  # type: ignore[attr-defined]
    # and with these numbers alone, on the stored images, the network reaches what the training said
    model = build(load_config(tmp_path / "config.json")).eval()
    model.load_state_dict(weights(tmp_path))
    mean, std = (torch.tensor(each)[:, None, None] for each in (task.preprocessing.mean, task.preprocessing.std))
    with torch.no_grad():
        right = model((digits.val_images / 255 - mean) / std).argmax(1) == digits.val_labels
    assert 100 * right.float().mean().item() == pytest.approx(report["top1"], abs=0.1)
