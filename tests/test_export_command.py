"""`python -m results export`: what it takes, what it says, what it refuses in one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from results import load_run
from results.__main__ import main
from space import build, load_config

ROOT = Path(__file__).resolve().parent.parent


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["export", *map(str, words)]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["export", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1
    return err


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv = ['results', 'export', '--help']\n"
        "try:\n"
        "    runpy.run_module('results', run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code\n"
        "heavy = {'torch', 'optuna', 'pandas', 'matplotlib', 'numpy', 'onnx', 'safetensors'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--max-latency MS" in done.stdout


def test_the_best_network_of_a_run_is_the_default(
    master: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = load_run(master)
    said(capsys, master, "--to", tmp_path / "best.json")
    assert json.loads((tmp_path / "best.json").read_text()) == run.best().to_json()
    text = said(capsys, master, "--best", "--max-macs", "2G", "--max-params", "12M", "--to", tmp_path / "small.json")
    small = run.best(2e9, 12e6)
    assert small.macs <= 2e9 and small.params <= 12e6 and small.trial != run.best().trial
    assert json.loads((tmp_path / "small.json").read_text()) == small.to_json()
    assert f"trial {small.trial} of the run run" in text and f"proxy top-1 {small.proxy_top1:.2f} %" in text


def test_a_trial_as_source_code(master: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    candidate = load_run(master).best(max_params=2e6)
    words = (master, "--trial", candidate.trial, "--input", 64, "--classes", 3, "--to", tmp_path / "model.py")
    text = said(capsys, *words)
    assert "weights: none in a .py file; checked with: UNTRAINED, seed 0" in text
    assert "max absolute difference 0 (" in text
    header = (tmp_path / "model.py").read_text().split('"""')[1]
    assert f"trial {candidate.trial} of the run run" in " ".join(header.split())
    assert f"Proxy top-1 {candidate.proxy_top1:.2f} %: a short training" in " ".join(header.split())
    assert "64x64" in header and "3 classes" in " ".join(header.split())


def test_a_file_of_a_run_keeps_its_score(master: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    candidate = load_run(master).best(1e9)
    candidate.save(tmp_path / "found.json")
    text = said(capsys, tmp_path / "found.json", "--to", tmp_path / "again.json")
    assert "configuration file found.json, trial" in text
    assert json.loads((tmp_path / "again.json").read_text()) == candidate.to_json()
    said(capsys, tmp_path / "found.json", "--to", tmp_path / "other.json", "--input", 64)
    other = json.loads((tmp_path / "other.json").read_text())
    assert (
        other["input_size"] == 64 and other["macs"] < candidate.macs and other["config"] == candidate.config.to_json()
    )


def test_a_training_is_taken_with_its_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `python -m evaluate train` leaves it: its file says size and classes."""
    from safetensors.torch import load_file

    said(capsys, "cifar_resnet20", "--to", tmp_path / "start.json")
    config = load_config(tmp_path / "start.json")
    made = {"name": "mine", "config": config.to_json(), "input_size": 16, "classes": 7}
    (tmp_path / "config.json").write_text(json.dumps(made))
    torch.manual_seed(5)
    state = build(config, 7, 16).state_dict()
    torch.save(state, tmp_path / "model.pt")
    words = (tmp_path / "config.json", "--weights", tmp_path / "model.pt", "--to", tmp_path / "m.safetensors")
    text = said(capsys, *words)
    assert f"weights: {tmp_path / 'model.pt'}" in text and "at 16x16, 7 classes" in text and "UNTRAINED" not in text
    written = load_file(tmp_path / "m.safetensors")
    assert all(torch.equal(written[name], tensor) for name, tensor in state.items())


def test_untrained_weights_are_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "cifar_resnet20", "--to", tmp_path / "m.safetensors", "--seed", 9)
    assert "cifar_resnet20 (published network ResNet-20): resnet basic d3-3-3" in text
    assert "weights: UNTRAINED, seed 9" in text and "checked by safetensors" in text


def test_refused(
    master: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "expected one of .safetensors, .onnx, .pt2, .py, .json" in refused(capsys, "resnet50", "--to", "r.bin")
    assert "did you mean resnet50" in refused(capsys, "resnet5", "--to", "r.json")
    assert "the directory of a run" in refused(capsys, "resnet5", "--to", "r.json")
    assert "published figures only" in refused(capsys, "vgg16", "--to", "r.json")
    assert "runs/none does not exist: expected the directory" in refused(capsys, "runs/none", "--to", "r.json")
    assert "--trial is for the directory of a run" in refused(capsys, "resnet50", "--trial", 3, "--to", "r.json")
    assert "--max-macs is for" in refused(capsys, "resnet50", "--max-macs", "1G", "--to", "r.json")
    assert "no finished trial has the number 999" in refused(capsys, master, "--trial", 999, "--to", "r.json")
    words = (master, "--trial", 3, "--max-params", "5M", "--to", "r.json")
    assert "--trial names one network" in refused(capsys, *words)
    assert "is not an amount of compute" in refused(capsys, master, "--max-macs", "lots", "--to", "r.json")
    assert "--max-params 'few'" in refused(capsys, master, "--max-params", "few", "--to", "r.json")
    assert "--max-latency -1: expected" in refused(capsys, master, "--max-latency", "-1", "--to", "r.json")
    assert "no latency was measured" in refused(capsys, master, "--max-latency", "5", "--to", "r.json")
    assert "classes is 0" in refused(capsys, "resnet50", "--classes", 0, "--to", "r.json")
    assert "input size is 0" in refused(capsys, "resnet50", "--input", 0, "--to", "r.json")
    assert "too small" in refused(capsys, "densenet121", "--input", 8, "--to", "r.json")
    words = ("cifar_resnet20", "--weights", "gone.pt", "--to", "r.pt2")
    assert "gone.pt: No such file or directory" in refused(capsys, *words)
    Path("file").write_text("{")
    assert "file is no JSON" in refused(capsys, "file", "--to", "r.json")
    assert "file is a file: expected a directory" in refused(capsys, "cifar_resnet20", "--to", "file/r.json")
    Path("r.json").mkdir()
    assert "r.json is a directory: expected" in refused(capsys, "cifar_resnet20", "--to", "r.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "r.json"]
