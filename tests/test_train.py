"""Proxy training for real: what a score holds, and every way in which a training can end."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluate.images.load import ImageData, load_data
from evaluate.training.device import computes_bf16
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import plan, train_proxy
from evaluate.training.recipe import Recipe
from evaluate.training.score import Epoch, ProxyScore
from space import DenseConfig, ResidualConfig, cost, landmark

ROOT = Path(__file__).parents[1]
RESIDUAL = dataclasses.replace(landmark("resnet18"), depths=(1, 1, 1, 1))
DENSE = DenseConfig(family="densenet", stem="imagenet", stem_width=64, depths=(2, 2, 2, 2), growth_rate=32)
SMOKE = RECIPES["smoke"]
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


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
    assert (score.precision, score.engine, score.micro_batch) == ("fp32", "eager", 32)


def test_a_score_says_what_it_took(digits: ImageData) -> None:
    score = train_proxy(RESIDUAL, SMOKE, digits, device="cpu")
    macs = cost(SMOKE.proxy(RESIDUAL, 10), 8, 10).macs
    assert score.flops_per_second == pytest.approx(6 * macs * score.images_per_second)
    assert score.peak_share is not None and 0 < score.peak_share < 1
    if sys.platform == "linux":
        assert score.peak_memory is not None and 0 < score.peak_memory < 5e9


def test_only_some_epochs_are_scored_and_always_the_last(digits: ImageData) -> None:
    score = train_proxy(RESIDUAL, dataclasses.replace(SMOKE, epochs=5, evaluate_every=2), digits, device="cpu")
    assert [point["epoch"] for point in score.curve] == [2, 4, 5]
    every = train_proxy(RESIDUAL, dataclasses.replace(SMOKE, epochs=5), digits, device="cpu")
    assert every.top1 == score.top1  # scoring changes nothing


LONGER = dataclasses.replace(SMOKE, epochs=4)


def test_a_training_is_stopped_with_what_it_has_reached(digits: ImageData) -> None:
    asked: list[Epoch] = []

    def stop(point: Epoch) -> str | None:
        asked.append(point)
        return "stopped at epoch 2: enough" if point["epoch"] == 2 else None

    whole = train_proxy(RESIDUAL, LONGER, digits, device="cpu")
    score = train_proxy(RESIDUAL, LONGER, digits, device="cpu", stop=stop)
    assert (score.state, score.reason) == ("stopped", "stopped at epoch 2: enough")
    assert score.curve == whole.curve[:2] == tuple(asked)  # as far as it went it is the same training
    assert score.top1 == whole.curve[1]["top1"]
    assert score.loss is not None and score.loss != whole.loss
    assert score.images_per_second > 0 and score.engine == "eager" and score.micro_batch == 64
    assert ProxyScore.from_json(json.loads(json.dumps(score.to_json(), allow_nan=False))) == score


@pytest.mark.parametrize(
    ("every", "asked_at"), [(1, [1, 2, 3]), (2, [2]), pytest.param(3, [3], marks=SLOW), pytest.param(4, [], marks=SLOW)]
)
def test_stop_is_asked_after_each_scored_epoch_but_the_last(every: int, asked_at: list[int], digits: ImageData) -> None:
    asked: list[int] = []
    recipe = dataclasses.replace(LONGER, evaluate_every=every)

    def stop(point: Epoch) -> str | None:
        asked.append(point["epoch"])
        return None

    score = train_proxy(RESIDUAL, recipe, digits, device="cpu", stop=stop)
    assert asked == asked_at
    assert (score.state, score.reason) == ("complete", None)
    same = train_proxy(RESIDUAL, recipe, digits, device="cpu")
    assert (score.top1, score.loss, score.curve) == (same.top1, same.loss, same.curve)  # asking changes nothing


def test_a_failed_training_is_failed_even_if_it_would_have_been_stopped(digits: ImageData) -> None:
    recipe = dataclasses.replace(LONGER, learning_rate=1e30)
    score = train_proxy(RESIDUAL, recipe, digits, device="cpu", stop=lambda point: "not promising")
    assert score.state == "failed" and score.reason and score.reason.startswith("diverged: ")
    assert score.loss is None and score.curve == ()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_recipe_may_ask_for_a_precision(precision: str, digits: ImageData) -> None:
    score = train_proxy(RESIDUAL, dataclasses.replace(SMOKE, precision=precision), digits, device="cpu")
    assert (score.state, score.precision) == ("complete", precision)


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_bf16_is_chosen_where_it_pays(two_threads: None) -> None:
    big = Recipe("big", 1, 128, learning_rate=0.1, resolution=32, proxy_macs=334_000_000, stem="cifar")
    for config in (landmark("resnet50"), landmark("densenet121")):
        assert plan(config, big, 10, "cpu").precision == ("bf16" if computes_bf16("cpu") else "fp32")
        assert plan(config, SMOKE, 10, "cpu").precision == "fp32"  # too small to win the conversions back
    assert plan(RESIDUAL, SMOKE, 10, "cpu").threads == 1  # too small to share
    assert plan(landmark("resnet50"), big, 10, "cpu").threads == 2
    assert plan(landmark("resnet50"), big, 10, "cuda").threads is None


def test_same_seed_same_score_and_the_callers_random_numbers_stay(digits: ImageData, two_threads: None) -> None:
    torch.manual_seed(5)
    recipe = dataclasses.replace(SMOKE, crop=True)
    one, two, other = (train_proxy(RESIDUAL, recipe, digits, seed=seed, device="cpu") for seed in (1, 1, 2))
    assert (one.top1, one.loss, one.curve) == (two.top1, two.loss, two.curve)
    assert one.loss != other.loss
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    assert torch.get_num_threads() == 2


def test_a_loss_that_is_not_finite_fails_with_the_reason(digits: ImageData) -> None:
    score = train_proxy(RESIDUAL, dataclasses.replace(SMOKE, learning_rate=1e30), digits, device="cpu")
    assert score.state == "failed" and score.reason and score.reason.startswith("diverged: ")
    assert "not finite" in score.reason and "epoch 1 of 2" in score.reason
    assert score.loss is None
    assert ProxyScore.from_json(json.loads(json.dumps(score.to_json(), allow_nan=False))) == score


def test_too_small_an_input_fails_with_the_reason(digits: ImageData) -> None:
    five = dataclasses.replace(DENSE, depths=(1,) * 5)
    score = train_proxy(five, SMOKE, digits, device="cpu")
    assert (score.state, score.top1, score.curve) == ("failed", 0.0, ())
    assert score.reason and "too small" in score.reason


def out_of_memory(limit_mb: int, recipe: str, stop: str = "None") -> dict[str, Any]:
    """Train in a process of its own that may take so much more memory than it has at the start."""
    code = f"""
