"""A network that a search found, trained further: where its training goes, and what stands beside the result."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluate.__main__ import main
from evaluate.training.provenance import Proxy, proxy_of, run_of
from results import load_run
from space import landmark, load_config

TRAIN = ["--data", "digits", "--recipe", "quick.json", "--device", "cpu"]
QUICK = {"name": "quick", "epochs": 2, "batch_size": 64, "learning_rate": 0.1, "train_images": 128}


@pytest.fixture(autouse=True)
def quick(tmp_path: Path) -> None:
    (tmp_path / "quick.json").write_text(json.dumps(QUICK))


@pytest.fixture
def found(make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a run's best network, as it would be typed."""
    monkeypatch.chdir(tmp_path)
    run = make_run(Path("runs/mine"), samples=3, landmarks=False, budget="2M", input_size=16, classes=10)
    best = load_run(run).best()
    about = {"settings": {"recipe": {"name": "cpu", "epochs": 3}}, "data_name": "cifar10"}
    (run / "run.json").write_text(json.dumps(about))
    path = run / "configs" / f"{best.config.id}.json"
    best.save(path)
    return path


def test_it_is_trained_into_its_run(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top1 = json.loads(found.read_text())["proxy_top1"]
    assert main(["train", str(found), *TRAIN, "--seed", "1"]) == 0
    directory = Path("runs/mine/trained") / f"{found.stem}-digits-quick-seed1"
    lines = capsys.readouterr().out.splitlines()
    macs = json.loads(found.read_text())["macs"]
    assert lines[0].startswith(f"trains {found.stem} itself: 16x16, 10 classes, {macs:,} multiply-adds, ")
    assert lines[1:3] == [
        "images are 8x8 pixels: enlarged to 16x16, which adds no detail",
        f"from scratch, by recipe quick, into {directory}",
    ]
    assert lines[-2].startswith("top-1 ") and lines[-2].endswith(f"weights in {directory / 'model.pt'}")
    assert lines[-1].startswith(f"proxy top-1 in the search {top1:.2f} % (trial ")
    assert "recipe cpu, data cifar10): not to be compared" in lines[-1]
    report: dict[str, Any] = json.loads((directory / "train.json").read_text())
    assert (report["network"], report["config_id"], report["seed"]) == (found.stem, found.stem, 1)
    assert report["config"] == load_config(found).to_json()
    assert (report["recipe"]["name"], report["data"], report["epochs_done"]) == ("quick", "digits", 2)
    trial = json.loads(found.read_text())["trial"]
    assert report["proxy"] == {"top1": top1, "trial": trial, "recipe": "cpu", "data": "cifar10", "held_out": None}
    assert load_run("runs/mine").frontier().shape[0] >= 1  # the run is as it was


def test_another_path_to_the_file_goes_on(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(found), *TRAIN]) == 0
    assert main(["train", str(found.resolve()), *TRAIN]) == 0
    assert "goes on after epoch 2 of 2" in capsys.readouterr().out


def test_a_name_is_a_directory_of_the_run(found: Path) -> None:
    assert main(["train", str(found), *TRAIN, "--name", "longer"]) == 0
    assert Path("runs/mine/trained/longer/model.pt").is_file()
    assert main(["train", str(found), *TRAIN, "--name", "../longer"]) == 2


def test_a_file_elsewhere_is_no_runs(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = Path("copy.json")
    copy.write_text(found.read_text())
    assert main(["train", str(copy), *TRAIN]) == 0
    out = capsys.readouterr().out
    assert "runs/train/copy-digits-quick-seed0/model.pt" in out
    assert "not to be compared" in out
    proxy = json.loads(Path("runs/train/copy-digits-quick-seed0/train.json").read_text())["proxy"]
    assert proxy["top1"] == json.loads(found.read_text())["proxy_top1"]
    assert (proxy["recipe"], proxy["data"]) == (None, None)


def test_a_published_network_has_no_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "cifar_resnet20", *TRAIN, "--input", "8"]) == 0
    report = json.loads(Path("runs/train/cifar_resnet20-digits-quick-seed0/train.json").read_text())
    assert report["proxy"] is None and report["config_id"] == landmark("cifar_resnet20").id


def test_which_run_a_file_lies_in(found: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_of(found) == Path("runs/mine")
    assert run_of(found.resolve()) == found.resolve().parents[1]
    Path("runs/mine/run.json").unlink()
    assert run_of(found) == Path("runs/mine")  # the study is enough
    monkeypatch.chdir(found.parent)
    assert run_of(found.name) == Path.cwd().parent
    Path("../study.db").unlink()
    assert run_of(found.name) is None
    assert run_of("/nowhere.json") is None


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"settings": 3}', '{"settings": {"recipe": 3}, "data_name": 4}'])
def test_a_run_that_says_little_is_enough(content: str, found: Path) -> None:
    Path("runs/mine/run.json").write_text(content)
    kept = json.loads(found.read_text())
    assert proxy_of(found) == Proxy(kept["proxy_top1"], kept["trial"], None, None)


@pytest.mark.parametrize("wrong", ["best", True, -1, 101, float("nan"), [50]])
def test_a_proxy_score_that_is_none(wrong: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"config": landmark("resnet18").to_json(), "proxy_top1": wrong}))
    assert main(["train", str(path), *TRAIN]) == 2
    err = capsys.readouterr().err
    assert "proxy_top1 is" in err and "expected percent" in err and err.count("\n") == 1
