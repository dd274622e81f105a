"""Recipes, scores, and the training loop on the smallest networks."""

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import evaluate
from evaluate.__main__ import main
from evaluate.data import ImageData, load_data
from evaluate.train import (
    RECIPES,
    Epoch,
    ProxyScore,
    Recipe,
    augment,
    default_recipe,
    find_recipe,
    normalise,
    resolve_device,
    schedule,
    train_proxy,
)
from space import DenseConfig, ResidualConfig

RESIDUAL = ResidualConfig(
    family="resnet",
    stem="imagenet",
    stem_width=64,
    block="basic",
    depths=(1, 1, 1, 1),
    widths=(64, 128, 256, 512),
    inner_widths=(64, 128, 256, 512),
    groups=(1, 1, 1, 1),
)
DENSE = DenseConfig(family="densenet", stem="imagenet", stem_width=64, depths=(2, 2, 2, 2), growth_rate=32)
SMOKE = RECIPES["smoke"]


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


# ---------------------------------------------------------------------------------------------- recipes


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_round_trip(name: str, tmp_path: Path) -> None:
    recipe = find_recipe(name)
    assert recipe.name == name
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(recipe.to_json()))
    assert find_recipe(path) == recipe


def test_whole_numbers_become_floats_once() -> None:
    recipe = Recipe(name="x", epochs=1, batch_size=2, learning_rate=1, width=1)
    assert type(recipe.learning_rate) is float and type(recipe.width) is float
    assert Recipe.from_json(recipe.to_json()).to_json() == recipe.to_json()


