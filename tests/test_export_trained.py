"""Trained weights taken away: found in their run, with all that one must know to use them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors import safe_open

import space
from evaluate.__main__ import main as evaluate
from evaluate.images.load import load_data
from results import load_run
from results.__main__ import main
from results.run.candidate import Candidate


class Found(NamedTuple):
    """A run and the best network of it, which was trained to the end of a short recipe."""

    run: Path
    best: Candidate
    report: dict[str, Any]  # train.json


@pytest.fixture(scope="module")
def found(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Found:
    place = tmp_path_factory.mktemp("trained")
    run = make_run(place / "runs" / "mine", samples=3, landmarks=False, budget="1M", input_size=8, classes=1000)
    best = load_run(run).best()
    config = run / "configs" / f"{best.config.id}.json"
    best.save(config)
    recipe = place / "quick.json"
    quick = {"name": "quick", "epochs": 4, "batch_size": 64, "learning_rate": 0.1, "crop": False, "precision": "fp32"}
    recipe.write_text(json.dumps(quick))
    assert (
        evaluate(
            ["train", str(config), "--data", "digits", "--recipe", str(recipe), "--device", "cpu", "--name", "long"]
        )
        == 0
    )
    report = json.loads((run / "trained" / "long" / "train.json").read_text())
    assert report["top1"] > 40
    return Found(run, best, report)


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["export", *map(str, words)]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_the_best_network_has_its_trained_weights(
    found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, found.run, "--best", "--to", tmp_path / "m.safetensors")
    where = found.run / "trained" / "long" / "model.pt"
    assert f"weights: {where}" in text and "UNTRAINED" not in text
    score = f"{found.report['top1']:.2f} ± {found.report['standard_error']:.2f}"
    assert f"trained in full: recipe quick, 4 epochs on digits, top-1 {score} %" in text
    weights = torch.load(where, weights_only=True)
    with safe_open(tmp_path / "m.safetensors", "pt") as file:
        told = file.metadata()
        assert all(torch.equal(file.get_tensor(name), weights[name]) for name in weights)
    assert json.loads(told["class_names"]) == list("0123456789")
    assert json.loads(told["preprocessing"]) == found.report["preprocessing"]
    training = json.loads(told["training"])
    assert training["recipe"] == found.report["recipe"] and training["run"] == "mine"
    network = json.loads(told["network"])
    assert (network["classes"], network["input_size"]) == (10, 8)  # as trained: the run counts 1000 classes
    assert network["macs"] == space.cost(found.best.config, 8, 10).macs
    again = said(capsys, found.run / "configs" / f"{found.best.config.id}.json", "--to", tmp_path / "n.safetensors",
                 "--weights", tmp_path / "m.safetensors")  # fmt: skip
    assert f"weights: {tmp_path / 'm.safetensors'}" in again and "10 classes" in again
    with safe_open(tmp_path / "n.safetensors", "pt") as file:
        assert file.metadata()["preprocessing"] == told["preprocessing"]


def test_configuration_files_find_them_too(found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (f"configs/{found.best.config.id}.json", "trained/long/config.json"):
        text = said(capsys, found.run / place, "--to", tmp_path / "m.pt2")
        assert "trained in full: " in text and "long/model.pt" in text and "UNTRAINED" not in text


def test_untrained_weights_are_said_loudly(found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, found.run, "--best", "--untrained", "--to", tmp_path / "m.safetensors")
    assert "weights: UNTRAINED, seed 0" in text and "trained in full" not in text
    frame = load_run(found.run).networks()
    other = int(frame[frame["config_id"] != found.best.config.id]["trial"].iloc[0])
    text = said(capsys, found.run, "--trial", other, "--to", tmp_path / "m.safetensors")
    assert "UNTRAINED: no training of this network has ended in " in text
    (line,) = [line for line in text.splitlines() if line.startswith("UNTRAINED: ")]
    make, train = line.partition("type ")[2].removesuffix(", then this again").split("; ")
    assert make.startswith("python -m results export ") and f" --trial {other} " in make
    assert main(make.split()[3:]) == 0  # what it says to type makes the file that the next command trains
    assert train.startswith("python -m evaluate train ") and Path(train.split()[4]).is_file()
    Path(train.split()[4]).unlink()
    with safe_open(tmp_path / "m.safetensors", "pt") as file:
        assert "preprocessing" not in file.metadata()


def test_another_networks_weights_are_refused_by_what_they_say(
    found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = found.run / "trained" / "long" / "model.pt"
    assert main(["export", "resnet18", "--weights", str(weights), "--to", str(tmp_path / "m.onnx")]) == 2
    assert "another network than this" in capsys.readouterr().err
    words = ["export", str(found.run), "--untrained", "--weights", str(weights), "--to", str(tmp_path / "m.onnx")]
    assert main(words) == 2
    assert "expected one of them" in capsys.readouterr().err


def test_with_preprocessing_a_file_takes_images_as_they_are(
    found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, found.run, "--best", "--with-preprocessing", "--to", tmp_path / "m.onnx")
    told = {each.key: each.value for each in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert told["input"] == "(n, 8, 8, 3) uint8, RGB" and told["output"] == "(n, 10) probabilities"
    names = json.loads(told["class_names"])
    data = load_data("digits", 8)
    images = data.val_images.permute(0, 2, 3, 1).contiguous().numpy()
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"images": images})
    assert np.allclose(answers.sum(1), 1, atol=1e-5) and answers.min() >= 0
    right = [
        names[answer] == str(label) for answer, label in zip(answers.argmax(1), data.val_labels.tolist(), strict=True)
    ]
    assert 100 * np.mean(right) == pytest.approx(found.report["top1"], abs=0.1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--to", "m.py"], r"only .onnx and .pt2 files can take images as they are"),
        (["--to", "m.safetensors"], r"only .onnx and .pt2 files"),
        (["--to", "m.pt2", "--untrained"], "nothing says how images were put to these weights"),
    ],
)
def test_preprocessing_that_cannot_be(
    words: list[str], sentence: str, found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run = str(found.run.resolve())
    monkeypatch.chdir(tmp_path)
    assert main(["export", run, "--with-preprocessing", *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1 and not list(tmp_path.iterdir())
