"""`python -m evaluate expect`: what is printed, in which order, and what is refused."""

import json
import math
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from evaluate.__main__ import main
from evaluate.calibration.expect import expect, published_calibration, target_set
from space import landmark

ROOT = Path(__file__).parents[1]
KEYS = ["name", "expected_error", "low", "high", "familiarity"]


def lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, float | str]]:
    assert main(["expect", *arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_object_a_line_in_the_order_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare, wrapped = tmp_path / "bare.json", tmp_path / "wrapped.json"
    bare.write_text(json.dumps(landmark("wrn_28_10").to_json()))
    wrapped.write_text(json.dumps({"config": landmark("densenet121").to_json()}))
    names = ["resnet152", str(wrapped), "wrn_40_4", str(bare), "regnetx_200mf", "resnet152"]
    found = lines(capsys, *names)
    assert [each["name"] for each in found] == names
    for each in found:
        assert list(each) == KEYS
        error, low, high, familiarity = (each[key] for key in KEYS[1:])
        assert all(isinstance(value, float) and math.isfinite(value) for value in (error, low, high, familiarity))
        assert 0 < low < error < high < 100 and 0 <= familiarity <= 1
    assert found[0] == found[5]
    assert 20 < found[0]["expected_error"] < 23 and 3.5 < found[3]["expected_error"] < 4.6


def test_targets(capsys: pytest.CaptureFixture[str]) -> None:
    (tens,) = lines(capsys, "wrn_28_10")
    (hundreds,) = lines(capsys, "wrn_28_10", "--classes", "100")
    assert 17 < hundreds["expected_error"] < 22 and tens["expected_error"] < 5
    (same,) = lines(capsys, "wrn_28_10", "--input", "32", "--classes", "10")
    assert same == tens
    assert target_set(224, 1000) == "imagenet" and target_set(32, 100) == "cifar"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["resnet50", "--input", "64"], "no published truth for 64x64 and 1000 classes"),
        (["resnet50", "--classes", "10"], "no published truth for 224x224 and 10 classes"),
        (["resnet50", "wrn_28_10", "--input", "224"], "no published truth for 224x224 and 10 classes"),
        (["resnet50", "resnet51"], "resnet51"),
        (["resnet50", "vgg16"], "vgg16"),
        (["resnet50", "missing.json"], "missing.json"),
        (["resnet50", "--input", "0"], "no published truth"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_one_sentence_for_what_cannot_be(
    arguments: list[str], message: str, form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["expect", *arguments, *form]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert message in printed.err and len(printed.err.splitlines()) == 1


def test_text_marks_what_is_far_from_all_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(landmark("resnet50").scaled(0.1).to_json()))
    assert main(["expect", "resnet50", str(path)]) == 0
    known, tiny = capsys.readouterr().out.splitlines()[2:4]
    assert not known.endswith("far") and tiny.endswith("far")


def test_sixty_networks_in_under_ten_seconds(tmp_path: Path) -> None:
    """Process start included, with networks that were never seen."""
    paths = []
    for number in range(60):
        path = tmp_path / f"{number}.json"
        name = ("resnet50", "densenet121", "resnext50_32x4d")[number % 3]
        path.write_text(json.dumps(landmark(name).scaled(0.3 + number / 40).to_json()))
        paths.append(str(path))
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "evaluate", "expect", *paths, "--json"], cwd=ROOT, capture_output=True, text=True
    )
    assert time.perf_counter() - begin < 10
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 60
    again = subprocess.run(
        [sys.executable, "-m", "evaluate", "expect", *paths, "--json"], cwd=ROOT, capture_output=True, text=True
    )
    assert again.stdout == done.stdout


def test_no_torch_is_loaded() -> None:
    code = "import sys; from evaluate.__main__ import main; main(['expect', 'resnet50']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_networks_without_shortcuts_are_no_resnets() -> None:
    config = landmark("resnet50")
    forecast = expect([config, replace(config, shortcut="none")])
    assert forecast.familiarity[0] == 1 and forecast.familiarity[1] == 0
    assert forecast.network[1] > 2 * forecast.network[0]


def test_the_fit_is_kept() -> None:
    assert published_calibration("imagenet") is published_calibration("imagenet")