@pytest.mark.parametrize(
    "field, value",
    [
        ("name", ""),
        ("epochs", 0),
        ("epochs", 1.5),
        ("epochs", True),
        ("batch_size", 1),
        ("learning_rate", 0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("learning_rate", "0.1"),
        ("momentum", 1.0),
        ("momentum", 0),
        ("weight_decay", -1),
        ("label_smoothing", 1.0),
        ("warmup", 1.0),
        ("resolution", 3),
        ("width", 0),
        ("width", True),
        ("stem", "regnet"),
        ("train_images", 0),
        ("flip", 1),
    ],
)
def test_impossible_recipes_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        Recipe.from_json(SMOKE.to_json() | {field: value})


def test_recipe_keys() -> None:
    with pytest.raises(ValueError, match="unknown key 'epoch'"):
        Recipe.from_json(SMOKE.to_json() | {"epoch": 3})
    with pytest.raises(ValueError, match="missing key 'epochs'"):
        Recipe.from_json({"name": "x", "batch_size": 2, "learning_rate": 1.0})
    with pytest.raises(ValueError, match="JSON object"):
        Recipe.from_json([1])


def test_find_recipe_lists_the_presets(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "keys.json").write_text("{}")
    for name in ("nonsense", str(tmp_path / "bad.json"), str(tmp_path)):
        with pytest.raises(ValueError, match="smoke, cpu, gpu"):
            find_recipe(name)
    with pytest.raises(ValueError, match=r"keys\.json.*missing key"):
        find_recipe(tmp_path / "keys.json")


def test_devices() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert default_recipe("cpu") == RECIPES["cpu"]
    with pytest.raises(ValueError, match="expected one of auto, cpu, cuda"):
        resolve_device("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_cuda_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="no CUDA device"):
        resolve_device("cuda")


def test_proxy_is_narrower_with_a_small_stem() -> None:
    proxy = SMOKE.proxy(RESIDUAL)
    assert isinstance(proxy, ResidualConfig)
    assert (proxy.stem, proxy.stem_width, proxy.widths) == ("cifar", 8, (8, 16, 32, 64))
    assert dataclasses.replace(SMOKE, width=1.0, stem="keep").proxy(RESIDUAL) == RESIDUAL


# ---------------------------------------------------------------------------------------------- parts


def test_schedule_rises_to_the_peak_and_ends_near_zero() -> None:
    rates = [schedule(step, 100, 0.25) for step in range(100)]
    assert max(rates) == rates[24] == 1.0
    assert rates[:25] == sorted(rates[:25]) and rates[24:] == sorted(rates[24:], reverse=True)
    assert 0 < rates[-1] < 0.01
    assert all(0 < schedule(step, 1, warmup) <= 1 for step in range(1) for warmup in (0.0, 0.5, 0.9))
    assert schedule(0, 10, 0.0) > 0.9


def test_augmentation_shifts_and_mirrors_each_image_on_its_own() -> None:
    ramp = torch.arange(8, dtype=torch.uint8).expand(64, 3, 8, 8).contiguous() * 10
    rng = torch.Generator().manual_seed(0)
    recipe = dataclasses.replace(SMOKE, flip=False, crop=True)
    shifted = augment(ramp, recipe, rng)
    assert shifted.shape == ramp.shape
    middles = set(shifted[:, 0, 4, 4].tolist())
    assert middles == {30, 40, 50}  # a shift of at most one pixel of eight
    mirrored = augment(ramp, dataclasses.replace(SMOKE, flip=True, crop=False), rng)
    assert {tuple(row) for row in mirrored[:, 0, 0].tolist()} == {tuple(range(0, 80, 10)), tuple(range(70, -1, -10))}
    assert augment(ramp, SMOKE, rng) is ramp


def test_normalise() -> None:
    pixels = torch.randint(0, 256, (32, 3, 8, 8), dtype=torch.uint8)
    mean, std = pixels.float().mean((0, 2, 3), True), pixels.float().std((0, 2, 3), keepdim=True)
    out = normalise(pixels, mean, std)
    assert abs(float(out.mean())) < 1e-5 and float(out.std()) == pytest.approx(1, abs=1e-3)
    assert out.is_contiguous(memory_format=torch.channels_last)


# ---------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("config", [RESIDUAL, DENSE], ids=["residual", "dense"])
def test_digits_are_learned(config: ResidualConfig | DenseConfig, digits: ImageData) -> None:
    recipe = dataclasses.replace(SMOKE, epochs=4, batch_size=32, train_images=None)
    score = train_proxy(config, recipe, digits, device="cpu")
    assert score.state == "complete" and score.reason is None
    assert score.top1 > 50  # chance is 10
    assert score.loss is not None and score.loss < 1.6  # chance is 2.3
    assert [point["epoch"] for point in score.curve] == [1, 2, 3, 4]
    assert score.curve[-1]["train_loss"] < score.curve[0]["train_loss"]
    assert score.curve[-1]["top1"] == score.top1
    assert 0 < score.seconds < 60 and score.images_per_second > 100


def test_same_seed_same_score_and_the_callers_random_numbers_stay(digits: ImageData) -> None:
    torch.manual_seed(5)
    recipe = dataclasses.replace(SMOKE, crop=True)
    threads = torch.get_num_threads()
    one, two, other = (train_proxy(RESIDUAL, recipe, digits, seed=seed, device="cpu") for seed in (1, 1, 2))
    assert (one.top1, one.loss, one.curve) == (two.top1, two.loss, two.curve)
    assert one.loss != other.loss
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    assert torch.get_num_threads() == threads


def test_a_loss_that_is_not_finite_fails_with_the_reason(digits: ImageData) -> None:
    score = train_proxy(RESIDUAL, dataclasses.replace(SMOKE, learning_rate=1e30), digits, device="cpu")
    assert score.state == "failed" and score.reason and "not finite" in score.reason
    assert score.loss is None
    assert ProxyScore.from_json(json.loads(json.dumps(score.to_json(), allow_nan=False))) == score


def test_too_small_an_input_fails_with_the_reason(digits: ImageData) -> None:
    five = dataclasses.replace(DENSE, depths=(1,) * 5)
    score = train_proxy(five, SMOKE, digits, device="cpu")
    assert (score.state, score.top1, score.curve) == ("failed", 0.0, ())
    assert score.reason and "too small" in score.reason


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("can't allocate memory")]
)
def test_out_of_memory_fails_with_the_reason(
    error: Exception, digits: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("space.build", explode)
    score = train_proxy(RESIDUAL, SMOKE, digits, device="cpu")
    assert score.state == "failed" and score.reason == "out of memory on cpu"


def test_other_errors_are_not_hidden(digits: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("space.build", explode)
    with pytest.raises(RuntimeError, match="a bug"):
        train_proxy(RESIDUAL, SMOKE, digits, device="cpu")


def test_fewer_images_than_a_batch_are_still_trained_on(digits: ImageData) -> None:
    recipe = dataclasses.replace(SMOKE, train_images=20, batch_size=64, epochs=3)
    score = train_proxy(RESIDUAL, recipe, digits, device="cpu")
    assert score.state == "complete"
    assert len({point["train_loss"] for point in score.curve}) == 3


def test_data_at_another_resolution_is_refused(digits: ImageData) -> None:
    with pytest.raises(ValueError, match=r"8 pixels.*16"):
        train_proxy(RESIDUAL, dataclasses.replace(SMOKE, resolution=16), digits, device="cpu")


def test_score_round_trip() -> None:
    curve = (Epoch(epoch=1, train_loss=2.1, top1=11.7), Epoch(epoch=2, train_loss=1 / 3, top1=100 / 3))
    score = ProxyScore(100 / 3, 0.1 + 0.2, 1.5, 321.5, curve, "complete")
    assert ProxyScore.from_json(json.loads(json.dumps(score.to_json()))) == score
    with pytest.raises(ValueError, match="unknown key 'top5'"):
        ProxyScore.from_json(score.to_json() | {"top5": 1})


# ---------------------------------------------------------------------------------------------- package and command


def test_public_names_resolve() -> None:
    for name in evaluate.__all__:
        assert getattr(evaluate, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        evaluate.nonsense  # noqa: B018


def test_importing_the_package_and_help_load_nothing_heavy() -> None:
    code = (
        "import sys, evaluate, evaluate.__main__ as m; m.make_parser().format_help(); "
        "print([name for name in ('torch', 'numpy', 'datasets', 'sklearn') if name in sys.modules])"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_command_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(RESIDUAL.to_json()))
    assert main(["score", str(path), "--recipe", "smoke", "--device", "cpu"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["state"] == "complete" and printed["recipe"]["name"] == "smoke" and printed["top1"] > 0


def test_command_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", "cifar_resnet20"]) == 0
    text = capsys.readouterr().out
    assert text.count("40,551,040") == 3 and "all three agree" in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["count", "resnet51"], "resnet51"),
        (["count", "vgg16"], "vgg16"),
        (["count", "missing.json"], "No such file"),
        (["count", "resnet18", "--input", "0"], "input size"),
        (["count", "densenet121", "--input", "8"], "too small"),
        (["score", "resnet18", "--data", "no/such/folder", "--recipe", "smoke"], "no such folder"),
        (["score", "resnet18", "--recipe", "nonsense"], "smoke, cpu, gpu"),
        (["score", "resnet18", "--device", "tpu"], "auto, cpu, cuda"),
    ],
)
def test_command_refuses_in_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert message in output.err and output.err.count("\n") == 1 and not output.out


def test_command_line_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["score"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