import json, resource
import torch
from evaluate.images.load import ImageData
from evaluate.training.recipe import Recipe
from evaluate.training.proxy import train_proxy
from space import landmark
torch.set_num_threads(1)
images = torch.randint(0, 256, (256, 3, 32, 32), dtype=torch.uint8)
labels = torch.arange(256) % 10
data = ImageData("random", images, labels, images[:20], labels[:20], 10)
recipe = Recipe(name="x", learning_rate=0.1, resolution=32, proxy_macs=334 * 10**6, stem="cifar", precision="fp32",
                {recipe})
tiny = recipe.to_json() | dict(epochs=1, batch_size=2, train_images=2)
train_proxy(landmark("resnet18"), Recipe.from_json(tiny), data)
size = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (size + {limit_mb} * 2**20, -1))
print(json.dumps(train_proxy(landmark("resnet18"), recipe, data, device="cpu", stop={stop}).to_json()))
"""
    # What is freed goes back to the system at once, so that the second try has as much as the first one.
    environment = os.environ | {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr
    score: dict[str, Any] = json.loads(done.stdout)
    return score


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
def test_where_memory_is_short_a_batch_is_trained_in_parts() -> None:
    score = out_of_memory(400, "epochs=1, batch_size=256")
    assert score["state"] == "complete", score
    assert score["micro_batch"] in (128, 64, 32, 16)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
def test_a_training_that_began_anew_with_less_at_once_can_be_stopped() -> None:
    score = out_of_memory(400, "epochs=3, batch_size=256", stop="lambda point: 'enough'")
    assert (score["state"], score["reason"], len(score["curve"])) == ("stopped", "enough", 1), score
    assert score["micro_batch"] in (128, 64, 32, 16)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
def test_too_little_memory_fails_with_the_reason() -> None:
    score = out_of_memory(8, "epochs=1, batch_size=256")
    assert score["state"] == "failed"
    assert score["reason"].startswith("out of memory on cpu, even with 8 images at once (")


def test_other_errors_are_not_hidden(digits: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("evaluate.training.proxy.build", explode)
    with pytest.raises(RuntimeError, match="a bug"):
        train_proxy(RESIDUAL, SMOKE, digits, device="cpu")


def test_fewer_images_than_a_batch_are_refused(digits: ImageData) -> None:
    recipe = dataclasses.replace(SMOKE, train_images=None, batch_size=2000)
    with pytest.raises(ValueError, match=r"digits has 1438 images .* fewer than a batch of recipe smoke \(2000\)"):
        train_proxy(RESIDUAL, recipe, digits, device="cpu")


def test_data_at_another_resolution_is_refused(digits: ImageData) -> None:
    with pytest.raises(ValueError, match=r"8 pixels.*16"):
        train_proxy(RESIDUAL, dataclasses.replace(SMOKE, resolution=16), digits, device="cpu")


def test_score_round_trip() -> None:
    curve = (Epoch(epoch=1, train_loss=2.1, top1=11.7), Epoch(epoch=2, train_loss=1 / 3, top1=100 / 3))
    score = ProxyScore(100 / 3, 0.1 + 0.2, 1.5, 321.5, curve, "complete")
    assert ProxyScore.from_json(json.loads(json.dumps(score.to_json()))) == score
    with pytest.raises(ValueError, match="unknown key 'top5'"):
        ProxyScore.from_json(score.to_json() | {"top5": 1})
